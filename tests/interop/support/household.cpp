#include "tests/interop/support/household.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <poll.h>

namespace troupe::test {

namespace {

runtime_options one_agent(std::vector<config::mcp_server_options> servers) {
  runtime_options options;
  agent_definition helper;
  helper.name = "helper";
  for (const auto& server : servers)
    helper.mcp_servers.push_back(server.name);
  options.config.agents = {helper};
  options.config.mcp_servers = std::move(servers);

  scripted::script script;
  scripted::rule add;
  add.when.user = scripted::compile_pattern("^add").value();
  add.calls = {{"add", {{"a", 20}, {"b", 22}}}};
  scripted::rule sum;
  sum.when.tool = "add";
  sum.say = "It is {{output}}.";
  scripted::rule otherwise;
  otherwise.say = "I am here.";
  script.rules = {add, sum, otherwise};
  options.config.models.push_back({"default", script});
  return options;
}

caf::behavior asker_behavior(caf::event_based_actor* self) {
  return {[self](const question& what) { what.run(self); }};
}

using answer_ptr = std::shared_ptr<std::promise<watched_reply>>;
using event_handler = std::function<void(const run_event&)>;

} // namespace

/// Tells a watcher how its run has ended.
struct run_end {
  std::shared_ptr<result<chat_reply>> outcome;
};

} // namespace troupe::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::test::run_end)

namespace troupe::test {

namespace {

using watcher_actor = observer_actor::extend<caf::reacts_to<run_end>>;

watcher_actor::behavior_type watcher_behavior(watcher_actor::pointer self, const answer_ptr& answer,
                                              const event_handler& each) {
  auto seen = std::make_shared<std::vector<run_event>>();
  return {
      [self, seen, each](const run_event& what) {
        seen->push_back(what);
        if (each)
          each(what);
        caf::anon_send(caf::actor_cast<caf::actor>(self->current_sender()), consumed_atom::value,
                       std::uint64_t{1});
      },
      [self, seen, answer](const run_end& end) {
        answer->set_value({std::move(*end.outcome), std::move(*seen)});
        self->quit();
      },
  };
}

} // namespace

household::household(runtime_options options) : system_(config_), asker_(system_.spawn(asker_behavior)) {
  auto started = runtime::start(system_, std::move(options));
  if (!started)
    caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
  runtime_ = std::make_unique<runtime>(std::move(started).value());
}

household::household(std::vector<config::mcp_server_options> servers)
    : household(one_agent(std::move(servers))) {}

household::~household() {
  runtime_.reset();
  caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
}

template <class T, class Handle, class... Args>
std::future<result<T>> household::ask(const Handle& handle, Args... what) {
  auto answer = std::make_shared<std::promise<result<T>>>();
  auto future = answer->get_future();
  caf::anon_send(asker_, question{[answer, handle, what...](caf::event_based_actor* self) {
                   self->request(handle, std::chrono::minutes(10), what...)
                       .then([answer](const T& value) { answer->set_value(value); },
                             [answer](const caf::error& reason) { answer->set_value(from_caf(reason)); });
                 }});
  return future;
}

mcp_server_actor household::server(const std::string& name) const {
  for (const auto& [known, handle] : runtime_->mcp_servers())
    if (known == name)
      return handle;
  throw std::runtime_error("the test knows no server " + name);
}

std::future<tool_result> household::call(const std::string& name, const std::string& tool, json arguments,
                                         call_key key) {
  tool_invocation what;
  what.key = key != 0 ? key : next_key_++;
  what.tool = tool;
  what.arguments = std::make_shared<const json>(std::move(arguments));
  auto answer = std::make_shared<std::promise<tool_result>>();
  auto future = answer->get_future();
  caf::anon_send(asker_, question{[answer, to = server(name), what](caf::event_based_actor* self) {
                   self->request(to, std::chrono::minutes(10), what)
                       .then([answer](const tool_result& result) { answer->set_value(result); },
                             [answer](const caf::error& reason) {
                               answer->set_exception(std::make_exception_ptr(
                                   std::runtime_error("no answer: " + from_caf(reason).detail)));
                             });
                 }});
  return future;
}

void household::cancel(const std::string& name, call_key key) {
  // The way that calls take, lest it overtake one.
  caf::anon_send(asker_, question{[to = server(name), key](caf::event_based_actor* self) {
                   self->send(to, cancel_atom::value, key);
                 }});
}

std::vector<std::string> household::tools(const std::string& name) {
  const auto listed = await(ask<shared_tools>(server(name), tools_atom::value)).value();
  std::vector<std::string> names;
  for (const auto& tool : *listed)
    names.push_back(tool.name);
  return names;
}

mcp_status household::status(const std::string& name) {
  return await(ask<mcp_status>(server(name), status_atom::value)).value();
}

mcp_status household::status_when(const std::string& name,
                                  const std::function<bool(const mcp_status&)>& holds) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    auto now = status(name);
    if (holds(now))
      return now;
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("server " + name + " stays " + std::string(to_string(now.state)) + ": " +
                               now.last_error);
    // Nobody tells of a change of state, so it is asked for again and again, at a pace that leaves the
    // processor to the server.
    ::poll(nullptr, 0, 5);
  }
}

std::future<result<chat_reply>> household::chat(const std::string& prompt, const std::string& session_id) {
  chat_request request;
  request.prompt = prompt;
  request.session_id = session_id;
  request.is_new = true;
  return ask<chat_reply>(runtime_->sessions(), std::move(request));
}

std::future<watched_reply> household::watch(chat_request request, event_handler each) {
  auto answer = std::make_shared<std::promise<watched_reply>>();
  auto future = answer->get_future();
  const auto watcher = system_.spawn(watcher_behavior, answer, std::move(each));
  // The run's events are in the watcher's mailbox before its end.
  const auto tell_end = [watcher](result<chat_reply> outcome) {
    caf::anon_send(watcher, run_end{std::make_shared<result<chat_reply>>(std::move(outcome))});
  };
  caf::anon_send(asker_, question{[tell_end, watcher, request = std::move(request),
                                   sessions = runtime_->sessions()](caf::event_based_actor* self) {
                   self->request(sessions, std::chrono::minutes(10), request, observer_actor(watcher))
                       .then([tell_end](const chat_reply& reply) { tell_end(reply); },
                             [tell_end](const caf::error& reason) { tell_end(from_caf(reason)); });
                 }});
  return future;
}

std::future<result<session_record_ptr>> household::session(const std::string& session_id) {
  return ask<session_record_ptr>(runtime_->sessions(), info_atom::value, session_id);
}

std::string text_of(const tool_result& result) {
  return plain_text(result.parts);
}

} // namespace troupe::test
