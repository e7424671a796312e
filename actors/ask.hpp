#pragma once

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/duration.hpp>
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

/// The same without a bound, for actors that end when nobody has their handle any more. CAF's clock may hold
/// the last one, in a timer that was taken back: it then ends the actor on its own thread, which has the
/// clock told to forget the actor's timers, and waits for ever where the clock's queue is full. Whoever is
/// asked has to answer or to end, as stores do.
template <class Answer, class Self, class Handle, class Ok, class Failed, class... What>
void ask_untimed(Self* self, const Handle& whom, Ok ok, Failed failed, What&&... what) {
  self->request(whom, caf::infinite, std::forward<What>(what)...)
      .then([ok = std::move(ok)](Answer& answer) mutable { ok(answer); },
            [failed = std::move(failed)](const caf::error& reason) mutable { failed(reason); });
}

} // namespace troupe
