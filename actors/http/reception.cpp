#include "actors/http/reception.hpp"

#include "actors/http/defaults.hpp"
#include "actors/http/routes.hpp"
#include "actors/io/log.hpp"

#include <exception>
#include <utility>

namespace troupe::http {

reception::reception(io::reactor& io, const config::server_options& options, handlers events)
    : events_(std::move(events)), door_(options),
      // Safe with `this`: the keys go down first.
      keys_(io, options.auth.jwt, [this] { keys_fetched(); }) {}

result<void> reception::open() {
  return keys_.open(clock::now());
}

void reception::receive(const std::shared_ptr<exchange>& request) {
  request->more_headers = door_.cors_headers(request->from());
  let_in(request);
}

void reception::let_in(const std::shared_ptr<exchange>& request) {
  auto entered = admit(request->from());
  if (auto* refusal = std::get_if<answer>(&entered))
    return events_.on_refused(*request, std::move(*refusal));
  if (const auto* who = std::get_if<auth::identity>(&entered))
    return events_.on_entered(request, *who);
  wait_for_keys(request);
}

entry reception::admit(const visitor& from) {
  try {
    return door_.admit(from, keys_.current(), {std::chrono::system_clock::now(), clock::now()});
  } catch (const std::exception& thrown) {
    log().error("http: {} {}: {}", from.method, path_of(from.target), thrown.what());
    return refuse(fail(errc::internal, "an exception in the front end"));
  }
}

void reception::wait_for_keys(const std::shared_ptr<exchange>& request) {
  if (!keys_.fetch_for_stranger(clock::now()))
    return events_.on_refused(*request, door::refuse_token(keys_.current() != nullptr));
  if (waiting_.size() >= defaults::max_waiting_for_keys)
    return events_.on_refused(*request, door::refuse_token(false));
  waiting_.push_back(request);
}

void reception::keys_fetched() {
  for (const auto& request : std::exchange(waiting_, {}))
    let_in(request);
}

void reception::refuse_waiting(const answer& value) {
  for (const auto& request : std::exchange(waiting_, {}))
    events_.on_refused(*request, value);
}

} // namespace troupe::http
