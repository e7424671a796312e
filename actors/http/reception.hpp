#pragma once

#include "actors/http/door.hpp"
#include "actors/http/token_keys.hpp"
#include "actors/http/wire.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace troupe::http {

/// The door, with the keys of tokens and a place to wait for them. Reactor thread only, but for the
/// constructor.
class reception {
public:
  using clock = token_keys::clock;

  struct handlers {
    /// Somebody may come in.
    std::function<void(const std::shared_ptr<exchange>&, const auth::identity&)> on_entered;
    /// The request has its answer.
    std::function<void(exchange&, answer)> on_refused;
  };

  /// Each request that it receives comes to one of the handlers, once, unless this object is gone first.
  reception(io::reactor& io, const config::server_options& options, handlers events,
            std::function<clock::time_point()> now = clock::now);

  /// Reads the keys' file, or begins to fetch them. Error `invalid_config`.
  result<void> open();
  void receive(const std::shared_ptr<exchange>& request);
  /// The answer to a request that need not be read to its end, since it would not be let in by what is known
  /// now, or wants nothing that has a body.
  std::optional<answer> refuse_body(const visitor& from);
  /// Goes with every answer to that request.
  header_lines headers_for(const visitor& from) const { return door_.cors_headers(from); }
  /// To be called now and then.
  void keep_keys_fresh() { keys_.keep_fresh(now_()); }
  /// Refuses all who wait.
  void refuse_waiting(const answer& value);

private:
  /// Who is not known by the keys that are there waits for newer ones, if `may_wait`; else is refused.
  void let_in(const std::shared_ptr<exchange>& request, bool may_wait);
  /// Asks the door: `door::look` or `door::admit`.
  entry ask(entry (door::*how)(const visitor&, const auth::key_set*, const door::times&),
            const visitor& from);
  void wait_for_keys(const std::shared_ptr<exchange>& request);
  void refuse_token(exchange& request);
  void keys_fetched();

  handlers events_;
  std::function<clock::time_point()> now_;
  door door_;
  std::vector<std::shared_ptr<exchange>> waiting_;
  token_keys keys_;
};

} // namespace troupe::http
