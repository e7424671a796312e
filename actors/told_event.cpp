#include "actors/told_event.hpp"

#include <utility>

namespace troupe {

namespace {

using telling = std::optional<told_event>;

telling tell(std::string_view name, const json& data) {
  return told_event{std::string(name), dump_json(data)};
}

/// Events of nested runs say which.
template <class Event>
telling tell(std::string_view name, json data, const Event& what) {
  if (!what.nested_run.empty())
    data["run_id"] = what.nested_run;
  return tell(name, data);
}

/// Gives each event its name and form.
struct teller {
  telling operator()(const run_started& what) const {
    return tell("run_started", {{"run_id", what.run_id}, {"session_id", what.session_id}});
  }
  telling operator()(const run_taken_up& what) const {
    auto ranges = json::array();
    for (const auto& [first, last] : what.discarded)
      ranges.push_back({first, last});
    return tell("run_resumed",
                {{"run_id", what.run_id}, {"session_id", what.session_id}, {"discarded", std::move(ranges)}});
  }
  telling operator()(const agent_started& what) const {
    return tell("agent_started", {{"agent", what.agent}}, what);
  }
  telling operator()(const handed_off& what) const {
    return tell("handoff", {{"from", what.from}, {"to", what.to}}, what);
  }
  telling operator()(const text_streamed& what) const {
    return tell("text_delta", {{"agent", what.agent}, {"text", what.text}}, what);
  }
  telling operator()(const reasoning_streamed& what) const {
    return tell("reasoning_delta", {{"agent", what.agent}, {"text", what.text}}, what);
  }
  telling operator()(const call_streamed& what) const {
    return tell("tool_call_started", {{"agent", what.agent}, {"call_id", what.call_id}, {"tool", what.tool}},
                what);
  }
  telling operator()(const arguments_streamed& what) const {
    return tell("tool_call_arguments_delta", {{"call_id", what.call_id}, {"delta", what.text}}, what);
  }
  // Its text came as deltas.
  telling operator()(const said&) const { return std::nullopt; }
  // Was told when the model wrote the call.
  telling operator()(const tool_started&) const { return std::nullopt; }
  telling operator()(const tool_finished& what) const {
    return tell("tool_call_completed",
                {{"agent", what.agent},
                 {"call_id", what.call_id},
                 {"tool", what.tool},
                 {"output", what.output},
                 {"is_error", what.is_error}},
                what);
  }
  telling operator()(const guardrail_acted& what) const {
    return tell("guardrail",
                {{"agent", what.agent},
                 {"guardrail", what.guardrail},
                 {"stage", what.stage},
                 {"action", what.action},
                 {"message", what.message}},
                what);
  }
  telling operator()(const usage_added& what) const {
    auto data = troupe::to_json(what.used);
    data["agent"] = what.agent;
    data["model"] = what.model;
    return tell("usage", std::move(data), what);
  }
};

/// Events of runs inside say which.
std::string_view nested_run_of(const run_event& what) {
  return std::visit(
      [](const auto& each) -> std::string_view {
        if constexpr (requires { each.nested_run; })
          return each.nested_run;
        else
          return {};
      },
      what);
}

/// Takes a line off the text.
std::string take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = std::string(text.substr(0, end));
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

} // namespace

std::optional<told_event> told(const run_event& what, std::string_view run_id) {
  auto event = std::visit(teller{}, what);
  const auto nested = nested_run_of(what);
  if (event && nested.size() > run_id.size())
    event->path = nested.substr(run_id.size() + 1);
  return event;
}

std::string to_stored(const told_event& event) {
  return event.path + "\n" + event.name + "\n" + event.data;
}

told_event event_from_stored(std::string_view text) {
  told_event event;
  event.path = take_line(text);
  event.name = take_line(text);
  event.data = text;
  return event;
}

} // namespace troupe
