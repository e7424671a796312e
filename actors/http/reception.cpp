#include "actors/http/reception.hpp"

#include "actors/http/defaults.hpp"
#include "actors/http/routes.hpp"
#include "actors/io/log.hpp"

#include <exception>
#include <utility>

namespace troupe::http {

reception::reception(io::reactor& io, const config::server_options& options, handlers events,
                     std::function<clock::time_point()> now)
    : events_(std::move(events)), now_(std::move(now)), door_(options),
      // Safe with `this`: the keys go down first.
      keys_(io, options.auth.jwt, [this] { keys_fetched(); }) {}

result<void> reception::open() {
  return keys_.open(now_());
}

void reception::receive(const std::shared_ptr<exchange>& request) {
  request->more_headers = headers_for(request->from());
  let_in(request, true);
}

void reception::let_in(const std::shared_ptr<exchange>& request, bool may_wait) {
  auto entered = ask(&door::admit, request->from());
  if (auto* refusal = std::get_if<answer>(&entered))
    return events_.on_refused(*request, std::move(*refusal));
  if (const auto* who = std::get_if<auth::identity>(&entered))
    return events_.on_entered(request, *who);
  if (may_wait)
    wait_for_keys(request);
  else
    refuse_token(*request);
}

entry reception::ask(entry (door::*how)(const visitor&, const auth::key_set*, const door::times&),
                     const visitor& from) {
  try {
    return (door_.*how)(from, keys_.current(), {std::chrono::system_clock::now(), now_()});
  } catch (const std::exception& thrown) {
    log().error("http: {} {}: {}", from.method, path_of(from.target), thrown.what());
    return refuse(fail(errc::internal, "an exception in the front end"));
  }
}

std::optional<answer> reception::refuse_body(const visitor& from) {
  auto seen = ask(&door::look, from);
  if (std::holds_alternative<auth::identity>(seen))
    return std::nullopt;
  if (std::holds_alternative<auth::keys_wanted>(seen)) {
    if (keys_.can_fetch(now_()))
      return std::nullopt;
    seen = door::refuse_token(keys_.current() != nullptr);
  }
  auto& refusal = std::get<answer>(seen);
  refusal.close = true;
  return std::move(refusal);
}

void reception::wait_for_keys(const std::shared_ptr<exchange>& request) {
  if (!keys_.fetch_for_stranger(now_()))
    return refuse_token(*request);
  if (waiting_.size() >= defaults::max_waiting_for_keys)
    return events_.on_refused(*request, door::refuse_token(false));
  waiting_.push_back(request);
}

void reception::refuse_token(exchange& request) {
  events_.on_refused(request, door::refuse_token(keys_.current() != nullptr));
}

void reception::keys_fetched() {
  // By now the next fetch may be due: who waited for this one does not wait for that too.
  for (const auto& request : std::exchange(waiting_, {}))
    let_in(request, false);
}

void reception::refuse_waiting(const answer& value) {
  for (const auto& request : std::exchange(waiting_, {}))
    events_.on_refused(*request, value);
}

} // namespace troupe::http
