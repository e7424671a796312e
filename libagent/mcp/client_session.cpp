#include "libagent/mcp/client_session.hpp"

#include "libagent/mcp/jsonrpc.hpp"
#include "libagent/mcp/protocol.hpp"
#include "libagent/mcp/server_words.hpp"
#include "libagent/mcp/tool_content.hpp"
#include "libagent/mcp/tool_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::mcp {

namespace {

struct initialize_request {};
struct list_request {};
struct tool_request {
  call_key key;
  std::optional<json_schema> output;
};
struct ping_request {
  call_key key;
};
using pending_request = std::variant<initialize_request, list_request, tool_request, ping_request>;

enum class phase { created, handshake, first_listing, ready, over };

} // namespace

struct client_session::impl {
  explicit impl(client_options given)
      : options(std::move(given)), filter{options.allowed_tools, options.blocked_tools} {}

  client_options options;
  tool_filter filter;
  phase now = phase::created;
  std::int64_t next_id = 1;
  // Ordered, so that calls end in the order in which they were made.
  std::map<std::int64_t, pending_request> pending;
  server_description server;
  bool has_tools = false;
  std::optional<tool_listing> listing;
  /// Of the listing, counted from 1.
  std::uint64_t listing_number = 0;
  bool list_again = false;
  std::map<std::string, json_schema> outputs;
  std::uint64_t stray = 0;
  std::string end_reason;

  void request(pending_request what, std::string_view method, std::string_view params, effects& out) {
    pending.emplace(next_id, std::move(what));
    out.push_back(send_line{encode_request(next_id++, method, params)});
  }

  // What the server wrote.

  void on_text(std::string_view line, effects& out);
  bool handle(rpc_message message, std::vector<std::string>& answers, effects& out);
  void on_batch(json batch, effects& out);
  void on_stray(std::string_view line, std::string_view reason, effects& out);
  void on_notification(const rpc_notification& told, effects& out);
  void on_progress(const json& params, effects& out);
  std::optional<pending_request> take_pending(const json& id, effects& out);
  void on_response(rpc_response answer, effects& out);
  void on_error(const rpc_error& answer, effects& out);

  // The handshake and the tool list.

  void on_handshake(const json& answer, effects& out);
  void begin_listing(effects& out);
  void on_page(json page, effects& out);
  void on_listing_failed(const error& reason, effects& out);
  void publish(listed_tools found, effects& out);
  void end_listing(effects& out);
  void cancel(std::map<std::int64_t, pending_request>::iterator request, const std::string& reason,
              effects& out);
  void break_off(std::string reason, effects& out);
};

void client_session::impl::on_text(std::string_view line, effects& out) {
  const auto text = trimmed_line(line);
  if (text.empty())
    return;
  if (text.front() != '{' && text.front() != '[')
    return on_stray(text, "not JSON", out);
  auto parsed = parse_json(text, max_message_depth);
  if (!parsed)
    return on_stray(text, parsed.error().detail, out);
  if (parsed->is_array())
    return on_batch(std::move(*parsed), out);
  auto message = classify(std::move(*parsed));
  const auto* invalid = std::get_if<rpc_invalid>(&message);
  const auto reason = invalid == nullptr ? std::string() : invalid->reason;
  std::vector<std::string> answers;
  if (!handle(std::move(message), answers, out))
    return on_stray(text, reason, out);
  for (auto& answer : answers)
    out.push_back(send_line{std::move(answer)});
}

/// False if it is no message. Answers to the server's requests are put into `answers`.
bool client_session::impl::handle(rpc_message message, std::vector<std::string>& answers, effects& out) {
  if (auto* asked = std::get_if<rpc_request>(&message)) {
    // Nothing else was offered in the handshake: no roots, no sampling, no elicitation.
    answers.push_back(asked->method == "ping"
                          ? encode_response(asked->id, "{}")
                          : encode_error(asked->id, rpc_code::method_not_found, "Method not found"));
  } else if (auto* told = std::get_if<rpc_notification>(&message)) {
    on_notification(*told, out);
  } else if (auto* answer = std::get_if<rpc_response>(&message)) {
    on_response(std::move(*answer), out);
  } else if (auto* thrown = std::get_if<rpc_error>(&message)) {
    on_error(*thrown, out);
  } else {
    auto& invalid = std::get<rpc_invalid>(message);
    const auto id = invalid.may_be_answer ? own_id(invalid.id) : std::nullopt;
    if (!id || !pending.contains(*id))
      return false;
    on_error({std::move(invalid.id), rpc_code::invalid_request, "The server's answer is malformed", {}}, out);
  }
  return true;
}

void client_session::impl::on_batch(json batch, effects& out) {
  bool any = false;
  std::vector<std::string> answers;
  for (auto& element : batch) {
    any |= handle(classify(std::move(element)), answers, out);
    if (now == phase::over)
      return;
  }
  if (!any)
    on_stray("[...]", "a batch without a message", out);
  if (!answers.empty())
    out.push_back(send_line{fmt::format("[{}]", fmt::join(answers, ","))});
}

void client_session::impl::on_stray(std::string_view line, std::string_view reason, effects& out) {
  ++stray;
  out.push_back(server_log{"debug", fmt::format("stray line on stdout ({}): {}", reason, excerpt(line))});
}

void client_session::impl::on_notification(const rpc_notification& told, effects& out) {
  if (told.method == "notifications/progress") {
    on_progress(told.params, out);
  } else if (told.method == "notifications/tools/list_changed") {
    // Before the first listing there is nothing to refresh: it is still to come.
    if (listing)
      list_again = true;
    else if (has_tools && now == phase::ready)
      begin_listing(out);
  } else if (told.method == "notifications/message") {
    out.push_back(read_log(told.params));
  }
}

void client_session::impl::on_progress(const json& params, effects& out) {
  auto report = read_progress(params);
  const auto found = report ? pending.find(report->token) : pending.end();
  const auto* call = found == pending.end() ? nullptr : std::get_if<tool_request>(&found->second);
  if (call != nullptr)
    out.push_back(call_progress{call->key, report->progress, report->total, std::move(report->message)});
}

/// The request that an answer belongs to. Late and repeated answers have none and are ignored.
std::optional<pending_request> client_session::impl::take_pending(const json& id, effects& out) {
  const auto number = own_id(id);
  const auto found = number ? pending.find(*number) : pending.end();
  if (found == pending.end()) {
    out.push_back(server_log{
        "debug", fmt::format("an answer to no request in flight is ignored, id {}", excerpt(dump_json(id)))});
    return std::nullopt;
  }
  auto taken = std::move(found->second);
  pending.erase(found);
  return taken;
}

void client_session::impl::on_response(rpc_response answer, effects& out) {
  const auto asked = take_pending(answer.id, out);
  if (!asked)
    return;
  if (std::holds_alternative<initialize_request>(*asked))
    on_handshake(answer.value, out);
  else if (std::holds_alternative<list_request>(*asked))
    on_page(std::move(answer.value), out);
  else if (const auto* call = std::get_if<tool_request>(&*asked))
    out.push_back(call_finished{call->key, to_tool_result(std::move(answer.value), call->output)});
  else
    out.push_back(pong{std::get<ping_request>(*asked).key});
}

void client_session::impl::on_error(const rpc_error& answer, effects& out) {
  if (answer.id.is_null()) {
    out.push_back(server_log{"warning", fmt::format("the server reports an error: {}", describe(answer))});
    return;
  }
  const auto asked = take_pending(answer.id, out);
  if (!asked)
    return;
  if (std::holds_alternative<initialize_request>(*asked)) {
    break_off(describe_refusal(answer), out);
  } else if (std::holds_alternative<list_request>(*asked)) {
    if (now == phase::first_listing && answer.code == rpc_code::method_not_found) {
      has_tools = false;
      publish({}, out);
    } else {
      on_listing_failed(fail(errc::protocol_violation, "tools/list failed: " + describe(answer)), out);
    }
  } else if (const auto* call = std::get_if<tool_request>(&*asked)) {
    out.push_back(call_finished{call->key, tool_result::failure(describe(answer))});
  } else {
    // Whoever refuses a ping is alive.
    out.push_back(pong{std::get<ping_request>(*asked).key});
  }
}

void client_session::impl::on_handshake(const json& answer, effects& out) {
  auto read = read_handshake(answer);
  if (!read)
    return break_off(read.error().detail, out);
  server = std::move(read->server);
  has_tools = read->has_tools;
  now = phase::first_listing;
  out.push_back(send_line{encode_notification("notifications/initialized")});
  if (has_tools)
    begin_listing(out);
  else
    publish({}, out);
}

void client_session::impl::begin_listing(effects& out) {
  list_again = false;
  listing.emplace(filter, options.max_pages);
  ++listing_number;
  // The first one is part of the start, which has a bound as a whole.
  if (now == phase::ready)
    out.push_back(listing_begun{listing_number});
  request(list_request{}, "tools/list", {}, out);
}

void client_session::impl::on_page(json page, effects& out) {
  const auto cursor = listing->add_page(std::move(page));
  for (auto& remark : listing->take_remarks())
    out.push_back(server_log{"warning", std::move(remark)});
  if (!cursor)
    on_listing_failed(cursor.error(), out);
  else if (*cursor)
    request(list_request{}, "tools/list", dump_json({{"cursor", **cursor}}), out);
  else
    publish(listing->take_tools(), out);
}

void client_session::impl::on_listing_failed(const error& reason, effects& out) {
  if (now == phase::first_listing)
    return break_off(reason.detail, out);
  out.push_back(server_log{"warning", "the old tool list stays: " + reason.detail});
  end_listing(out);
}

void client_session::impl::publish(listed_tools found, effects& out) {
  auto tools = std::make_shared<const tool_list>(std::move(found.tools));
  outputs = std::move(found.outputs);
  if (std::exchange(now, phase::ready) == phase::first_listing)
    out.push_back(ready{server, std::move(tools)});
  else
    out.push_back(tools_changed{std::move(tools)});
  end_listing(out);
}

void client_session::impl::end_listing(effects& out) {
  listing.reset();
  if (std::exchange(list_again, false) && has_tools)
    begin_listing(out);
}

void client_session::impl::cancel(std::map<std::int64_t, pending_request>::iterator request,
                                  const std::string& reason, effects& out) {
  const json params = {{"requestId", request->first}, {"reason", reason}};
  out.push_back(send_line{encode_notification("notifications/cancelled", dump_json(params))});
  pending.erase(request);
}

void client_session::impl::break_off(std::string reason, effects& out) {
  now = phase::over;
  pending.clear();
  listing.reset();
  end_reason = reason;
  out.push_back(broken{fail(errc::protocol_violation, std::move(reason))});
}

client_session::client_session(client_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
client_session::~client_session() = default;
client_session::client_session(client_session&&) noexcept = default;
client_session& client_session::operator=(client_session&&) noexcept = default;

effects client_session::start() {
  effects out;
  if (impl_->now != phase::created)
    return out;
  impl_->now = phase::handshake;
  const json params = {
      {"protocolVersion", latest_version},
      {"capabilities", json::object()},
      {"clientInfo", {{"name", impl_->options.client_name}, {"version", impl_->options.client_version}}}};
  impl_->request(initialize_request{}, "initialize", dump_json(params), out);
  return out;
}

effects client_session::on_line(std::string_view line) {
  effects out;
  if (impl_->now != phase::over)
    impl_->on_text(line, out);
  return out;
}

effects client_session::call_tool(call_key key, const std::string& name, const json& arguments) {
  effects out;
  if (impl_->now != phase::ready) {
    const auto reason = impl_->now == phase::over ? "MCP server went away: " + impl_->end_reason
                                                  : std::string("MCP server is not ready yet");
    out.push_back(call_finished{key, tool_result::failure(reason)});
    return out;
  }
  const auto output = impl_->outputs.find(name);
  const auto schema = output == impl_->outputs.end() ? std::nullopt : std::optional(output->second);
  // Written by hand, so that large arguments are not copied into another document first.
  const auto params = fmt::format(R"({{"name":{},"arguments":{},"_meta":{{"progressToken":{}}}}})",
                                  dump_json(json(name)), dump_json(arguments), impl_->next_id);
  impl_->request(tool_request{key, schema}, "tools/call", params, out);
  return out;
}

effects client_session::cancel(call_key key, const std::string& reason) {
  effects out;
  for (auto at = impl_->pending.begin(); at != impl_->pending.end(); ++at) {
    const auto* call = std::get_if<tool_request>(&at->second);
    const auto* ping = std::get_if<ping_request>(&at->second);
    if ((call == nullptr || call->key != key) && (ping == nullptr || ping->key != key))
      continue;
    impl_->cancel(at, reason, out);
    break;
  }
  return out;
}

effects client_session::ping(call_key key) {
  effects out;
  if (impl_->now != phase::created && impl_->now != phase::over)
    impl_->request(ping_request{key}, "ping", {}, out);
  return out;
}

effects client_session::give_up_listing(std::uint64_t number, const std::string& reason) {
  effects out;
  if (impl_->now != phase::ready || !impl_->listing || impl_->listing_number != number)
    return out;
  const auto asked = std::find_if(impl_->pending.begin(), impl_->pending.end(), [](const auto& each) {
    return std::holds_alternative<list_request>(each.second);
  });
  if (asked != impl_->pending.end())
    impl_->cancel(asked, reason, out);
  impl_->on_listing_failed(fail(errc::protocol_violation, "tools/list: " + reason), out);
  return out;
}

effects client_session::on_closed(const std::string& reason) {
  effects out;
  if (std::exchange(impl_->now, phase::over) == phase::over)
    return out;
  impl_->end_reason = reason;
  for (const auto& [id, asked] : impl_->pending)
    if (const auto* call = std::get_if<tool_request>(&asked))
      out.push_back(call_finished{call->key, tool_result::failure("MCP server went away: " + reason)});
  impl_->pending.clear();
  return out;
}

bool client_session::is_ready() const noexcept {
  return impl_->now == phase::ready;
}

std::size_t client_session::calls_in_flight() const noexcept {
  std::size_t count = 0;
  for (const auto& [id, asked] : impl_->pending)
    count += std::holds_alternative<tool_request>(asked) ? 1 : 0;
  return count;
}

std::uint64_t client_session::stray_lines() const noexcept {
  return impl_->stray;
}

} // namespace troupe::mcp
