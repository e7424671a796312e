#pragma once

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>

#include <chrono>
#include <utility>

namespace troupe {

/// Like `self->request(whom, within, what...).then(ok, failed)`, for actors that live long and ask often:
/// takes the timer back once an answer has come. CAF 0.17 keeps it until it is due, which at a timeout of
/// minutes adds up to hundreds of megabytes under load. `Answer` is the type of the answer; `ok` takes it by
/// reference.
template <class Answer, class Self, class Handle, class Ok, class Failed, class... What>
void ask(Self* self, const Handle& whom, std::chrono::milliseconds within, Ok ok, Failed failed,
         What&&... what) {
  auto pending = self->request(whom, within, std::forward<What>(what)...);
  const auto take_timer_back = [self, id = pending.id()] {
    self->system().clock().cancel_request_timeout(self, id);
  };
  pending.then(
      [take_timer_back, ok = std::move(ok)](Answer& answer) mutable {
        take_timer_back();
        ok(answer);
      },
      [take_timer_back, failed = std::move(failed)](const caf::error& reason) mutable {
        take_timer_back();
        failed(reason);
      });
}

} // namespace troupe
