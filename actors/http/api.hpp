#pragma once

#include "actors/http/answer.hpp"
#include "actors/http/routes.hpp"
#include "actors/run_event.hpp"
#include "actors/run_requests.hpp"
#include "libagent/auth/authenticator.hpp"
#include "libagent/config/config.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::http {

/// A request as it came off the wire; lives no longer than the call it is handed to.
struct request_view {
  std::string_view method;
  std::string_view target;
  /// Nothing if the header is missing.
  std::optional<std::string_view> content_type;
  std::string_view body;
  /// Nothing if the header is missing or empty.
  std::optional<std::string_view> accept{};
  /// Nothing if the header is missing.
  std::optional<std::string_view> idempotency_key{};
  std::optional<std::string_view> last_event_id{};
  /// The name of one of these headers that is there more than once, though it may not be; else empty.
  std::string_view twice{};
};

/// Names a request that waits for its answer.
using request_id = std::uint64_t;

// What a request asks of the actors.

struct show_run {
  std::string run_id;
  /// Only the head that its events would have is wanted (HEAD).
  bool as_events = false;
};
/// Reads along.
struct show_events {
  std::string run_id;
  /// The last that the client has.
  std::uint64_t last_event = 0;
};
struct cancel_run {
  std::string run_id;
  cancel_mode mode = cancel_mode::at_once;
};

struct show_session {
  std::string session_id;
};
struct forget_session {
  std::string session_id;
};
struct list_servers {};
struct show_system {};
struct show_metrics {};

using call = std::variant<chat_request, resume_request, show_run, show_events, cancel_run, show_session,
                          forget_session, list_servers, show_system, show_metrics>;

/// Whether the call is answered by a stream of events.
bool is_streamed(const call& what) noexcept;
/// Whether it matters that its client goes away before it is answered.
bool ends_with_client(const call& what) noexcept;

/// How a request goes on: it is answered at once, or is a call of an actor.
using decision = std::variant<answer, call>;

/// What is wrong with a request below the level of HTTP messages.
enum class fault : std::uint8_t {
  none,
  bad_request,
  body_too_large,
  target_too_long,
  headers_too_large,
  /// It can be read, but is refused for its head, and its body is not.
  refused
};

/// Decides on requests. Pure and thread-safe.
class api {
public:
  api(const config::server_options& options, std::vector<std::string> agents);

  /// Decides on a well-formed request of somebody who may come in. A chat without a session keeps
  /// `session_id` empty.
  decision decide(const request_view& request, const auth::identity& who = {}) const;

  /// Answers a request that cannot be read. The connection is closed afterwards.
  answer refuse_fault(fault what) const;

private:
  decision decide_chat(const request_view& request, const auth::identity& who) const;
  answer list_agents(const auth::identity& who) const;
  decision decide_run(endpoint what, std::string_view parameter, const request_view& request) const;
  decision decide_session(std::string_view parameter, bool forget) const;

  std::size_t max_body_bytes_;
  std::size_t max_json_depth_;
  std::vector<std::string> agents_;
  answer health_;
  answer agent_list_;
  answer openapi_;
};

} // namespace troupe::http
