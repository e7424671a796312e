#pragma once

#include <array>
#include <string>
#include <string_view>

namespace troupe::auth {

using sha256_digest = std::array<unsigned char, 32>;

/// FIPS 180-4. Throws where OpenSSL cannot, as where its policy forbids it.
sha256_digest sha256(std::string_view text);

/// In 64 hexadecimal digits, small letters.
std::string sha256_hex(std::string_view text);

} // namespace troupe::auth
