#include "tests/actors/support/stage.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::test {

namespace {

using test_model_actor = model_actor::extend<caf::reacts_to<task>>;
using test_tool_actor = tool_actor::extend<caf::reacts_to<task>>;

test_model_actor::behavior_type fake_model_behavior(test_model_actor::pointer self,
                                                    std::shared_ptr<fake_model> model) {
  return {
      [self, model](const model_call& what) {
        auto promise = self->make_response_promise<model_response>();
        model->calls.push_back({what.key, what.request, promise});
        return promise;
      },
      [model](cancel_atom, call_key key) { model->cancelled.push_back(key); },
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

std::string short_form(const run_event& what) {
  if (const auto* started = std::get_if<agent_started>(&what))
    return "agent:" + started->agent;
  if (const auto* handed = std::get_if<handed_off>(&what))
    return "handoff:" + handed->from + ">" + handed->to;
  if (const auto* aside = std::get_if<said>(&what))
    return "said:" + aside->text;
  if (const auto* tool = std::get_if<tool_started>(&what))
    return "tool:" + tool->tool;
  return "done:" + std::get<tool_finished>(what).tool;
}

observer_actor::behavior_type observer_behavior(observer_actor::pointer, std::vector<std::string>* events) {
  return {[events](const run_event& what) { events->push_back(short_form(what)); }};
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
        tool_call{"c" + std::to_string(response.output.size()), std::move(name), std::move(arguments), ""});
  if (!aside.empty())
    response.output.insert(response.output.begin(), assistant_message{"", std::move(aside)});
  answer(std::move(response));
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
  observer_ = system_->spawn(observer_behavior, &events);
  run();
}

stage::~stage() {
  if (actors.sessions) {
    caf::anon_send_exit(actors.sessions, caf::exit_reason::user_shutdown);
    run();
    caf::anon_send_exit(actors.store, caf::exit_reason::user_shutdown);
    for (const auto& [name, agent] : *actors.agents)
      caf::anon_send_exit(agent, caf::exit_reason::user_shutdown);
    for (const auto& [name, handle] : actors.models)
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
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
  actors = made.value();
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

void stage::advance(std::chrono::milliseconds time) {
  scheduler_->advance_time(time);
  run();
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
