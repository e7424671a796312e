#include "actors/http/run_stream.hpp"

#include "actors/system_config.hpp"
#include "tests/actors/http/fake_sessions.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using namespace troupe::testing;

namespace {

struct virtual_config : system_config {
  virtual_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// A stream whose run waits, without a server, on CAF's scheduler of virtual time. 1,000 bytes of events may
/// wait in it.
class waiting_stream {
public:
  waiting_stream() {
    chat_request request;
    request.prompt = "hold";
    stream = http::spawn_run_stream(system_, {.id = 1,
                                              .way_out = {},
                                              .sessions = sessions_,
                                              .what = std::move(request),
                                              .timeout = std::chrono::hours(1),
                                              .buffer_bytes = 1000});
    run();
  }
  ~waiting_stream() {
    caf::anon_send_exit(stream, caf::exit_reason::kill);
    caf::anon_send_exit(sessions_, caf::exit_reason::kill);
    run();
  }

  /// What sends events, and counts how many of them are acknowledged.
  caf::actor source(std::uint64_t& acknowledged) {
    return system_.spawn([&acknowledged](caf::event_based_actor*) -> caf::behavior {
      return {[&acknowledged](consumed_atom, std::uint64_t events) { acknowledged += events; }};
    });
  }
  void tell(const caf::actor& source, std::size_t bytes) {
    caf::send_as(source, stream, run_event(text_streamed{"a", std::string(bytes, 'x')}));
    run();
  }
  void taken(std::uint64_t bytes) {
    caf::anon_send(stream, http::written_atom::value, bytes);
    run();
  }
  void end(const caf::actor& source) {
    caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
    run();
  }

  http::run_stream_actor stream;

private:
  void run() {
    auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
    while (scheduler.has_job())
      scheduler.run_once();
  }

  virtual_config config_;
  caf::actor_system system_{config_};
  fake_sessions_actor sessions_ = spawn_fake_sessions(system_, std::make_shared<std::atomic<std::size_t>>(0));
};

} // namespace

TEST_CASE("runs that take turns on one stream are both held back, and both go on") {
  waiting_stream s;
  std::uint64_t first_acknowledged = 0;
  std::uint64_t second_acknowledged = 0;
  const auto first = s.source(first_acknowledged);
  const auto second = s.source(second_acknowledged);
  s.tell(first, 800);
  CHECK(first_acknowledged == 1);
  for (int i = 0; i < 10; ++i) {
    s.tell(second, 800);
    s.tell(first, 800);
  }
  CHECK(first_acknowledged == 1);
  CHECK(second_acknowledged == 0);
  s.taken(1'000'000);
  CHECK(first_acknowledged == 11);
  CHECK(second_acknowledged == 10);
  s.tell(second, 1);
  CHECK(second_acknowledged == 11);
  s.end(first);
  s.end(second);
}

TEST_CASE("a stream forgets runs that have ended, and goes on with the others") {
  waiting_stream s;
  std::uint64_t gone_acknowledged = 0;
  std::uint64_t other_acknowledged = 0;
  auto gone = s.source(gone_acknowledged);
  const auto other = s.source(other_acknowledged);
  s.tell(gone, 2000);
  s.tell(other, 2000);
  const auto trace = caf::actor_cast<caf::weak_actor_ptr>(gone);
  s.end(gone);
  gone = nullptr;
  // Nobody but this test knows it any more.
  CHECK(trace.get()->weak_refs == 1);
  s.taken(1'000'000);
  CHECK(gone_acknowledged == 0);
  CHECK(other_acknowledged == 1);
  s.end(other);
}
