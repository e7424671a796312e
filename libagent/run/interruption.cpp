#include "libagent/run/interruption.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr auto kinds = std::array<std::string_view, 3>{"tool", "handoff", "in_doubt"};
constexpr auto verdicts = std::array<std::string_view, 5>{"approve", "reject", "repeat", "result", "fail"};

std::string_view name_of(interruption::kind what) {
  return kinds.at(static_cast<std::size_t>(what));
}

std::string_view name_of(decision::verdict what) {
  return verdicts.at(static_cast<std::size_t>(what));
}

/// The place of the word among those, or nothing.
template <std::size_t Count>
std::optional<std::size_t> place_of(const std::array<std::string_view, Count>& words,
                                    const std::string* word) {
  if (word == nullptr)
    return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *word);
  return found == words.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - words.begin()));
}

error malformed_interruption(std::string_view member, std::string_view expected) {
  return fail(errc::malformed, fmt::format("an interruption whose '{}' is not {}", member, expected));
}

error wrong_decision(std::string_view what) {
  return fail(errc::invalid_argument, fmt::format("decision: {}", what));
}

error wrong_member(std::string_view member, std::string_view expected) {
  return wrong_decision(fmt::format("'{}' must be {}", member, expected));
}

/// The member, or null if it is absent or null: clients write either.
const json* given(const json& object, std::string_view key) {
  const auto* value = find(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

/// The first member that decisions do not have, or null.
const std::string* unknown_member(const json::object_t& members) {
  constexpr auto known =
      std::array<std::string_view, 6>{"id", "decision", "message", "always", "arguments", "output"};
  for (const auto& [name, value] : members)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return &name;
  return nullptr;
}

/// Members that go with some verdicts only.
struct companion {
  std::string_view member;
  std::initializer_list<decision::verdict> with;
};

bool goes_with(const companion& rule, decision::verdict what) {
  return std::find(rule.with.begin(), rule.with.end(), what) != rule.with.end();
}

/// What is wrong with the members beside the verdict, if anything is.
std::optional<error> misplaced_member(const json& value, decision::verdict what) {
  using verdict = decision::verdict;
  const companion rules[] = {{"message", {verdict::reject, verdict::fail}},
                             {"always", {verdict::approve}},
                             {"arguments", {verdict::approve}},
                             {"output", {verdict::result}}};
  for (const auto& rule : rules) {
    const auto* written = given(value, rule.member);
    if (written == nullptr || goes_with(rule, what) || *written == false || *written == "")
      continue;
    std::vector<std::string> names;
    for (const auto each : rule.with)
      names.push_back(fmt::format("\"{}\"", name_of(each)));
    return wrong_decision(fmt::format("'{}' goes with {} only", rule.member, fmt::join(names, " and ")));
  }
  return std::nullopt;
}

} // namespace

json to_json(const interruption& value) {
  return {{"id", value.id},
          {"kind", name_of(value.what)},
          {"agent", value.agent},
          {"tool", value.tool},
          {"arguments", value.arguments ? *value.arguments : json::object()}};
}

json to_json(const std::vector<interruption>& values) {
  auto made = json::array();
  for (const auto& each : values)
    made.push_back(to_json(each));
  return made;
}

result<interruption> interruption_from_json(const json& value) {
  if (!value.is_object())
    return fail(errc::malformed, "an interruption that is not an object");
  interruption made;
  for (const auto& [key, place] :
       {std::pair{"id", &made.id}, std::pair{"agent", &made.agent}, std::pair{"tool", &made.tool}}) {
    const auto* text = find_string(value, key);
    if (text == nullptr)
      return malformed_interruption(key, "a text");
    *place = *text;
  }
  const auto kind = place_of(kinds, find_string(value, "kind"));
  if (!kind)
    return malformed_interruption("kind", "\"tool\", \"handoff\" or \"in_doubt\"");
  made.what = static_cast<interruption::kind>(*kind);
  const auto* arguments = find(value, "arguments");
  if (arguments == nullptr || !arguments->is_object())
    return malformed_interruption("arguments", "an object");
  made.arguments = std::make_shared<const json>(*arguments);
  return made;
}

result<decision> decision_from_json(const json& value) {
  const auto* members = value.get_ptr<const json::object_t*>();
  if (members == nullptr)
    return wrong_decision("must be an object with 'id' and 'decision'");
  if (const auto* name = unknown_member(*members))
    return wrong_decision(fmt::format(
        "'{}' is unknown; there are 'id', 'decision', 'message', 'always', 'arguments' and 'output'",
        to_utf8(*name)));
  decision made;
  const auto* id = find_string(value, "id");
  if (id == nullptr || id->empty())
    return wrong_member("id", "the id of an interruption");
  made.id = *id;
  const auto word = place_of(verdicts, find_string(value, "decision"));
  if (!word)
    return wrong_member("decision",
                        "\"approve\" or \"reject\", or for a call in doubt \"repeat\", \"result\" or "
                        "\"fail\"");
  made.what = static_cast<decision::verdict>(*word);
  for (const auto& [key, place] : {std::pair{"message", &made.message}, std::pair{"output", &made.output}})
    if (const auto* text = given(value, key)) {
      if (!text->is_string())
        return wrong_member(key, "a text");
      *place = text->get<std::string>();
    }
  if (const auto* always = given(value, "always")) {
    if (!always->is_boolean())
      return wrong_member("always", "true or false");
    made.always = always->get<bool>();
  }
  if (auto misplaced = misplaced_member(value, made.what))
    return std::move(*misplaced);
  if (made.what == decision::verdict::result && given(value, "output") == nullptr)
    return wrong_decision("\"result\" needs 'output', the text that the tool gave");
  if (const auto* arguments = given(value, "arguments")) {
    if (!arguments->is_object())
      return wrong_member("arguments", "an object");
    made.arguments = *arguments;
  }
  return made;
}

json to_json(const decision& value) {
  json made = {{"id", value.id}, {"decision", name_of(value.what)}};
  if (!value.message.empty())
    made["message"] = value.message;
  if (value.always)
    made["always"] = true;
  if (value.arguments)
    made["arguments"] = *value.arguments;
  if (value.what == decision::verdict::result)
    made["output"] = value.output;
  return made;
}

} // namespace troupe
