#include "actors/run_log.hpp"

#include "actors/system_config.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <string>

using namespace troupe;

namespace {

struct virtual_config : system_config {
  virtual_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// A log in memory without a server, in which 1,000 bytes of events may wait for who reads it.
class log_alone {
public:
  log_alone() {
    run_log_setup setup;
    setup.run_id = "r";
    setup.window = 1000;
    setup.kept_bytes = 1u << 20;
    log = system_.spawn(run_log_behavior, setup);
  }
  ~log_alone() {
    caf::anon_send_exit(log, caf::exit_reason::kill);
    run();
  }

  /// What sends events, and counts how many of them are acknowledged.
  caf::actor source(std::uint64_t& acknowledged) {
    return system_.spawn([&acknowledged](caf::event_based_actor*) -> caf::behavior {
      return {[&acknowledged](consumed_atom, std::uint64_t events) { acknowledged += events; }};
    });
  }
  void tell(const caf::actor& source, std::size_t bytes) {
    caf::send_as(source, log, run_event(text_streamed{"a", std::string(bytes, 'x')}));
    run();
  }

  /// Somebody who asks for events when the test says so, and keeps the last answer.
  caf::actor reader(run_events_ptr& got) {
    return system_.spawn([this, &got](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self, &got](std::uint64_t after) {
        self->request(log, std::chrono::minutes(60), events_atom::value, after)
            .then([&got](const run_events_ptr& found) { got = found; }, [](const caf::error&) {});
      }};
    });
  }
  void ask(const caf::actor& reader, std::uint64_t after) {
    caf::anon_send(reader, after);
    run();
  }
  void tell_log(auto what) {
    caf::anon_send(log, what);
    run();
  }
  void end(const caf::actor& which) {
    caf::anon_send_exit(which, caf::exit_reason::user_shutdown);
    run();
  }

  run_log_actor log;

private:
  void run() {
    auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
    while (scheduler.has_job())
      scheduler.run_once();
  }

  virtual_config config_;
  caf::actor_system system_{config_};
};

} // namespace

TEST_CASE("a log that nobody reads holds no run back") {
  log_alone l;
  std::uint64_t acknowledged = 0;
  const auto run = l.source(acknowledged);
  for (int i = 0; i < 10; ++i)
    l.tell(run, 800);
  CHECK(acknowledged == 10);
  l.end(run);
}

TEST_CASE("runs that take turns in one log are both held back by its reader, and both go on") {
  log_alone l;
  std::uint64_t first_acknowledged = 0;
  std::uint64_t second_acknowledged = 0;
  run_events_ptr got;
  const auto first = l.source(first_acknowledged);
  const auto second = l.source(second_acknowledged);
  const auto reader = l.reader(got);
  l.ask(reader, 0);
  l.tell(first, 1);
  REQUIRE(got);
  CHECK(got->events.size() == 1);
  for (int i = 0; i < 5; ++i) {
    l.tell(second, 800);
    l.tell(first, 800);
  }
  CHECK(first_acknowledged == 1);
  CHECK(second_acknowledged == 1);
  for (std::uint64_t last = 1; last < 11; last = got->events.back().number)
    l.ask(reader, last);
  CHECK(first_acknowledged == 6);
  CHECK(second_acknowledged == 5);
  l.end(first);
  l.end(second);
  l.end(reader);
}

TEST_CASE("a reader that goes away holds nothing back, and is forgotten") {
  log_alone l;
  std::uint64_t acknowledged = 0;
  run_events_ptr got;
  const auto run = l.source(acknowledged);
  auto reader = l.reader(got);
  l.ask(reader, 0);
  l.tell(run, 2000);
  l.tell(run, 2000);
  CHECK(acknowledged == 1);
  l.ask(reader, 2);
  l.end(reader);
  const auto trace = caf::actor_cast<caf::weak_actor_ptr>(reader);
  reader = nullptr;
  CHECK(trace.get()->strong_refs == 0);
  l.tell(run, 2000);
  CHECK(acknowledged == 3);
  l.end(run);
}

TEST_CASE("readers get what there is in order, wait for more, and learn of the end") {
  log_alone l;
  std::uint64_t acknowledged = 0;
  run_events_ptr one;
  run_events_ptr other;
  const auto run = l.source(acknowledged);
  const auto first = l.reader(one);
  const auto late = l.reader(other);
  l.tell(run, 1);
  l.tell(run, 2);
  l.ask(late, 0);
  REQUIRE(other);
  REQUIRE(other->events.size() == 2);
  CHECK(other->events[0].number == 1);
  CHECK(other->events[1].number == 2);
  l.ask(first, 2);
  CHECK_FALSE(one);
  l.tell(run, 3);
  REQUIRE(one);
  REQUIRE(one->events.size() == 1);
  CHECK(one->events[0].number == 3);
  l.ask(first, 3);
  l.tell_log(finished_atom::value);
  CHECK(one->events.empty());
  CHECK(one->is_over);
  CHECK(one->last == 3);
  l.end(run);
  l.end(first);
  l.end(late);
}

TEST_CASE("who resumes a run reads from where it goes on, though it has gone on already") {
  log_alone l;
  std::uint64_t acknowledged = 0;
  run_events_ptr got;
  const auto run = l.source(acknowledged);
  const auto reader = l.reader(got);
  l.tell(run, 1);
  l.tell_log(finished_atom::value);
  l.tell_log(recover_atom::value);
  l.tell(run, 2);
  l.ask(reader, from_here);
  REQUIRE(got);
  REQUIRE(got->events.size() == 1);
  CHECK(got->events[0].number == 2);
  CHECK_FALSE(got->is_over);
  l.end(run);
  l.end(reader);
}

TEST_CASE("a log has no timer with the clock, which could be the last to hold it") {
  virtual_config config;
  caf::actor_system system(config);
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  const auto run = [&] {
    while (scheduler.has_job())
      scheduler.run_once();
  };
  // A store that is slow.
  int asked = 0;
  const auto store = system.spawn([&asked](caf::event_based_actor* self) -> caf::behavior {
    return {[self, &asked](head_atom, const std::string&) {
              ++asked;
              return self->make_response_promise();
            },
            [self, &asked](const session_append&) {
              ++asked;
              return self->make_response_promise();
            }};
  });
  run_log_setup setup;
  setup.run_id = "r";
  setup.store = caf::actor_cast<store_actor>(store);
  setup.is_journaled = true;
  setup.is_new = GENERATE(false, true);
  setup.window = 1000;
  const auto log = system.spawn(run_log_behavior, setup);
  caf::anon_send(log, run_event(text_streamed{"a", "text"}));
  run();
  CHECK(asked == 1);
  CHECK_FALSE(scheduler.has_pending_timeout());
  for (const auto& each : {caf::actor_cast<caf::actor>(log), store})
    caf::anon_send_exit(each, caf::exit_reason::kill);
  run();
}
