#include "actors/defaults.hpp"
#include "actors/io/child_process.hpp"
#include "actors/mcp_server.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// No call has it: those of runs begin with the number of an actor.
constexpr auto ping_key = ~mcp::call_key{0};

} // namespace

caf::typed_response_promise<tool_result> mcp_server_state::call(const tool_invocation& what) {
  auto promise = self_->make_response_promise<tool_result>();
  if (calls_.contains(what.key)) {
    promise.deliver(to_caf(fail(errc::invalid_argument, "a call with that key is under way already")));
  } else if (state_ != mcp_state::ready || !session_) {
    promise.deliver(tool_result::failure(why_not_running()));
  } else if (calls_.on_the_wire() >= options_.max_concurrent_calls &&
             calls_.waiting() >= options_.max_queue) {
    ++refused_;
    promise.deliver(tool_result::failure(fmt::format(
        "Error: the MCP server '{}' has too many calls waiting; try again later.", options_.name)));
  } else {
    calls_.add(what, promise, self_->clock().now(), options_.call_timeout, options_.max_call_timeout);
    watch_deadlines();
    begin_waiting_calls();
  }
  return promise;
}

std::string mcp_server_state::why_not_running() const {
  auto text = fmt::format("Error: the MCP server '{}' is not running ({})", options_.name, to_string(state_));
  if (!last_error_.empty())
    text += fmt::format(": {}", last_error_);
  const auto now = self_->clock().now();
  const auto breaker = restarts_.breaker(now);
  const auto seconds = [](std::chrono::milliseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time);
  };
  if (breaker.open_for)
    text += fmt::format("; it has failed {} times in a row and been given up for {}", breaker.failures,
                        seconds(*breaker.open_for));
  if (const auto wait = restarts_.retry_in(now))
    text += fmt::format("; next try in {}", seconds(*wait));
  return text + '.';
}

void mcp_server_state::begin_waiting_calls() {
  static const json no_arguments = json::object();
  while (process_ && session_ && state_ == mcp_state::ready &&
         calls_.on_the_wire() < options_.max_concurrent_calls) {
    const auto* next = calls_.begin_next();
    if (next == nullptr)
      return;
    const auto key = next->key;
    write_failed_ = false;
    carry_out(session_->call_tool(key, next->tool, next->arguments ? *next->arguments : no_arguments));
    if (write_failed_ && calls_.contains(key)) {
      session_->cancel(key, "it was never sent");
      calls_.answer(key, tool_result::failure(fmt::format(
                             "Error: the MCP server '{}' does not take messages now.", options_.name)));
    }
  }
}

void mcp_server_state::cancel(call_key key) {
  if (session_ && calls_.contains(key))
    carry_out(session_->cancel(key, "the caller gave it up"));
  calls_.answer(key, tool_result::failure("Error: the call was cancelled."));
  begin_waiting_calls();
}

void mcp_server_state::watch_deadlines() {
  const auto next = calls_.next_deadline();
  if (!next || watching_)
    return;
  watching_ = true;
  const auto wait = std::max<caf::timespan>(*next - self_->clock().now(), std::chrono::milliseconds(1));
  self_->delayed_send(self_, wait, overdue_atom::value);
}

void mcp_server_state::look_for_overdue_calls() {
  watching_ = false;
  const auto now = self_->clock().now();
  for (const auto& late : calls_.overdue(now)) {
    if (late.on_the_wire && session_)
      carry_out(session_->cancel(late.key, "timeout"));
    if (late.on_the_wire && pulse_)
      pulse_->doubt();
    calls_.answer(late.key,
                  tool_result::failure(fmt::format("Error: the MCP server '{}' did not answer within {}.",
                                                   options_.name, late.limit)));
  }
  begin_waiting_calls();
  watch_deadlines();
  feel_pulse();
}

void mcp_server_state::take_pulse(std::uint64_t timer) {
  if (timer == pulse_timer_)
    feel_pulse();
}

void mcp_server_state::feel_pulse() {
  if (!pulse_ || !session_ || !process_)
    return;
  const auto now = self_->clock().now();
  switch (pulse_->look(now, calls_.on_the_wire() > 0)) {
  case mcp::heartbeat::need::ping:
    carry_out(session_->ping(ping_key));
    break;
  case mcp::heartbeat::need::give_up:
    pulse_.reset();
    ending_because_ = fmt::format("did not answer a ping within {}", defaults::mcp_ping_timeout);
    return process_->kill();
  case mcp::heartbeat::need::nothing:
    break;
  }
  self_->delayed_send(self_, pulse_->next_look(now) - now, pulse_atom::value, ++pulse_timer_);
}

} // namespace troupe
