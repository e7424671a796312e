#include "libagent/config/reader.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

/// Never the value itself, which may be a secret.
std::string_view describe(const node& value) {
  switch (value.type) {
  case node::kind::null:
    return "empty";
  case node::kind::list:
    return "a list";
  case node::kind::map:
    return "a map";
  case node::kind::text:
    break;
  }
  if (value.plain && parse_boolean(value.text))
    return "a boolean";
  if (value.plain && looks_like_number(value.text))
    return "a number";
  return value.text.empty() ? "an empty text" : "a text";
}

} // namespace

bool context::is_full() const {
  return errors.size() >= defaults::max_diagnostics;
}

void context::fail(place at, std::string message) {
  if (!is_full())
    errors.push_back({file, at.line, at.column, std::move(message)});
}

void context::warn(place at, std::string message) {
  if (warnings.size() < defaults::max_diagnostics)
    warnings.push_back({file, at.line, at.column, std::move(message)});
}

void field::wrong(std::string_view right) const {
  if (!value.broken)
    ctx.fail(value.at, fmt::format("{} is {}; it has to be {}", what, describe(value), right));
}

void field::fail(std::string_view problem) const {
  if (!value.broken)
    ctx.fail(value.at, fmt::format("{} {}", what, problem));
}

void field::mark(std::string path, bool broken) const {
  ctx.where[std::move(path)] = {value.at, !value.substituted, broken || value.broken};
}

map_reader::map_reader(const field& map, std::string what)
    : map_(map), what_(std::move(what)), is_map_(map.value.type == node::kind::map) {
  if (!is_map_)
    map_.wrong("a map of keys and values");
}

std::optional<field> map_reader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end())
    known_.emplace_back(key);
  const auto& entries = map_.value.entries;
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const entry& candidate) { return candidate.key == key; });
  if (found == entries.end())
    return std::nullopt;
  return field{map_.ctx, *found->value, fmt::format("'{}' in {}", key, what_), found->at};
}

std::optional<field> map_reader::need(std::string_view key, std::string_view example) {
  auto found = find(key);
  if (!found && is_map_)
    map_.ctx.fail(map_.key_at, fmt::format("{} has no '{}'; write {}", what_, key, example));
  return found;
}

void map_reader::ignore(std::initializer_list<std::string_view> keys) {
  known_.insert(known_.end(), keys.begin(), keys.end());
}

void map_reader::refuse(std::string_view key, std::string_view problem) {
  if (const auto found = find(key))
    map_.ctx.fail(found->key_at, fmt::format("{} {}", found->what, problem));
}

void map_reader::finish() const {
  for (const auto& candidate : map_.value.entries)
    if (!map_.ctx.is_full() && std::find(known_.begin(), known_.end(), candidate.key) == known_.end())
      map_.ctx.fail(candidate.at, fmt::format("unknown key {} in {}; {}", key_in_quotes(candidate.key), what_,
                                              suggestion(candidate.key, known_, "known keys")));
}

} // namespace troupe::config
