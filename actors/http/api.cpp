#include "actors/http/api.hpp"

#include "actors/http/chat_body.hpp"
#include "actors/http/openapi.hpp"
#include "actors/http/run_body.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::optional<answer> refuse_media_type(const request_view& request) {
  if (!request.content_type || is_json_media_type(*request.content_type))
    return std::nullopt;
  return refuse(415, "unsupported_media_type", "the body must be JSON: Content-Type: application/json");
}

} // namespace

bool is_streamed(const call& what) noexcept {
  if (const auto* chat = std::get_if<chat_request>(&what))
    return chat->streamed;
  const auto* resume = std::get_if<resume_request>(&what);
  return resume != nullptr && resume->streamed;
}

api::api(const config::server_options& options, std::vector<std::string> agents)
    : max_body_bytes_(options.max_body_bytes), max_json_depth_(options.max_json_depth),
      agents_(std::move(agents)), health_(succeed({{"status", "ok"}})),
      agent_list_(succeed({{"agents", agents_}})), openapi_(succeed(openapi_document())) {}

decision api::decide(const request_view& request) const {
  const auto match = find_route(request.method, request.target);
  if (!match.what)
    return refuse_route(match, request);
  switch (*match.what) {
  case endpoint::chat:
    return decide_chat(request);
  case endpoint::run:
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
    return agent_list_;
  case endpoint::mcp:
    return call(list_servers{});
  case endpoint::system:
    return call(show_system{});
  case endpoint::openapi:
    return openapi_;
  }
  return refuse(500, "internal", "a route without a meaning");
}

decision api::decide_chat(const request_view& request) const {
  if (auto refusal = refuse_media_type(request))
    return std::move(*refusal);
  auto chat = decode_chat(request.body, max_json_depth_);
  if (!chat)
    return refuse(chat.error());
  if (!chat->agent.empty() && std::find(agents_.begin(), agents_.end(), chat->agent) == agents_.end()) {
    auto message = fmt::format("there is no agent '{}'", chat->agent);
    if (const auto meant = config::nearest(chat->agent, agents_); !meant.empty())
      message += fmt::format("; did you mean {}?", config::in_quotes(meant));
    return refuse(fail(errc::unknown_agent, std::move(message)), chat->session_id);
  }
  chat->streamed = chat->streamed || wants_events(request.accept);
  return call(std::move(*chat));
}

decision api::decide_run(endpoint what, std::string_view parameter, const request_view& request) const {
  auto id = percent_decode(parameter);
  // An id that cannot be is one that nobody has.
  if (!id || !is_session_id(*id))
    return refuse(fail(errc::unknown_run, "there is no such run"));
  if (what == endpoint::run)
    return call(show_run{std::move(*id)});
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
  resume->streamed = resume->streamed || wants_events(request.accept);
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
