#include "actors/http/api.hpp"

#include "actors/http/chat_body.hpp"
#include "actors/http/defaults.hpp"
#include "actors/http/openapi.hpp"
#include "actors/http/run_body.hpp"
#include "libagent/auth/sha256.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace troupe::http {

namespace {

answer refuse_route(const route_match& match, const request_view& request) {
  // RFC 9110, section 9.3.7: about the server as a whole.
  if (request.method == "OPTIONS" && request.target == "*")
    return {204, {}, {{"Allow", "GET, HEAD, POST, DELETE, OPTIONS"}}, false};
  if (match.allow.empty())
    return refuse(404, "not_found", fmt::format("there is nothing at {}", path_of(request.target)));
  if (request.method == "OPTIONS")
    return {204, {}, {{"Allow", match.allow}}, false};
  auto refusal = refuse(405, "method_not_allowed",
                        fmt::format("{} is not possible here; possible is {}", request.method, match.allow));
  refusal.headers.emplace_back("Allow", match.allow);
  return refusal;
}

/// Those that the key may ask, if it may not ask all.
const std::vector<std::string>* allowed_agents(const auth::identity& who) {
  return who.key != nullptr && who.key->agents ? &*who.key->agents : nullptr;
}

/// What the key allows holds for the chat too. Whether there is an agent that the key must not ask is not
/// told.
std::optional<answer> apply_key(const auth::identity& who, chat_request& chat) {
  if (who.key == nullptr)
    return std::nullopt;
  chat.spending = tighter(chat.spending, who.key->spending);
  const auto* allowed = allowed_agents(who);
  if (allowed == nullptr)
    return std::nullopt;
  if (chat.agent.empty())
    chat.agent = allowed->front();
  if (std::find(allowed->begin(), allowed->end(), chat.agent) != allowed->end())
    return std::nullopt;
  return refuse(403, "forbidden",
                fmt::format("the key may not ask this agent; it may ask {}", config::listed(*allowed)),
                chat.session_id);
}

std::optional<answer> refuse_media_type(const request_view& request) {
  if (!request.content_type || is_json_media_type(*request.content_type))
    return std::nullopt;
  return refuse(415, "unsupported_media_type", "the body must be JSON: Content-Type: application/json");
}

/// What a request comes to, whatever its white space and the order of its fields.
std::string hash_of(const request_view& request) {
  const auto parsed = json::parse(request.body, nullptr, false);
  const auto text = parsed.is_discarded() ? std::string(request.body) : dump_json(parsed);
  return auth::sha256_hex(fmt::format("{} {}", path_of(request.target), text));
}

/// Has the run's id be made of the request's key, if it has one.
std::optional<answer> take_key(const request_view& request, chat_request& chat) {
  if (!request.idempotency_key)
    return std::nullopt;
  const auto key = *request.idempotency_key;
  const bool is_printable =
      std::all_of(key.begin(), key.end(), [](char each) { return each >= 0x20 && each <= 0x7e; });
  if (key.empty() || key.size() > defaults::max_key_bytes || !is_printable)
    return refuse(fail(errc::invalid_argument,
                       fmt::format("'Idempotency-Key' must be 1 to {} printable ASCII characters",
                                   defaults::max_key_bytes)));
  chat.idempotency_key = key;
  chat.key_hash = hash_of(request);
  return std::nullopt;
}

/// Reads along from the event that the header names on.
decision follow(std::string run_id, const request_view& request) {
  std::uint64_t last = 0;
  if (const auto given = request.last_event_id.value_or("0"); !given.empty()) {
    const auto* end = given.data() + given.size();
    const auto [stop, failed] = std::from_chars(given.data(), end, last);
    if (stop != end || failed != std::errc() || last == from_here)
      return refuse(fail(errc::invalid_argument, "'Last-Event-ID' must be the id of one of the run's events"),
                    {}, run_id);
  }
  return call(show_events{std::move(run_id), last});
}

} // namespace

bool is_streamed(const call& what) noexcept {
  if (std::holds_alternative<show_events>(what))
    return true;
  if (const auto* chat = std::get_if<chat_request>(&what))
    return chat->streamed && !chat->background;
  const auto* resume = std::get_if<resume_request>(&what);
  return resume != nullptr && resume->streamed;
}

bool ends_with_client(const call& what) noexcept {
  if (const auto* chat = std::get_if<chat_request>(&what))
    return chat->ends_with_client;
  const auto* resume = std::get_if<resume_request>(&what);
  return resume != nullptr && resume->ends_with_client;
}

api::api(const config::server_options& options, std::vector<std::string> agents)
    : max_body_bytes_(options.max_body_bytes), max_json_depth_(options.max_json_depth),
      agents_(std::move(agents)), health_(succeed({{"status", "ok"}})),
      agent_list_(succeed({{"agents", agents_}})),
      openapi_(succeed(openapi_document(options.auth.is_required()))) {}

decision api::decide(const request_view& request, const auth::identity& who) const {
  const auto match = find_route(request.method, request.target);
  if (!match.what)
    return refuse_route(match, request);
  if (!request.twice.empty())
    return refuse(400, "bad_request", fmt::format("there is more than one header {}", request.twice));
  switch (*match.what) {
  case endpoint::chat:
    return decide_chat(request, who);
  case endpoint::run:
  case endpoint::run_events:
  case endpoint::resume_run:
  case endpoint::cancel_run:
    return decide_run(*match.what, match.parameter, request);
  case endpoint::session:
    return decide_session(match.parameter, false);
  case endpoint::forget_session:
    return decide_session(match.parameter, true);
  case endpoint::health:
    return health_;
  case endpoint::agents:
    return list_agents(who);
  case endpoint::mcp:
    return call(list_servers{});
  case endpoint::system:
    return call(show_system{});
  case endpoint::metrics:
    return call(show_metrics{});
  case endpoint::openapi:
    return openapi_;
  }
  return refuse(500, "internal", "a route without a meaning");
}

answer api::list_agents(const auth::identity& who) const {
  const auto* allowed = allowed_agents(who);
  return allowed == nullptr ? agent_list_ : succeed({{"agents", *allowed}});
}

decision api::decide_chat(const request_view& request, const auth::identity& who) const {
  if (auto refusal = refuse_media_type(request))
    return std::move(*refusal);
  auto chat = decode_chat(request.body, max_json_depth_);
  if (!chat)
    return refuse(chat.error());
  if (auto refusal = apply_key(who, *chat))
    return std::move(*refusal);
  if (!chat->agent.empty() && std::find(agents_.begin(), agents_.end(), chat->agent) == agents_.end()) {
    auto message = fmt::format("there is no agent '{}'", chat->agent);
    if (const auto meant = config::nearest(chat->agent, agents_); !meant.empty())
      message += fmt::format("; did you mean {}?", config::in_quotes(meant));
    return refuse(fail(errc::unknown_agent, std::move(message)), chat->session_id);
  }
  if (!chat->streamed && !chat->background && wants_events(request.accept)) {
    chat->streamed = true;
    chat->ends_with_client = !chat->detached;
  }
  if (auto refusal = take_key(request, *chat))
    return std::move(*refusal);
  return call(std::move(*chat));
}

decision api::decide_run(endpoint what, std::string_view parameter, const request_view& request) const {
  auto id = percent_decode(parameter);
  // An id that cannot be is one that nobody has.
  if (!id || !is_session_id(*id))
    return refuse(fail(errc::unknown_run, "there is no such run"));
  if (what == endpoint::run)
    return call(show_run{std::move(*id)});
  if (what == endpoint::run_events && request.method == "HEAD")
    return call(show_run{std::move(*id), true});
  if (what == endpoint::run_events)
    return follow(std::move(*id), request);
  if (auto refusal = request.body.empty() ? std::nullopt : refuse_media_type(request))
    return std::move(*refusal);
  if (what == endpoint::cancel_run) {
    const auto mode = decode_cancel(request.body, max_json_depth_);
    return mode ? decision(call(cancel_run{std::move(*id), *mode})) : refuse(mode.error(), {}, *id);
  }
  auto resume = decode_resume(request.body, max_json_depth_);
  if (!resume)
    return refuse(resume.error(), {}, *id);
  resume->run_id = std::move(*id);
  if (!resume->streamed && wants_events(request.accept)) {
    resume->streamed = true;
    resume->ends_with_client = !resume->detached;
  }
  return call(std::move(*resume));
}

decision api::decide_session(std::string_view parameter, bool forget) const {
  auto id = percent_decode(parameter);
  if (!id || !is_session_id(*id))
    return refuse(fail(errc::invalid_argument, "'session_id' must be 1 to 128 visible ASCII characters, "
                                               "percent-encoded where a path needs it"));
  if (forget)
    return call(forget_session{std::move(*id)});
  return call(show_session{std::move(*id)});
}

answer api::refuse_fault(fault what) const {
  auto refusal = [&] {
    switch (what) {
    case fault::body_too_large:
      return refuse(413, "body_too_large", fmt::format("the body is larger than {} bytes", max_body_bytes_));
    case fault::target_too_long:
      return refuse(414, "target_too_long", "the path and query are too long");
    case fault::headers_too_large:
      return refuse(431, "headers_too_large", "there are too many headers, or one is too long");
    default:
      return refuse(400, "bad_request", "this is not an HTTP/1.1 request");
    }
  }();
  refusal.close = true;
  return refusal;
}

} // namespace troupe::http
