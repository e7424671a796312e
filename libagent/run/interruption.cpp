#include "libagent/run/interruption.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe {

namespace {

std::string_view name_of(interruption::kind what) {
  return what == interruption::kind::tool ? "tool" : "handoff";
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
  constexpr auto known = std::array<std::string_view, 5>{"id", "decision", "message", "always", "arguments"};
  for (const auto& [name, value] : members)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return &name;
  return nullptr;
}

result<decision> read_rejection(decision made, const json& value) {
  if (made.always)
    return wrong_decision("'always' goes with \"approve\" only");
  if (given(value, "arguments") != nullptr)
    return wrong_decision("'arguments' go with \"approve\" only");
  return made;
}

result<decision> read_approval(decision made, const json& value) {
  if (!made.message.empty())
    return wrong_decision("'message' goes with \"reject\" only");
  const auto* arguments = given(value, "arguments");
  if (arguments == nullptr)
    return made;
  if (!arguments->is_object())
    return wrong_member("arguments", "an object");
  made.arguments = *arguments;
  return made;
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
  const auto* kind = find_string(value, "kind");
  if (kind == nullptr || (*kind != "tool" && *kind != "handoff"))
    return malformed_interruption("kind", "\"tool\" or \"handoff\"");
  made.what = *kind == "tool" ? interruption::kind::tool : interruption::kind::handoff;
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
        "'{}' is unknown; there are 'id', 'decision', 'message', 'always' and 'arguments'", to_utf8(*name)));
  decision made;
  const auto* id = find_string(value, "id");
  if (id == nullptr || id->empty())
    return wrong_member("id", "the id of an interruption");
  made.id = *id;
  const auto* word = find_string(value, "decision");
  if (word == nullptr || (*word != "approve" && *word != "reject"))
    return wrong_member("decision", "\"approve\" or \"reject\"");
  if (const auto* message = given(value, "message")) {
    if (!message->is_string())
      return wrong_member("message", "a text");
    made.message = message->get<std::string>();
  }
  if (const auto* always = given(value, "always")) {
    if (!always->is_boolean())
      return wrong_member("always", "true or false");
    made.always = always->get<bool>();
  }
  if (*word == "approve")
    return read_approval(std::move(made), value);
  made.what = decision::verdict::reject;
  return read_rejection(std::move(made), value);
}

} // namespace troupe
