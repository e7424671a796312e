#include "libagent/model/cassette.hpp"

#include "libagent/model/cassette_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe {

namespace {

/// How much of the user's message an error quotes, in characters.
constexpr std::size_t quoted_characters = 80;

std::string_view trim(std::string_view line) {
  constexpr std::string_view spaces = " \t\r";
  const auto begin = std::min(line.find_first_not_of(spaces), line.size());
  line.remove_prefix(begin);
  return line.substr(0, line.find_last_not_of(spaces) + 1);
}

const json& member(const json& object, std::string_view key) {
  static const auto none = json{};
  const auto* value = find(object, key);
  return value ? *value : none;
}

/// How many items stand at the same places in both.
std::size_t items_in_common(const json& left, const json& right) {
  const auto& a = member(left, "items");
  const auto& b = member(right, "items");
  if (!a.is_array() || !b.is_array())
    return 0;
  auto same = std::size_t{0};
  for (auto i = std::size_t{0}; i < std::min(a.size(), b.size()); ++i)
    same += a[i] == b[i] ? 1 : 0;
  return same;
}

/// Path of the first place where the two differ, e.g. "[2].content"; empty if that is the value itself.
std::string first_difference(const json& recorded, const json& asked) {
  if (recorded.is_array() && asked.is_array()) {
    const auto shorter = std::min(recorded.size(), asked.size());
    auto i = std::size_t{0};
    while (i < shorter && recorded[i] == asked[i])
      ++i;
    return fmt::format("[{}]", i) + (i < shorter ? first_difference(recorded[i], asked[i]) : "");
  }
  if (!recorded.is_object() || !asked.is_object())
    return {};
  for (const auto& [key, value] : recorded.items())
    if (member(asked, key) != value)
      return "." + key + first_difference(value, member(asked, key));
  for (const auto& [key, value] : asked.items())
    if (!find(recorded, key))
      return "." + key;
  return {};
}

/// Path of the first difference, with what tells the most looked at first.
std::string differing_member(const json& recorded, const json& asked) {
  for (const auto* key : {"agent", "instructions", "items", "tools", "settings", "output"})
    if (member(recorded, key) != member(asked, key))
      return key + first_difference(member(recorded, key), member(asked, key));
  // A recording that somebody edited may have other members, or write a number in another way.
  const auto path = first_difference(recorded, asked);
  return path.empty() ? "the spelling of a number" : path.substr(1);
}

/// The beginning of well-formed UTF-8.
std::string_view first_characters(std::string_view text, std::size_t count) {
  auto end = std::size_t{0};
  for (; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0u) != 0x80u && count-- == 0)
      break;
  return text.substr(0, end);
}

std::string last_user_words(const json& asked) {
  const auto& items = member(asked, "items");
  for (auto i = items.size(); i-- > 0;) {
    const auto* text = member(items[i], "role") == "user" ? find_string(items[i], "content") : nullptr;
    if (!text)
      continue;
    const auto begin = first_characters(*text, quoted_characters);
    return fmt::format(", whose user said \"{}{}\"", begin, begin.size() < text->size() ? "..." : "");
  }
  return {};
}

} // namespace

result<cassette> cassette::parse(std::string_view text, redactor_ptr hides) {
  auto made = cassette{};
  made.hides_ = std::move(hides);
  for (auto number = 1u; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty())
      continue;
    auto read = read_exchange(line);
    if (!read)
      return fail(read.error().code, fmt::format("line {} of the cassette: {}", number, read.error().detail));
    auto request = made.hides_->hide_tree(read->request);
    made.by_request_[dump_json(request)].exchanges.push_back(made.exchanges_.size());
    made.exchanges_.push_back({std::move(request), std::move(read->response)});
  }
  return made;
}

result<model_response> cassette::answer(const model_request& asked) {
  const auto request = hides_->hide_tree(to_json(asked));
  const auto known = by_request_.find(dump_json(request));
  if (known == by_request_.end())
    return not_recorded(request);
  auto& [recorded, next] = known->second;
  const auto chosen = recorded[next];
  next = std::min(next + 1, recorded.size() - 1);
  return exchanges_[chosen].response;
}

error cassette::not_recorded(const json& asked) const {
  auto text = fmt::format("nothing is recorded for this request of agent \"{}\"{}",
                          member(asked, "agent").get<std::string>(), last_user_words(asked));
  if (exchanges_.empty())
    return fail(errc::not_recorded, text + "; the cassette is empty");
  const auto likeness = [&asked](const exchange& one) {
    return std::tuple{member(one.request, "agent") == member(asked, "agent"),
                      items_in_common(one.request, asked)};
  };
  const auto nearest =
      std::max_element(exchanges_.begin(), exchanges_.end(),
                       [&](const exchange& a, const exchange& b) { return likeness(a) < likeness(b); });
  return fail(
      errc::not_recorded,
      fmt::format("{}; of the {} recorded exchanges number {} is the nearest, and differs first in '{}'",
                  text, exchanges_.size(), nearest - exchanges_.begin() + 1,
                  differing_member(nearest->request, asked)));
}

} // namespace troupe
