#include "libagent/config/units.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace troupe::config {

namespace {

/// Hexadecimal and octal, as YAML 1.2's core schema has them.
std::optional<std::uint64_t> parse_prefixed(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0o"))
    return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, code] =
      std::from_chars(text.data() + 2, text.data() + text.size(), value, text[1] == 'x' ? 16 : 8);
  if (code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<json> scalar_to_json(const field& from) {
  const auto& value = from.value;
  if (!value.plain)
    return json(value.text);
  if (const auto boolean = parse_boolean(value.text))
    return json(*boolean);
  if (!looks_like_number(value.text))
    return json(value.text);
  if (const auto integer = parse_integer(value.text))
    return json(*integer);
  if (const auto prefixed = parse_prefixed(value.text))
    return json(*prefixed);
  if (const auto number = parse_number(value.text))
    return json(*number);
  from.fail("is a number that JSON cannot hold; put it in quotes to make it a text");
  return std::nullopt;
}

std::optional<json> to_json_list(const field& from) {
  auto list = json::array();
  bool complete = true;
  for (const auto& item : from.value.items) {
    auto element =
        read_json({from.ctx, *item, fmt::format("entry {} of {}", list.size() + 1, from.what), item->at});
    complete = complete && element;
    list.push_back(element ? std::move(*element) : json{});
  }
  return complete ? std::optional{std::move(list)} : std::nullopt;
}

std::optional<json> to_json_map(const field& from) {
  auto map = json::object();
  bool complete = true;
  for (const auto& [key, at, value] : from.value.entries) {
    auto element = read_json({from.ctx, *value, from.what, at});
    complete = complete && element;
    if (element)
      map[key] = std::move(*element);
  }
  return complete ? std::optional{std::move(map)} : std::nullopt;
}

} // namespace

std::optional<std::filesystem::path> resolve_path(const field& from, const std::string& written) {
  namespace fs = std::filesystem;
  if (written != "~" && !written.starts_with("~/"))
    return (from.ctx.folder / written).lexically_normal();
  const auto home = from.ctx.env ? from.ctx.env("HOME") : std::nullopt;
  if (!home || !fs::path{*home}.is_absolute()) {
    from.fail(
        "begins with '~', but the environment variable 'HOME' is not an absolute path; write the whole path");
    return std::nullopt;
  }
  return (fs::path{*home} / written.substr(std::min<std::size_t>(2, written.size()))).lexically_normal();
}

std::optional<std::filesystem::path> read_path(const field& from) {
  const auto written = read_name(from);
  return written ? resolve_path(from, *written) : std::nullopt;
}

std::optional<json> read_json(const field& from) {
  if (from.value.broken)
    return std::nullopt;
  switch (from.value.type) {
  case node::kind::null:
    return json{};
  case node::kind::text:
    return scalar_to_json(from);
  case node::kind::list:
    return to_json_list(from);
  case node::kind::map:
    return to_json_map(from);
  }
  return std::nullopt;
}

std::optional<json_schema> read_schema(const field& from) {
  if (from.value.type != node::kind::map) {
    from.wrong("a JSON Schema, such as {type: object, properties: {}}");
    return std::nullopt;
  }
  auto document = read_json(from);
  if (!document)
    return std::nullopt;
  auto schema = json_schema::compile(std::move(*document));
  if (schema)
    return std::move(*schema);
  fail_because(from, schema.error().detail, "write a JSON Schema");
  return std::nullopt;
}

bool holds_substituted(const node& value) {
  const auto& [items, entries] = std::tie(value.items, value.entries);
  return value.substituted ||
         std::any_of(items.begin(), items.end(), [](const auto& item) { return holds_substituted(*item); }) ||
         std::any_of(entries.begin(), entries.end(),
                     [](const entry& one) { return holds_substituted(*one.value); });
}

void fail_because(const field& from, std::string_view reason, std::string_view right) {
  if (holds_substituted(from.value))
    from.fail(fmt::format("is not right once its variables are filled in; {}", right));
  else if (reason.find(';') != std::string_view::npos)
    from.fail(fmt::format("is wrong: {}", reason));
  else
    from.fail(fmt::format("is wrong: {}; {}", reason, right));
}

} // namespace troupe::config
