#pragma once

#include "actors/error.hpp"
#include "apps/troupe/channel.hpp"
#include "apps/troupe/stop_signals.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <variant>

namespace troupe::cli {

/// An answer of type `T`, or why there is none, or the number of the signal that came first.
template <class T>
using answer = std::variant<T, error, int>;

/// Asks an actor and waits for its answer, in the main thread.
template <class T, class Handle, class... Ts>
answer<T> ask(caf::actor_system& system, stop_signals& signals, const Handle& whom,
              std::chrono::milliseconds timeout, Ts... words) {
  const auto out = std::make_shared<channel<std::variant<T, error>>>();
  const auto asker = system.spawn([=](caf::event_based_actor* self) {
    self->request(whom, timeout, words...)
        .then([out](const T& value) { out->push(value); },
              [out](const caf::error& reason) { out->push(from_caf(reason)); });
  });
  while (true) {
    if (const auto number = signals.wait(out->descriptor())) {
      caf::anon_send_exit(asker, caf::exit_reason::kill);
      return *number;
    }
    if (auto came = out->pop()) {
      if (auto* value = std::get_if<T>(&*came))
        return std::move(*value);
      return std::get<error>(std::move(*came));
    }
  }
}

} // namespace troupe::cli
