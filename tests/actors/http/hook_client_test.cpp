#include "actors/hook_client.hpp"

#include "actors/error.hpp"
#include "tests/actors/http/front_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <future>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// A hook that never answers by itself: the front end, whose sessions hold what they are told.
struct held_hook : front_fixture {
  held_hook() {
    options.url = "http://127.0.0.1:" + std::to_string(port()) + "/api/v1/chat";
    options.timeout = 60s;
    hook = spawn_hook_client(system, options, make_hook_client(*reactor, options).value(), {});
  }
  ~held_hook() { caf::anon_send_exit(hook, caf::exit_reason::user_shutdown); }

  /// An actor that tells the hook of a point; the future has whether the run may go on.
  std::pair<caf::actor, std::future<bool>> tell() {
    auto told = std::make_shared<std::promise<bool>>();
    auto outcome = told->get_future();
    const auto facts = json{{"prompt", "told hold"}, {"stream", true}};
    hook_call call{hook_point::before_run, "run_1", "s1", "triage", std::make_shared<const json>(facts)};
    auto asker = system.spawn([this, told, call](caf::event_based_actor* self) {
      self->request(hook, options.timeout, call)
          .then([told](acknowledgement) { told->set_value(true); },
                [told](const caf::error&) { told->set_value(false); });
    });
    return {asker, std::move(outcome)};
  }

  system_config base;
  caf::actor_system system{base};
  config::hook_options options;
  hook_actor hook;
};

} // namespace

TEST_CASE_METHOD(held_hook, "a hook's request whose asker is gone is cancelled, and no other") {
  auto [asker, ignored] = tell();
  wait_for_held(1);
  auto [other, outcome] = tell();
  wait_for_held(2);
  caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  CHECK(wait_for_cancelled().starts_with("run_"));
  release();
  REQUIRE(outcome.wait_for(20s) == std::future_status::ready);
  CHECK(outcome.get());
}
