#include "actors/mcp_server.hpp"

#include "actors/defaults.hpp"
#include "actors/io/child_process.hpp"
#include "actors/io/log.hpp"
#include "actors/mcp_process.hpp"
#include "libagent/core/version.hpp"

#include <caf/send.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace troupe {

namespace {

mcp::client_options make_client_options(const config::mcp_server_options& options) {
  mcp::client_options client;
  client.client_version = version;
  client.allowed_tools = options.allowed_tools;
  client.blocked_tools = options.blocked_tools;
  return client;
}

double random_jitter() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \r\n\t") + 1);
  return text;
}

} // namespace

std::string_view to_string(mcp_state state) noexcept {
  switch (state) {
  case mcp_state::starting:
    return "starting";
  case mcp_state::ready:
    return "ready";
  case mcp_state::restarting:
    return "restarting";
  case mcp_state::failed:
    return "failed";
  }
  return "failed";
}

mcp_server_state::~mcp_server_state() {
  calls_.fail_all(fmt::format("Error: the MCP server '{}' is shutting down.", options_.name));
  answer_waiting();
  for (auto& promise : stops_)
    promise.deliver(acknowledgement{});
}

void mcp_server_state::begin(config::mcp_server_options options, redactor_ptr hides, io::reactor& io) {
  hides_ = std::move(hides);
  options_ = std::move(options);
  io_ = &io;
  restarts_ = restart_policy(options_.restart);
  start(generation_);
}

void mcp_server_state::start(std::uint64_t generation) {
  if (generation != generation_ || !stops_.empty())
    return;
  ++generation_;
  ++starts_;
  restarts_.starting();
  stderr_ = std::make_shared<stderr_ring>(defaults::mcp_stderr_waiting);
  stderr_rest_.clear();
  stderr_tail_.clear();
  stderr_skips_ = false;
  ending_because_.clear();
  session_.emplace(make_client_options(options_));
  process_ = start_mcp_process(*io_, options_, caf::actor_cast<supervised_mcp_server_actor>(self_),
                               generation_, stderr_);
  self_->delayed_send(self_, options_.startup_timeout, handshake_atom::value, generation_);
}

void mcp_server_state::on(const process_event& what) {
  if (what.generation == generation_ && process_)
    std::visit([this](const auto& w) { on(w); }, what.what);
}

void mcp_server_state::on(const process_started& what) {
  pid_ = what.pid;
  log().debug("MCP server '{}': started as process {}", options_.name, pid_);
  carry_out(session_->start());
}

void mcp_server_state::on(const process_not_started& what) {
  went_down(shown(what.reason), false);
}

void mcp_server_state::on(const process_lines& what) {
  if (pulse_)
    pulse_->heard(self_->clock().now());
  std::size_t bytes = 0;
  for (const auto& line : what.lines) {
    bytes += line.size();
    // A line may end the session.
    if (session_)
      carry_out(session_->on_line(line));
  }
  if (process_)
    process_->consumed(bytes);
}

void mcp_server_state::on(const process_stderr&) {
  const auto news = stderr_->take();
  if (news.dropped > 0)
    skip_stderr(news.dropped);
  // Bars of progress end their lines by CR.
  constexpr std::string_view line_ends = "\r\n";
  std::string_view text = news.text;
  if (stderr_skips_) {
    const auto rest = std::min(text.find_first_of(line_ends), text.size());
    text.remove_prefix(rest);
    stderr_skips_ = text.empty();
    stderr_dropped_ += rest;
  }
  for (auto end = text.find_first_of(line_ends); end != text.npos; end = text.find_first_of(line_ends)) {
    stderr_line(stderr_rest_.append(text.substr(0, end)));
    stderr_rest_.clear();
    text.remove_prefix(end + 1);
  }
  stderr_rest_ += text;
  if (stderr_rest_.size() > defaults::mcp_stderr_waiting)
    skip_stderr(stderr_rest_.size());
}

void mcp_server_state::skip_stderr(std::uint64_t dropped) {
  stderr_rest_.clear();
  stderr_skips_ = true;
  stderr_dropped_ += dropped;
  report_flood();
}

void mcp_server_state::report_flood() {
  const auto now = self_->clock().now();
  if (flood_reported_ && now - *flood_reported_ < defaults::mcp_flood_report_interval)
    return;
  flood_reported_ = now;
  log().warn("MCP server '{}' floods its stderr: {} bytes dropped and {} lines not logged so far",
             options_.name, stderr_dropped_, stderr_unlogged_);
}

void mcp_server_state::stderr_line(std::string_view line) {
  if (line.find_first_not_of(" \r\t") == std::string_view::npos)
    return;
  stderr_tail_.append(line).append("\n");
  // Whole lines go, so that no secret is cut in half.
  while (stderr_tail_.size() > defaults::mcp_stderr_kept && stderr_tail_.find('\n') + 1 < stderr_tail_.size())
    stderr_tail_.erase(0, stderr_tail_.find('\n') + 1);
  if (!log().should_log(spdlog::level::info))
    return;
  const auto now = self_->clock().now();
  if (stderr_lines_.wait_for(1, now).count() > 0) {
    ++stderr_unlogged_;
    return report_flood();
  }
  stderr_lines_.take(1, now);
  log().info("MCP server '{}' on stderr: {}", options_.name, shown(trimmed(std::string(line))));
}

void mcp_server_state::on(const process_overlong_line&) {
  ending_because_ = fmt::format("wrote a message of more than {} bytes (see max_message_bytes)",
                                options_.max_message_bytes);
}

void mcp_server_state::on(const process_mute&) {
  ending_because_ = "closed its stdout, so that it can answer nothing more";
  process_->shutdown({defaults::mcp_stdin_grace, defaults::mcp_sigterm_grace});
}

void mcp_server_state::on(const process_ended& what) {
  stderr_line(std::exchange(stderr_rest_, {}));
  auto why = ending_because_.empty() ? what.how : std::exchange(ending_because_, {});
  // What it said last tells why it did not come up, or gave up by itself.
  if (state_ != mcp_state::ready || what.how.starts_with("exited"))
    if (const auto last_words = trimmed(stderr_tail_); !last_words.empty())
      why += fmt::format("; its stderr ended in: {}", last_words);
  went_down(shown(std::move(why)), true);
}

void mcp_server_state::handshake_overdue(std::uint64_t generation) {
  if (generation != generation_ || !process_ || !session_ || session_->is_ready())
    return;
  ending_because_ =
      fmt::format("no answer to the handshake within {} (see startup_timeout)", options_.startup_timeout);
  process_->kill();
}

void mcp_server_state::listing_overdue(std::uint64_t generation, std::uint64_t number) {
  if (generation == generation_ && session_)
    carry_out(session_->give_up_listing(
        number, fmt::format("no answer within {} (see startup_timeout)", options_.startup_timeout)));
}

void mcp_server_state::went_down(std::string why, bool worth_a_retry) {
  // It was told to, or it was not.
  log().log(stops_.empty() ? spdlog::level::warn : spdlog::level::debug, "MCP server '{}': {}", options_.name,
            why);
  // No call that waits may begin now.
  if (state_ == mcp_state::ready)
    state_ = mcp_state::restarting;
  if (session_)
    carry_out(session_->on_closed(why));
  session_.reset();
  pulse_.reset();
  process_.reset();
  pid_ = 0;
  tools_ = std::make_shared<const tool_list>();
  calls_.fail_all(fmt::format("Error: the MCP server '{}' went away: {}.", options_.name, why));
  last_error_ = std::move(why);
  if (stops_.empty())
    plan_restart(worth_a_retry);
  end_if_stopped();
}

void mcp_server_state::plan_restart(bool worth_a_retry) {
  const auto next = restarts_.went_down(self_->clock().now(), worth_a_retry, random_jitter());
  state_ = next.failed ? mcp_state::failed : mcp_state::restarting;
  if (next.wait)
    self_->delayed_send(self_, *next.wait, start_atom::value, generation_);
  if (!next.wait)
    log().error("MCP server '{}' stays down: it is not to be started again", options_.name);
  else if (next.failed)
    log().error("MCP server '{}' counts as failed, its breaker is open; it is tried again in {}",
                options_.name, *next.wait);
  else
    log().info("MCP server '{}' is started again in {}", options_.name, *next.wait);
  // One that was ready a moment ago will most likely be so again; the others are not worth waiting for.
  if (next.failed || !restarts_.is_quick())
    answer_waiting();
}

void mcp_server_state::carry_out(mcp::effects what) {
  for (auto& effect : what)
    std::visit([this](auto& e) { carry_out(e); }, effect);
}

void mcp_server_state::carry_out(mcp::send_line& what) {
  write_failed_ = !process_ || !process_->write_line(std::move(what.line));
}

void mcp_server_state::carry_out(mcp::ready& what) {
  state_ = mcp_state::ready;
  server_ = std::move(what.server);
  tools_ = std::move(what.tools);
  restarts_.came_up(self_->clock().now());
  log().info("MCP server '{}': ready, protocol {}, {} tools", options_.name, server_.protocol_version,
             tools_->size());
  answer_waiting();
  pulse_.emplace(defaults::mcp_ping_interval, defaults::mcp_ping_timeout, self_->clock().now());
  feel_pulse();
}

void mcp_server_state::carry_out(mcp::broken& what) {
  ending_because_ = what.reason.detail;
  if (process_)
    process_->shutdown({defaults::mcp_stdin_grace, defaults::mcp_sigterm_grace});
}

void mcp_server_state::carry_out(mcp::tools_changed& what) {
  tools_ = std::move(what.tools);
  log().debug("MCP server '{}': its tools changed, {} now", options_.name, tools_->size());
}

void mcp_server_state::carry_out(mcp::listing_begun& what) {
  self_->delayed_send(self_, options_.startup_timeout, listing_atom::value, generation_, what.number);
}

void mcp_server_state::carry_out(mcp::pong&) {
  if (pulse_)
    pulse_->answered();
}

void mcp_server_state::carry_out(mcp::call_finished& what) {
  calls_.answer(what.key, std::move(what.result));
  begin_waiting_calls();
}

void mcp_server_state::carry_out(mcp::call_progress& what) {
  calls_.progressed(what.key, self_->clock().now());
}

void mcp_server_state::carry_out(mcp::server_log& what) {
  const auto level = what.level == "debug" ? spdlog::level::debug : spdlog::level::info;
  log().log(level, "MCP server '{}' says ({}): {}", options_.name, what.level, shown(what.text));
}

caf::typed_response_promise<shared_tools> mcp_server_state::tools() {
  auto promise = self_->make_response_promise<shared_tools>();
  const bool first_start = state_ == mcp_state::starting;
  const bool quick_restart = state_ == mcp_state::restarting && restarts_.is_quick();
  if ((first_start || quick_restart) && stops_.empty())
    waiting_for_tools_.push_back(promise);
  else
    promise.deliver(tools_);
  return promise;
}

void mcp_server_state::answer_waiting() {
  for (auto& promise : waiting_for_tools_)
    promise.deliver(tools_);
  waiting_for_tools_.clear();
}

mcp_status mcp_server_state::status() const {
  mcp_status status;
  status.name = options_.name;
  status.state = state_;
  status.pid = pid_;
  status.protocol_version = server_.protocol_version;
  status.server_name = server_.name;
  status.server_version = server_.version;
  for (const auto& tool : *tools_)
    status.tools.push_back(tool.name);
  status.restarts = starts_ > 0 ? starts_ - 1 : 0;
  status.last_error = last_error_;
  status.stray_lines = session_ ? session_->stray_lines() : 0;
  status.breaker = restarts_.breaker(self_->clock().now());
  status.retry_in = restarts_.retry_in(self_->clock().now());
  status.mailbox = self_->mailbox().size();
  status.calls_in_flight = calls_.on_the_wire();
  status.calls_waiting = calls_.waiting();
  status.calls_refused = refused_;
  return status;
}

caf::typed_response_promise<acknowledgement> mcp_server_state::stop() {
  auto promise = self_->make_response_promise<acknowledgement>();
  stops_.push_back(promise);
  answer_waiting();
  if (process_)
    process_->shutdown({defaults::mcp_stdin_grace, defaults::mcp_sigterm_grace});
  end_if_stopped();
  return promise;
}

void mcp_server_state::end_if_stopped() {
  if (!stops_.empty() && !process_)
    self_->quit();
}

std::string mcp_server_state::shown(std::string text) const {
  // Before anything in it is changed: secrets may have control characters.
  auto clean = to_utf8(hides_->hide(std::move(text)));
  for (auto& c : clean)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = ' ';
  return clean;
}

supervised_mcp_server_actor::behavior_type
mcp_server(supervised_mcp_server_actor::stateful_pointer<mcp_server_state> self,
           config::mcp_server_options options, redactor_ptr hides, reactor_reference io) {
  self->state.begin(std::move(options), std::move(hides), *io.io);
  return {
      [self](const tool_invocation& what) { return self->state.call(what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self](tools_atom) { return self->state.tools(); },
      [self](status_atom) { return self->state.status(); },
      [self](stop_atom) { return self->state.stop(); },
      [self](const process_event& what) { self->state.on(what); },
      [self](start_atom, std::uint64_t generation) { self->state.start(generation); },
      [self](handshake_atom, std::uint64_t generation) { self->state.handshake_overdue(generation); },
      [self](listing_atom, std::uint64_t generation, std::uint64_t number) {
        self->state.listing_overdue(generation, number);
      },
      [self](pulse_atom, std::uint64_t timer) { self->state.take_pulse(timer); },
      [self](overdue_atom) { self->state.look_for_overdue_calls(); },
  };
}

} // namespace troupe
