#pragma once

#include "libagent/config/reader.hpp"
#include "libagent/core/json_schema.hpp"

#include <cstdint>

/// Readers of single values. Each reports what is wrong and returns nothing then.
namespace troupe::config {

/// A text. What is written without quotes and reads as a number or boolean is none, unless a variable gave
/// it.
std::optional<std::string> read_text(const field& from);
/// A text that is not empty.
std::optional<std::string> read_name(const field& from);
/// A text, number or boolean, as it was written.
std::optional<std::string> read_scalar(const field& from);
/// Refuses control characters, which would end a line of HTTP.
std::optional<std::string> read_http_value(const field& from);
std::optional<bool> read_boolean(const field& from);
/// A whole number within bounds, both included.
std::optional<std::uint64_t> read_count(const field& from, std::uint64_t least, std::uint64_t most);
std::optional<double> read_number(const field& from, double least, double most);
/// Seconds as a number, or a text with units.
std::optional<milliseconds> read_duration(const field& from, milliseconds least);
/// Bytes as a number, or a text with a unit; at least 1.
std::optional<std::size_t> read_size(const field& from);

/// One of the words; the index into them.
std::optional<std::size_t> read_word(const field& from, const std::vector<std::string>& words);

/// The entries of a list; `example` shows what a list may look like. Nothing if it is no list.
std::optional<std::vector<field>> read_list(const field& from, std::string_view example);
/// A list of names, each given once. `path` is where they will stand in the configuration.
std::optional<std::vector<std::string>> read_names(const field& from, const std::string& path);
/// A map of texts, numbers and booleans, in the file's order. `read` reads the values.
using pairs = std::vector<std::pair<std::string, std::string>>;
std::optional<pairs> read_pairs(const field& from,
                                std::optional<std::string> (*read)(const field&) = read_scalar);

/// An absolute path: a leading `~/` is HOME, relative ones start at the file's folder.
std::optional<std::filesystem::path> read_path(const field& from);
std::optional<std::filesystem::path> resolve_path(const field& from, const std::string& written);

/// Any value as JSON, plain scalars by YAML 1.2's core schema.
std::optional<json> read_json(const field& from);
/// A JSON Schema, written as YAML.
std::optional<json_schema> read_schema(const field& from);

/// Whether a variable was filled in in the value or inside it, so that it is not fit to be shown.
bool holds_substituted(const node& value);
/// Reports "<what> is wrong: <reason>; <right>". A reason may quote the value, so that it is left out where a
/// variable was filled in; one that has a ';' says itself what would be right.
void fail_because(const field& from, std::string_view reason, std::string_view right);

} // namespace troupe::config
