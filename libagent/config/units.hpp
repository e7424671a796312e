#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

/// How values are written in an agent file. All return nothing for what is not such a value; signs are
/// read, so that ranges can be checked by the caller.
namespace troupe::config {

/// `true` and `false`, also capitalised or in capitals (YAML 1.2 core schema).
std::optional<bool> parse_boolean(std::string_view text);

/// A decimal whole number; nothing also when it does not fit.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// A decimal number with or without fraction and exponent; never infinite.
std::optional<double> parse_number(std::string_view text);

/// Whether YAML 1.2's core schema takes the unquoted text for a number of any form.
bool looks_like_number(std::string_view text);

/// Numbers with a unit, in milliseconds: "500ms", "30s", "1.5m", "1h30m". Units are ms, s, m, h, d.
std::optional<double> parse_duration(std::string_view text);

/// A number with a unit, in bytes: "512B", "64KiB", "16MiB", "1MB". Units are B, KB, MB, GB, KiB, MiB, GiB in
/// any case.
std::optional<double> parse_size(std::string_view text);

} // namespace troupe::config
