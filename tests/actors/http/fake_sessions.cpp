#include "tests/actors/http/fake_sessions.hpp"

#include "actors/error.hpp"
#include "actors/run_log.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/delegated.hpp>
#include <caf/result.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::testing {

namespace {

constexpr std::size_t flood_window = 16;
constexpr std::size_t flood_text = 16u << 10;

chat_reply reply_to(const chat_request& request) {
  chat_reply reply;
  reply.result = request.prompt;
  reply.session_id = request.session_id;
  reply.agent = request.agent.empty() ? "triage" : request.agent;
  reply.run_id = request.run_id;
  reply.used.add(reply.agent, "default", {.requests = 1, .input_tokens = 5, .output_tokens = 2});
  return reply;
}

std::vector<interruption> open_calls() {
  return {
      {"c1", interruption::kind::tool, "triage", "send", std::make_shared<const json>(json{{"to", "x"}})}};
}

/// A run is over: so is the log that watches it, if one does.
void end_log(const observer_actor& observer) {
  if (const auto log = caf::actor_cast<run_log_actor>(observer))
    caf::anon_send(log, finished_atom::value);
}

/// One run that has much to tell.
using flood_actor =
    caf::typed_actor<caf::replies_to<chat_request, observer_actor>::with<chat_reply>,
                     caf::reacts_to<consumed_atom, std::uint64_t>, caf::reacts_to<cancel_atom>>;

struct flood_state {
  chat_request request;
  observer_actor observer;
  caf::typed_response_promise<chat_reply> promise;
  std::shared_ptr<std::atomic<std::size_t>> flooded;
  std::size_t left = 0;
  std::size_t open = 0;
};

void flow(flood_actor::stateful_pointer<flood_state> self) {
  auto& state = self->state;
  for (; state.left > 0 && state.open < flood_window; --state.left, ++state.open) {
    self->send(state.observer, run_event(text_streamed{"triage", std::string(flood_text, 'x')}));
    *state.flooded += flood_text;
  }
  if (state.left > 0)
    return;
  state.promise.deliver(reply_to(state.request));
  end_log(state.observer);
  self->quit();
}

flood_actor::behavior_type flood(flood_actor::stateful_pointer<flood_state> self,
                                 std::shared_ptr<std::atomic<std::size_t>> flooded) {
  self->state.flooded = std::move(flooded);
  return {
      [self](const chat_request& request, const observer_actor& observer) {
        auto& state = self->state;
        state.request = request;
        state.observer = observer;
        state.promise = self->make_response_promise<chat_reply>();
        const auto count = request.prompt.substr(std::string_view("flood ").size());
        state.left = count == "for ever" ? SIZE_MAX : std::stoul(count);
        auto promise = state.promise;
        flow(self);
        return promise;
      },
      [self](consumed_atom, std::uint64_t count) {
        self->state.open -= count;
        flow(self);
      },
      [self](cancel_atom) {
        self->state.promise.deliver(to_caf(fail(errc::cancelled, "cancelled")));
        end_log(self->state.observer);
        self->quit();
      },
  };
}

struct fake_state {
  ~fake_state() {
    for (const auto& [id, log] : logs)
      caf::anon_send_exit(log, caf::exit_reason::user_shutdown);
  }
  std::shared_ptr<std::atomic<std::size_t>> flooded;
  struct held_chat {
    chat_request request;
    caf::typed_response_promise<chat_reply> promise;
    observer_actor observer;
  };
  std::vector<held_chat> held;
  std::map<std::string, run_log_actor> logs;
  std::vector<std::pair<std::size_t, caf::typed_response_promise<std::size_t>>> waiting;
  std::vector<flood_actor> floods;
  std::vector<std::string> cancelled;
  std::vector<caf::typed_response_promise<std::string>> wait_for_cancelled;

  void tell_waiting() {
    for (auto& [count, promise] : waiting)
      if (held.size() >= count)
        promise.deliver(held.size());
    std::erase_if(waiting, [this](const auto& each) { return held.size() >= each.first; });
    for (auto& promise : wait_for_cancelled)
      if (!cancelled.empty())
        promise.deliver(cancelled.front());
    if (!cancelled.empty())
      wait_for_cancelled.clear();
  }
};

using fake_pointer = fake_sessions_actor::stateful_pointer<fake_state>;

void tell(fake_pointer self, const observer_actor& observer, run_event what) {
  if (observer)
    self->send(observer, std::move(what));
}

void tell_start(fake_pointer self, const observer_actor& observer, const std::string& run_id,
                const std::string& session_id) {
  tell(self, observer, run_started{run_id, session_id});
  tell(self, observer, agent_started{"triage"});
  tell(self, observer, text_streamed{"triage", "Hel"});
}

/// Takes a word and the blank after it off a text that begins with it.
bool take(std::string& text, std::string_view word) {
  if (!text.starts_with(word))
    return false;
  text.erase(0, word.size());
  return true;
}

std::optional<error> failure_of(std::string prompt) {
  if (!take(prompt, "fail "))
    return std::nullopt;
  auto failure = fail(static_cast<errc>(std::stoi(prompt)), "as asked");
  if (failure.code == errc::budget_exceeded)
    failure.facts = std::make_shared<const json>(json{{"kind", "turns"}, {"code", "not this one"}});
  return failure;
}

/// What a prompt that was held comes to.
void let_go(chat_request request, caf::typed_response_promise<chat_reply>& promise) {
  take(request.prompt, "hold ");
  if (const auto failure = failure_of(request.prompt))
    promise.deliver(to_caf(*failure));
  else
    promise.deliver(reply_to(request));
}

observer_actor watcher(fake_pointer self, const std::string& run_id, bool is_logged) {
  if (!is_logged)
    return {};
  run_log_setup setup;
  setup.run_id = run_id;
  setup.window = 64u << 10;
  setup.kept_bytes = 1u << 20;
  return self->state.logs[run_id] = self->spawn(run_log_behavior, std::move(setup));
}

caf::result<chat_reply> chat(fake_pointer self, chat_request request) {
  const auto observer = watcher(self, request.run_id, request.is_logged);
  if (take(request.prompt, "told "))
    tell_start(self, observer, request.run_id, request.session_id);
  if (const auto failure = failure_of(request.prompt)) {
    end_log(observer);
    return to_caf(*failure);
  }
  if (request.prompt.starts_with("flood ")) {
    self->state.floods.push_back(self->spawn(flood, self->state.flooded));
    return self->delegate(self->state.floods.back(), std::move(request), observer);
  }
  if (request.prompt == "pause") {
    auto paused = reply_to(request);
    paused.result.clear();
    paused.status = run_status::paused;
    paused.interruptions = open_calls();
    end_log(observer);
    return paused;
  }
  if (!request.prompt.starts_with("hold")) {
    end_log(observer);
    return reply_to(request);
  }
  auto promise = self->make_response_promise<chat_reply>();
  self->state.held.push_back({std::move(request), promise, observer});
  self->state.tell_waiting();
  return promise;
}

caf::result<chat_reply> resume(fake_pointer self, const resume_request& request) {
  if (request.run_id == "run_over")
    return to_caf(fail(errc::conflict, "the run is not paused"));
  if (request.run_id != "run_paused")
    return to_caf(fail(errc::unknown_run, "there is no such run"));
  const auto observer = watcher(self, request.run_id, request.is_logged);
  tell_start(self, observer, request.run_id, "known");
  end_log(observer);
  chat_request said;
  said.session_id = "known";
  said.run_id = request.run_id;
  for (const auto& each : request.decisions)
    said.prompt += (each.what == decision::verdict::approve ? "+" : "-") + each.id + each.message;
  return reply_to(said);
}

caf::result<run_record_ptr> show(const std::string& run_id) {
  run_record record;
  record.run_id = run_id;
  record.session_id = "known";
  record.agent = "triage";
  record.items = {user_message{"Hi"}};
  if (run_id == "run_over") {
    record.status = run_status::completed;
    record.result = "done";
  } else if (run_id == "run_paused") {
    record.status = run_status::paused;
    record.interruptions = open_calls();
  } else if (run_id != "run_known") {
    return to_caf(fail(errc::unknown_run, "there is no such run"));
  }
  return std::make_shared<const run_record>(std::move(record));
}

caf::result<run_record_ptr> cancel(fake_pointer self, const std::string& run_id, cancel_mode mode) {
  if (run_id == "run_over")
    return to_caf(fail(errc::conflict, "the run is over"));
  for (const auto& each : self->state.floods)
    caf::anon_send(each, cancel_atom::value);
  self->state.cancelled.push_back(run_id + (mode == cancel_mode::after_turn ? " after its turn" : ""));
  self->state.tell_waiting();
  return show(run_id);
}

session_record_ptr known_session() {
  session_record record;
  record.agent = "helper";
  record.items = {user_message{"Hi"}, assistant_message{"helper", "Hello"}};
  return std::make_shared<const session_record>(std::move(record));
}

fake_sessions_actor::behavior_type fake_sessions(fake_pointer self,
                                                 std::shared_ptr<std::atomic<std::size_t>> flooded) {
  self->state.flooded = std::move(flooded);
  return {
      [self](const chat_request& request) { return chat(self, request); },
      [self](const chat_request& request, const observer_actor&) { return chat(self, request); },
      [self](const resume_request& request, const observer_actor&) { return resume(self, request); },
      [](run_atom, const std::string& run_id) { return show(run_id); },
      [self](cancel_atom, const std::string& run_id, cancel_mode mode) { return cancel(self, run_id, mode); },
      [](info_atom, const std::string& id) -> caf::result<session_record_ptr> {
        if (id != "known" && id != "a/b%c")
          return to_caf(fail(errc::unknown_session, "there is no session '" + id + "'"));
        return known_session();
      },
      [](erase_atom, const std::string& id) -> caf::result<acknowledgement> {
        if (id != "known")
          return to_caf(fail(errc::unknown_session, "there is no session '" + id + "'"));
        return acknowledgement{};
      },
      [](run_atom, const std::string& run_id, const caller&) { return show(run_id); },
      [](head_atom, const std::string& run_id, const caller&) { return show(run_id); },
      [self](cancel_atom, const std::string& run_id, cancel_mode mode, const caller&) {
        return cancel(self, run_id, mode);
      },
      [](info_atom, const std::string& id, const caller&) -> caf::result<session_record_ptr> {
        if (id != "known" && id != "a/b%c")
          return to_caf(fail(errc::unknown_session, "there is no session '" + id + "'"));
        return known_session();
      },
      [](erase_atom, const std::string& id, const caller&) -> caf::result<acknowledgement> {
        if (id != "known")
          return to_caf(fail(errc::unknown_session, "there is no session '" + id + "'"));
        return acknowledgement{};
      },
      [self](events_atom, const std::string& run_id, const caller&,
             const std::string&) -> caf::result<caf::strong_actor_ptr> {
        const auto log = self->state.logs.find(run_id);
        if (log == self->state.logs.end())
          return to_caf(fail(errc::unknown_run, "there is no such run"));
        return caf::actor_cast<caf::strong_actor_ptr>(log->second);
      },
      [](stop_atom, caf::timespan) { return acknowledgement{}; },
      [](finished_atom, const std::string&, std::uint64_t) {},
      [](finished_atom, const run_record_ptr&) {},
      [](recover_atom, const std::string&, const adopted_runs_ptr&) { return acknowledgement{}; },
      [](erase_atom, const std::string&, acknowledgement) {},
      [self](held_atom, std::size_t count) {
        auto promise = self->make_response_promise<std::size_t>();
        self->state.waiting.emplace_back(count, promise);
        self->state.tell_waiting();
        return promise;
      },
      [self](release_atom) {
        const auto released = std::exchange(self->state.held, {});
        for (auto [request, promise, observer] : released) {
          let_go(request, promise);
          end_log(observer);
        }
        return released.size();
      },
      [self](cancelled_atom) {
        auto promise = self->make_response_promise<std::string>();
        self->state.wait_for_cancelled.push_back(promise);
        self->state.tell_waiting();
        return promise;
      },
      [](consumed_atom, std::uint64_t) {},
  };
}

} // namespace

fake_sessions_actor spawn_fake_sessions(caf::actor_system& system,
                                        std::shared_ptr<std::atomic<std::size_t>> flooded) {
  return system.spawn(fake_sessions, std::move(flooded));
}

} // namespace troupe::testing
