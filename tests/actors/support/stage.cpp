#include "tests/actors/support/stage.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::test {

namespace {

using test_model_actor = model_actor::extend_with<stream_source_actor>::extend<caf::reacts_to<task>>;
using test_tool_actor = tool_actor::extend<caf::reacts_to<task>>;

test_model_actor::behavior_type fake_model_behavior(test_model_actor::pointer self,
                                                    std::shared_ptr<fake_model> model) {
  return {
      [self, model](const model_call& what) {
        auto promise = self->make_response_promise<model_response>();
        model->calls.push_back({what.key, what.request, promise, what.listener});
        return promise;
      },
      [model](cancel_atom, call_key key) { model->cancelled.push_back(key); },
      [model](consumed_atom, call_key, std::uint64_t bytes) { model->consumed += bytes; },
      [](const task& what) { what.run(nullptr); },
  };
}

test_tool_actor::behavior_type fake_tool_behavior(test_tool_actor::pointer self,
                                                  std::shared_ptr<fake_tool> tool) {
  return {
      [self, tool](const tool_invocation&) {
        tool->open.push_back(self->make_response_promise<tool_result>());
        return tool->open.back();
      },
      [](const task& what) { what.run(nullptr); },
  };
}

struct short_form {
  std::string operator()(const run_started&) const { return "run"; }
  std::string operator()(const agent_started& what) const {
    return "agent:" + what.agent + (what.nested_run.empty() ? "" : " in " + what.nested_run);
  }
  std::string operator()(const handed_off& what) const { return "handoff:" + what.from + ">" + what.to; }
  std::string operator()(const text_streamed& what) const { return "text:" + what.text; }
  std::string operator()(const reasoning_streamed& what) const { return "thought:" + what.text; }
  std::string operator()(const call_streamed& what) const { return "call:" + what.tool; }
  std::string operator()(const arguments_streamed& what) const { return "arguments:" + what.text; }
  std::string operator()(const said& what) const { return "said:" + what.text; }
  std::string operator()(const tool_started& what) const { return "tool:" + what.tool; }
  std::string operator()(const tool_finished& what) const {
    return "done:" + what.tool + (what.is_error ? "!" : "");
  }
  std::string operator()(const guardrail_acted& what) const { return what.action + ":" + what.guardrail; }
  std::string operator()(const run_taken_up&) const { return "taken up"; }
  std::string operator()(const usage_added& what) const { return "usage:" + what.agent; }
};

/// What every run has is left out, lest each list of events begin and end with it.
bool is_worth_telling(const run_event& what) {
  return !std::holds_alternative<run_started>(what) && !std::holds_alternative<usage_added>(what);
}

observer_actor::behavior_type observer_behavior(observer_actor::pointer self, stage* owner) {
  return {[self, owner](const run_event& what) {
    if (is_worth_telling(what))
      owner->events.push_back(std::visit(short_form{}, what));
    if (owner->acknowledges)
      caf::anon_send(caf::actor_cast<caf::actor>(self->current_sender()), consumed_atom::value,
                     std::uint64_t{1});
    else
      owner->unacknowledged.push_back(self->current_sender());
  }};
}

} // namespace

fake_model::call fake_model::take_oldest() {
  auto oldest = std::move(calls.front());
  calls.pop_front();
  return oldest;
}

void fake_model::answer(model_response response) {
  caf::anon_send(keeper, task{[oldest = take_oldest(), response = std::move(response)](
                                  caf::event_based_actor*) mutable { oldest.promise.deliver(response); }});
}

void fake_model::says(std::string text) {
  model_response response;
  response.output = {assistant_message{"", std::move(text)}};
  response.used = {1, 2, 3, 0, 0};
  answer(std::move(response));
}

void fake_model::calls_tools(std::vector<std::pair<std::string, std::string>> names_and_arguments,
                             std::string aside) {
  model_response response;
  for (auto& [name, arguments] : names_and_arguments)
    response.output.push_back(
        tool_call{"c" + std::to_string(made++), std::move(name), std::move(arguments), ""});
  if (!aside.empty())
    response.output.insert(response.output.begin(), assistant_message{"", std::move(aside)});
  answer(std::move(response));
}

void fake_model::grows(model_deltas deltas, std::uint64_t bytes) {
  const auto& oldest = calls.front();
  caf::anon_send(keeper, task{[listener = oldest.listener, key = oldest.key, deltas = std::move(deltas),
                               bytes, source = keeper](caf::event_based_actor*) {
                   const auto shared = std::make_shared<const model_deltas>(deltas);
                   caf::actor_cast<caf::actor>(listener)->enqueue(
                       caf::actor_cast<caf::strong_actor_ptr>(source), caf::make_message_id(),
                       caf::make_message(model_progress{key, shared, bytes}), nullptr);
                 }});
}

void fake_model::fails(const error& reason) {
  caf::anon_send(keeper, task{[oldest = take_oldest(), reason](caf::event_based_actor*) mutable {
                   oldest.promise.deliver(to_caf(reason));
                 }});
}

void fake_tool::answer(std::size_t index, tool_result result) {
  caf::anon_send(keeper, task{[promise = open.at(index), result](caf::event_based_actor*) mutable {
                   promise.deliver(result);
                 }});
}

void fake_tool::fail(std::size_t index, const caf::error& reason) {
  caf::anon_send(keeper, task{[promise = open.at(index), reason](caf::event_based_actor*) mutable {
                   promise.deliver(reason);
                 }});
}

virtual_config::virtual_config() {
  set("scheduler.policy", caf::atom("testing"));
}

stage::stage()
    : system_(std::make_unique<caf::actor_system>(config_)),
      scheduler_(dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler())),
      io_(std::make_unique<io::reactor>(context_)) {
  asker_ = system_->spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](const task& what) { what.run(self); }};
  });
  observer_ = system_->spawn(observer_behavior, this);
  run();
}

stage::~stage() {
  if (actors.sessions) {
    caf::anon_send_exit(actors.supervisor, caf::exit_reason::user_shutdown);
    run();
    actors = *where->current();
    where.reset();
    // Hooks and guardrails of a test end when nobody has them any more.
    actors.wirings.clear();
    actors.environment.reset();
    caf::anon_send_exit(actors.sessions, caf::exit_reason::user_shutdown);
    run();
    caf::anon_send_exit(actors.store, caf::exit_reason::user_shutdown);
    for (const auto& [name, agent] : *actors.agents)
      caf::anon_send_exit(agent, caf::exit_reason::user_shutdown);
    for (const auto* models : {&actors.chains, &actors.recordings, &actors.plain_models})
      for (const auto& [name, handle] : *models)
        caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    for (const auto& [name, handle] : actors.mcp_servers)
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    for (const auto& handle : actors.hooks)
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    for (const auto& [name, front] : actors.fronts)
      caf::anon_send_exit(front, caf::exit_reason::user_shutdown);
  }
  for (const auto& tool : tools_)
    caf::anon_send_exit(tool, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(observer_, caf::exit_reason::user_shutdown);
  run();
}

runtime_options stage::two_agents() {
  runtime_options options;
  agent_definition triage;
  triage.name = "triage";
  triage.handoffs = {"ops"};
  agent_definition ops;
  ops.name = "ops";
  options.config.agents = {triage, ops};
  return options;
}

void stage::begin(runtime_options options) {
  const auto handle = system_->spawn(fake_model_behavior, model);
  model->keeper = handle;
  options.models["default"] = handle;
  auto made = spawn_cast(*system_, *io_, options);
  if (!made)
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
  actors = std::move(made.value().actors);
  where = std::move(made->where);
  run();
}

code_tool stage::fake(const std::string& name, const std::shared_ptr<fake_tool>& tool) {
  const auto handle = system_->spawn(fake_tool_behavior, tool);
  tool->keeper = handle;
  tools_.push_back(handle);
  return actor_tool({name, "", json_schema()}, handle);
}

void stage::run() {
  while (scheduler_->has_job())
    scheduler_->run_once();
}

void stage::run(int messages) {
  for (; messages > 0 && scheduler_->has_job(); --messages)
    scheduler_->run_once();
}

void stage::advance(std::chrono::milliseconds time) {
  scheduler_->advance_time(time);
  run();
}

void stage::acknowledge_all() {
  for (const auto& run : unacknowledged)
    caf::anon_send(caf::actor_cast<caf::actor>(run), consumed_atom::value, std::uint64_t{1});
  unacknowledged.clear();
}

std::shared_ptr<answer<chat_reply>> stage::chat(chat_request request) {
  auto box = ask<chat_reply>(actors.sessions, std::move(request), observer_);
  run();
  return box;
}

std::shared_ptr<answer<session_record_ptr>> stage::load(const std::string& session_id) {
  auto box = ask<session_record_ptr>(actors.sessions, info_atom::value, session_id);
  run();
  return box;
}

} // namespace troupe::test
