#pragma once

#include "actors/io/http_client.hpp"
#include "libagent/auth/key_set.hpp"
#include "libagent/auth/refetch.hpp"
#include "libagent/config/server_security.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::http {

/// The keys that tokens are checked with: from a file, or from a URL, and then fetched again now and then.
/// Keys that were fetched stay in use while newer ones cannot be. Reactor thread only, but for the
/// constructor.
class token_keys {
public:
  using clock = std::chrono::steady_clock;

  /// `on_fetched` is called after each fetch, whatever came of it, until this object is gone.
  token_keys(io::reactor& io, std::optional<config::jwt_options> options, std::function<void()> on_fetched);
  ~token_keys();

  /// Reads the file, or begins to fetch. Error `invalid_config` if the keys of a file cannot be used.
  result<void> open(clock::time_point now);
  /// Null while there are none.
  const auth::key_set* current() const noexcept { return keys_.get(); }
  /// Begins to fetch if somebody shows a token that might be signed by a newer key, unless that was tried a
  /// short while ago. Whether `on_fetched` will be called.
  bool fetch_for_stranger(clock::time_point now);
  /// Whether `fetch_for_stranger` would say so too.
  bool can_fetch(clock::time_point now) const {
    return client_ != nullptr && (schedule_.is_running() || schedule_.is_due_for_stranger(now));
  }
  /// Begins to fetch if the keys have become old.
  void keep_fresh(clock::time_point now);

private:
  result<void> read_file();
  result<void> make_client();
  void fetch(clock::time_point now);
  void fetched(const std::optional<io::http_response>& response, const io::http_failure& why);
  void take(result<auth::key_set> keys);

  io::reactor& io_;
  std::optional<config::jwt_options> options_;
  std::function<void()> on_fetched_;
  std::shared_ptr<const auth::key_set> keys_;
  auth::refetch schedule_;
  /// Null for a file. Last: its end ends what is under way.
  std::unique_ptr<io::http_client> client_;
};

} // namespace troupe::http
