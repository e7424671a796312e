#include "actors/http/answer.hpp"

#include "libagent/core/item.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace troupe::http {

namespace {

std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
  case 200:
    return "OK";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 409:
    return "Conflict";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 421:
    return "Misdirected Request";
  case 422:
    return "Unprocessable Content";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 507:
    return "Insufficient Storage";
  default:
    return "Internal Server Error";
  }
}

json usage_json(const usage_report& used, std::optional<double> cost) {
  auto made = troupe::to_json(used);
  if (cost)
    made["cost"] = *cost;
  return made;
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json to_json(const mcp_status& server) {
  return {{"name", server.name},
          {"state", to_string(server.state)},
          {"pid", server.pid == 0 ? json(nullptr) : json(server.pid)},
          {"protocol_version", text_or_null(server.protocol_version)},
          {"tools", server.tools},
          {"restarts", server.restarts},
          {"last_error", text_or_null(server.last_error)},
          {"breaker", http::to_json(server.breaker)}};
}

json detail_of(const error& reason, std::string_view session_id, std::string_view run_id) {
  const auto code = to_string(reason.code);
  json detail{{"error", reason.detail.empty() ? code : reason.detail}, {"code", code}};
  if (reason.facts && reason.facts->is_object())
    detail.insert(reason.facts->begin(), reason.facts->end());
  // Facts of these names are of another run, which is in this one's way.
  if (!session_id.empty())
    detail.emplace("session_id", session_id);
  if (!run_id.empty())
    detail.emplace("run_id", run_id);
  return detail;
}

/// Whole seconds, as the header has them; 1 where nobody knows better.
std::string retry_after(const json& detail) {
  constexpr std::int64_t second = 1000;
  const auto known = detail.find("retry_after_ms");
  if (known == detail.end() || !known->is_number_integer())
    return "1";
  return fmt::format("{}", std::max<std::int64_t>((known->get<std::int64_t>() + second - 1) / second, 1));
}

answer refuse_with(unsigned status, json detail) {
  answer value{status, {}, {}, false};
  if (status == 429 || status == 503)
    value.headers.emplace_back("Retry-After", retry_after(detail));
  value.body = dump_json({{"detail", std::move(detail)}});
  return value;
}

json result_of(const std::string& text, const std::shared_ptr<const json>& structured) {
  return structured ? *structured : json(text);
}

} // namespace

answer succeed(const json& body) {
  return {200, dump_json(body), {}, false};
}

answer refuse(unsigned status, std::string_view code, std::string_view message, std::string_view session_id) {
  json detail{{"error", message}, {"code", code}};
  if (!session_id.empty())
    detail["session_id"] = session_id;
  return refuse_with(status, std::move(detail));
}

answer refuse(const error& reason, std::string_view session_id, std::string_view run_id) {
  return refuse_with(status_of(reason.code), detail_of(reason, session_id, run_id));
}

unsigned status_of(errc code) noexcept {
  switch (code) {
  case errc::malformed:
    return 400;
  case errc::invalid_argument:
  case errc::guardrail_tripped:
  case errc::budget_exceeded:
    return 422;
  case errc::unknown_agent:
  case errc::unknown_session:
  case errc::unknown_run:
    return 404;
  case errc::conflict:
  case errc::cancelled:
  case errc::in_doubt:
    return 409;
  case errc::too_large:
    return 413;
  case errc::overloaded:
    return 429;
  case errc::memory_short:
  case errc::shutting_down:
  case errc::unavailable:
  case errc::model_unavailable:
    return 503;
  case errc::store_full:
    return 507;
  case errc::deadline_exceeded:
  case errc::model_timeout:
    return 504;
  case errc::model_failed:
  case errc::model_stream_cut:
  case errc::not_recorded:
  case errc::protocol_violation:
  case errc::invalid_output:
  case errc::tool_failed:
  case errc::hook_failed:
    return 502;
  default:
    return 500;
  }
}

answer show(const chat_reply& reply) {
  if (reply.status == run_status::running)
    return {202,
            dump_json({{"status", to_string(reply.status)},
                       {"run_id", reply.run_id},
                       {"session_id", reply.session_id}}),
            {{"Location", "/api/v1/runs/" + reply.run_id}},
            false};
  json body{{"session_id", reply.session_id},
            {"agent", reply.agent},
            {"run_id", reply.run_id},
            {"usage", usage_json(reply.used, reply.cost)}};
  if (reply.status == run_status::paused) {
    body["status"] = to_string(reply.status);
    body["interruptions"] = troupe::to_json(reply.interruptions);
    return {202, dump_json(body), {}, false};
  }
  body["result"] = result_of(reply.result, reply.structured);
  return succeed(body);
}

answer show(const run_record& run, unsigned status) {
  json body{{"run_id", run.run_id},
            {"session_id", run.session_id},
            {"status", to_string(run.status)},
            {"agent", text_or_null(run.agent)},
            {"items", troupe::to_json(run.items)},
            {"usage", usage_json(run.used, run.cost)}};
  if (run.status == run_status::completed)
    body["result"] = result_of(run.result, run.structured);
  if (run.status == run_status::paused)
    body["interruptions"] = troupe::to_json(run.interruptions);
  if (run.failure)
    body["error"] = detail_of(*run.failure, {}, {});
  return {status, dump_json(body), {}, false};
}

answer show(std::string_view session_id, const session_record& session) {
  return succeed({{"session_id", session_id},
                  {"agent", text_or_null(session.agent)},
                  {"items", troupe::to_json(session.items)},
                  {"usage", troupe::to_json(session.used)}});
}

answer show(const std::vector<mcp_status>& servers) {
  auto list = json::array();
  for (const auto& server : servers)
    list.push_back(to_json(server));
  return succeed({{"servers", std::move(list)}});
}

answer head_of_stream() {
  return {200, {}, {}, false, events_type};
}

std::string render_head(const answer& value, bool keep_alive, std::string_view date) {
  std::string head;
  head.reserve(256);
  auto out = std::back_inserter(head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nServer: troupe\r\nDate: {}\r\nConnection: {}\r\n", value.status,
                 reason_phrase(value.status), date, keep_alive ? "keep-alive" : "close");
  // RFC 9110, section 8.6: no Content-Length in a 204.
  if (value.status != 204)
    fmt::format_to(out, "Content-Type: {}\r\nContent-Length: {}\r\n", value.type, value.body.size());
  for (const auto& [name, text] : value.headers)
    fmt::format_to(out, "{}: {}\r\n", name, text);
  head += "\r\n";
  return head;
}

std::string render_stream_head(bool chunked, bool keep_alive, std::string_view date,
                               const header_lines& more) {
  auto head = fmt::format("HTTP/1.1 200 OK\r\nServer: troupe\r\nDate: {}\r\nConnection: {}\r\n"
                          "Content-Type: {}\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n{}",
                          date, keep_alive ? "keep-alive" : "close", events_type,
                          chunked ? "Transfer-Encoding: chunked\r\n" : "");
  for (const auto& [name, text] : more)
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, text);
  return head + "\r\n";
}

std::string http_date(std::time_t when) {
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm at{};
  ::gmtime_r(&when, &at);
  // Not by strftime, whose names follow the locale.
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days.at(static_cast<std::size_t>(at.tm_wday)),
                     at.tm_mday, months.at(static_cast<std::size_t>(at.tm_mon)), at.tm_year + 1900,
                     at.tm_hour, at.tm_min, at.tm_sec);
}

} // namespace troupe::http
