#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace troupe::hostwatch {

/// "15.6 GiB", "0 B".
std::string human_bytes(std::uint64_t bytes);

/// `part` of `whole` in percent with one decimal; 0 if `whole` is 0.
double percent(double part, double whole);

/// The text of a file; empty if it cannot be read. For the files of /proc, which have no size beforehand.
std::string read_text(const std::filesystem::path& file);

} // namespace troupe::hostwatch
