#include "actors/http/sse.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace troupe::http {

namespace {

using told = std::optional<sse_event>;

told tell(std::string_view name, const json& data) {
  return sse_event{name, dump_json(data)};
}

/// Events of nested runs say which.
template <class Event>
told tell(std::string_view name, json data, const Event& what) {
  if (!what.nested_run.empty())
    data["run_id"] = what.nested_run;
  return tell(name, data);
}

/// Gives each event its name and form.
struct teller {
  told operator()(const run_started& what) const {
    return tell("run_started", {{"run_id", what.run_id}, {"session_id", what.session_id}});
  }
  told operator()(const agent_started& what) const {
    return tell("agent_started", {{"agent", what.agent}}, what);
  }
  told operator()(const handed_off& what) const {
    return tell("handoff", {{"from", what.from}, {"to", what.to}}, what);
  }
  told operator()(const text_streamed& what) const {
    return tell("text_delta", {{"agent", what.agent}, {"text", what.text}}, what);
  }
  told operator()(const reasoning_streamed& what) const {
    return tell("reasoning_delta", {{"agent", what.agent}, {"text", what.text}}, what);
  }
  told operator()(const call_streamed& what) const {
    return tell("tool_call_started", {{"agent", what.agent}, {"call_id", what.call_id}, {"tool", what.tool}},
                what);
  }
  told operator()(const arguments_streamed& what) const {
    return tell("tool_call_arguments_delta", {{"call_id", what.call_id}, {"delta", what.text}}, what);
  }
  // Its text came as deltas.
  told operator()(const said&) const { return std::nullopt; }
  // Was told when the model wrote the call.
  told operator()(const tool_started&) const { return std::nullopt; }
  told operator()(const tool_finished& what) const {
    return tell("tool_call_completed",
                {{"agent", what.agent},
                 {"call_id", what.call_id},
                 {"tool", what.tool},
                 {"output", what.output},
                 {"is_error", what.is_error}},
                what);
  }
  told operator()(const guardrail_acted& what) const {
    return tell("guardrail",
                {{"agent", what.agent},
                 {"guardrail", what.guardrail},
                 {"stage", what.stage},
                 {"action", what.action},
                 {"message", what.message}},
                what);
  }
  told operator()(const usage_added& what) const {
    auto data = troupe::to_json(what.used);
    data["agent"] = what.agent;
    data["model"] = what.model;
    return tell("usage", std::move(data), what);
  }
};

} // namespace

std::optional<sse_event> to_sse(const run_event& what) {
  return std::visit(teller{}, what);
}

sse_event last_event(const chat_reply& reply) {
  return {reply.status == run_status::paused ? "approval_required" : "run_completed", show(reply).body};
}

sse_event last_event(const answer& refusal) {
  auto data = json::parse(refusal.body);
  data["status"] = refusal.status;
  return {"run_failed", dump_json(data)};
}

void append_sse(std::string& text, std::uint64_t id, const sse_event& event) {
  fmt::format_to(std::back_inserter(text), "id: {}\nevent: {}\ndata: ", id, event.name);
  text += event.data;
  text += "\n\n";
}

} // namespace troupe::http
