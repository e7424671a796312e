#pragma once

#include "libagent/core/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

using json = nlohmann::json;

/// Parses one JSON text (RFC 8259), refusing what is not UTF-8 and what nests deeper than `max_depth`
/// arrays and objects. The error is `malformed` and says where in the text.
result<json> parse_json(std::string_view text, std::size_t max_depth = 64);

/// Writes compact JSON. Bytes that are not UTF-8 become U+FFFD, so that it never throws.
std::string dump_json(const json& value);

/// Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_utf8(std::string_view bytes) noexcept;

/// The bytes with each ill-formed UTF-8 sequence replaced by U+FFFD.
std::string to_utf8(std::string_view bytes);

/// `object[key]` if it is a string, else null. The pointer lives as long as the object.
const std::string* find_string(const json& object, std::string_view key);

/// `object[key]` if it is there, else null.
const json* find(const json& object, std::string_view key);

} // namespace troupe
