#include "libagent/config/values.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace troupe::config {

namespace {

bool is_text(const field& from) {
  return from.value.type == node::kind::text && !from.value.broken;
}

/// A quoted number is a text, but one that a variable gave is read as what is asked for: JSON has no other
/// way to write it.
bool may_be_number(const field& from) {
  return is_text(from) && (from.value.plain || from.value.substituted);
}

bool reads_as_other_type(const field& from) {
  const auto& value = from.value;
  return value.plain && !value.substituted && (parse_boolean(value.text) || looks_like_number(value.text));
}

/// " is 70000" where the number stands in the file itself.
std::string is_what(const field& from) {
  return from.value.substituted ? "is out of range" : "is " + from.value.text;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string show(milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{}s", time.count() / 1000)
                                  : fmt::format("{}ms", time.count());
}

} // namespace

std::optional<std::string> read_text(const field& from) {
  if (is_text(from) && !reads_as_other_type(from))
    return from.value.text;
  from.wrong(from.value.type == node::kind::text ? "a text: put it in quotes" : "a text");
  return std::nullopt;
}

std::optional<std::string> read_name(const field& from) {
  auto text = read_text(from);
  if (text && text->empty()) {
    from.wrong("a text of at least one character");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> read_scalar(const field& from) {
  if (is_text(from))
    return from.value.text;
  from.wrong("a text, a number or a boolean");
  return std::nullopt;
}

std::optional<std::string> read_http_value(const field& from) {
  auto text = read_scalar(from);
  if (text && std::any_of(text->begin(), text->end(), is_control)) {
    from.fail("holds a line break or another control character; it has to be one line");
    return std::nullopt;
  }
  return text;
}

std::optional<bool> read_boolean(const field& from) {
  if (may_be_number(from))
    if (const auto value = parse_boolean(from.value.text))
      return value;
  from.wrong("true or false");
  return std::nullopt;
}

std::optional<std::uint64_t> read_count(const field& from, std::uint64_t least, std::uint64_t most) {
  const auto right = fmt::format("a whole number from {} to {}", least, most);
  if (!may_be_number(from) || !looks_like_number(from.value.text)) {
    from.wrong(right);
    return std::nullopt;
  }
  const auto value = parse_integer(from.value.text);
  if (value && *value >= 0 && static_cast<std::uint64_t>(*value) >= least &&
      static_cast<std::uint64_t>(*value) <= most)
    return static_cast<std::uint64_t>(*value);
  from.fail(fmt::format("{}; it has to be {}", is_what(from), right));
  return std::nullopt;
}

std::optional<double> read_number(const field& from, double least, double most) {
  const auto right = fmt::format("a number from {} to {}", least, most);
  if (!may_be_number(from) || !looks_like_number(from.value.text)) {
    from.wrong(right);
    return std::nullopt;
  }
  const auto value = parse_number(from.value.text);
  if (value && *value >= least && *value <= most)
    return value;
  from.fail(fmt::format("{}; it has to be {}", is_what(from), right));
  return std::nullopt;
}

std::optional<milliseconds> read_duration(const field& from, milliseconds least) {
  auto value = is_text(from) ? parse_duration(from.value.text) : std::nullopt;
  if (!value && may_be_number(from) && looks_like_number(from.value.text))
    value = parse_number(from.value.text).value_or(HUGE_VAL) * 1000;
  if (!value) {
    from.wrong("seconds as a number, or a text such as 500ms, 30s, 2m or 1h");
    return std::nullopt;
  }
  // Checked before it is cast, so that nothing overflows.
  if (*value >= static_cast<double>(least.count()) &&
      *value <= static_cast<double>(defaults::longest_duration.count()))
    return milliseconds{std::llround(*value)};
  from.fail(fmt::format("{}; it has to be a time from {} to 365d", is_what(from), show(least)));
  return std::nullopt;
}

std::optional<std::size_t> read_size(const field& from) {
  auto value = is_text(from) ? parse_size(from.value.text) : std::nullopt;
  if (!value && may_be_number(from) && looks_like_number(from.value.text))
    if (const auto bytes = parse_integer(from.value.text))
      value = static_cast<double>(*bytes);
  if (!value) {
    from.wrong("bytes as a whole number, or a text such as 64KiB or 16MiB");
    return std::nullopt;
  }
  if (*value >= 1 && *value <= static_cast<double>(defaults::largest_size))
    return static_cast<std::size_t>(*value);
  from.fail(fmt::format("{}; it has to be a size from 1 byte to 1024GiB", is_what(from)));
  return std::nullopt;
}

std::optional<std::size_t> read_word(const field& from, const std::vector<std::string>& words) {
  const auto text = read_text(from);
  if (!text)
    return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found != words.end())
    return static_cast<std::size_t>(found - words.begin());
  if (from.value.substituted)
    from.fail("is not a known word; known words are " + listed(words));
  else
    from.fail(fmt::format("is {}; {}", in_quotes(*text), suggestion(*text, words, "known words")));
  return std::nullopt;
}

std::optional<std::vector<field>> read_list(const field& from, std::string_view example) {
  if (from.value.type != node::kind::list) {
    from.wrong(fmt::format("a list, such as {}", example));
    return std::nullopt;
  }
  std::vector<field> entries;
  for (const auto& item : from.value.items)
    entries.push_back(
        {from.ctx, *item, fmt::format("entry {} of {}", entries.size() + 1, from.what), item->at});
  return entries;
}

std::optional<std::vector<std::string>> read_names(const field& from, const std::string& path) {
  const auto entries = read_list(from, "[one, another]");
  if (!entries)
    return std::nullopt;
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto& one : *entries) {
    auto name = read_name(one);
    if (!name)
      continue;
    if (!seen.insert(*name).second) {
      one.fail(
          fmt::format("names {} again; name it once", one.value.substituted ? "the same" : in_quotes(*name)));
      continue;
    }
    one.mark(fmt::format("{}/{}", path, names.size()));
    names.push_back(std::move(*name));
  }
  return names;
}

std::optional<pairs> read_pairs(const field& from, std::optional<std::string> (*read)(const field&)) {
  if (from.value.type != node::kind::map) {
    from.wrong("a map of names and texts");
    return std::nullopt;
  }
  pairs all;
  for (const auto& [key, at, value] : from.value.entries) {
    auto text = read({from.ctx, *value, fmt::format("{} in {}", key_in_quotes(key), from.what), at});
    if (key.empty())
      from.ctx.fail(at, fmt::format("a name in {} is empty; give it one", from.what));
    else if (text)
      all.emplace_back(key, std::move(*text));
  }
  return all;
}

} // namespace troupe::config
