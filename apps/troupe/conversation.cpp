#include "apps/troupe/conversation.hpp"

#include "apps/troupe/ask.hpp"
#include "apps/troupe/defaults.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/run_report.hpp"
#include "apps/troupe/unfinished_runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

namespace troupe::cli {

namespace {

std::string names(const std::vector<std::string>& list) {
  return list.empty() ? "none" : fmt::format("{}", fmt::join(list, ", "));
}

} // namespace

conversation::conversation(host& where, const std::string& config, chat_screen& screen,
                           approval_dialog* approvals, stop_signals& signals,
                           std::chrono::milliseconds run_timeout)
    : where_(where), config_(config), screen_(screen), approvals_(approvals), signals_(signals),
      run_timeout_(run_timeout) {
  begin_anew();
}

void conversation::begin_anew() {
  session_id_ = new_session_id();
  is_new_ = true;
  agent_ = where_.agents().agent_names().front();
  selected_ = false;
  old_run_.clear();
  paused_run_.clear();
}

bool conversation::open(const std::string& session_id) {
  session_id_ = session_id;
  is_new_ = false;
  auto left = unfinished_runs{where_, config_, run_timeout_, signals_, approvals_ ? &screen_ : nullptr};
  stopped_by_ = left.watch();
  if (stopped_by_)
    return true;
  // Nobody is asked about one that has paused only now.
  leaves_run_paused_ = !approvals_ && left.has(left.blocker());
  const auto found = ask<session_record_ptr>(where_.system(), signals_, where_.agents().sessions(),
                                             defaults::store_timeout, info_atom::value, session_id);
  if (const auto* number = std::get_if<int>(&found))
    stopped_by_ = *number;
  if (const auto* record = std::get_if<session_record_ptr>(&found); record && *record) {
    if (!(*record)->agent.empty())
      agent_ = (*record)->agent;
    if ((*record)->paused)
      old_run_ = (*record)->paused->run_id;
  }
  const auto* reason = std::get_if<error>(&found);
  if (!reason || reason->code == errc::unknown_session)
    return true;
  screen_.show(*reason);
  return false;
}

bool conversation::select(const std::string& agent) {
  const auto& known = where_.agents().agent_names();
  if (std::find(known.begin(), known.end(), agent) == known.end())
    return false;
  agent_ = agent;
  selected_ = true;
  return true;
}

bool conversation::say(const std::string& prompt) {
  const auto cancels = !paused_run_.empty();
  if (cancels)
    cancel(std::exchange(paused_run_, {}));
  if (stopped_by_)
    return false;
  const auto agent = selected_ ? agent_ : std::string{};
  auto came = send(prompt, agent);
  const auto blocking = came && came->has_error() ? run_in_the_way(came->error()) : std::string{};
  if (approvals_ && !blocking.empty()) {
    if (!settle(blocking))
      return false;
    came = send(prompt, agent);
  }
  return finish(std::move(came)) && !cancels;
}

conversation::outcome conversation::send(const std::string& prompt, const std::string& agent) {
  auto request = chat_request{prompt, agent, session_id_, is_new_};
  request.streamed = true;
  auto going = watched_run{where_, run_timeout_, std::move(request)};
  return follow(going);
}

conversation::outcome conversation::follow(watched_run& going) {
  while (!stopped_by_) {
    auto came = going.next(signals_);
    if (const auto* event = std::get_if<run_event>(&came)) {
      screen_.show(*event);
    } else if (const auto* number = std::get_if<int>(&came)) {
      going.cancel();
      if (*number != SIGINT)
        stopped_by_ = *number;
    } else {
      return std::get<result<chat_reply>>(std::move(came));
    }
  }
  return std::nullopt;
}

bool conversation::finish(outcome came) {
  while (came && came->has_value() && (*came)->status == run_status::paused) {
    const auto& reply = **came;
    is_new_ = false;
    screen_.show(reply);
    if (!approvals_) {
      tell_pause(reply);
      return true;
    }
    came = ask_and_resume(reply.run_id, reply.interruptions);
  }
  if (!came)
    return false;
  is_new_ = false;
  if (came->has_error()) {
    screen_.show(came->error());
    if (const auto blocker = run_in_the_way(came->error()); !blocker.empty())
      complain("troupe: what that one waits for: {}\n", resume_command(config_, blocker));
    return false;
  }
  screen_.show(**came);
  agent_ = (*came)->agent;
  selected_ = false;
  return true;
}

conversation::outcome conversation::ask_and_resume(const std::string& run_id,
                                                   std::vector<interruption> open) {
  while (true) {
    auto said = approvals_->ask(open);
    if (const auto* number = std::get_if<int>(&said); number && *number == SIGINT) {
      cancel(run_id);
      return std::nullopt;
    }
    if (!std::holds_alternative<std::vector<decision>>(said)) {
      leaves_run_paused_ = true;
      is_left_ = true;
      if (const auto* number = std::get_if<int>(&said))
        stopped_by_ = *number;
      return std::nullopt;
    }
    auto going = watched_run{where_, run_timeout_,
                             resume_request{run_id, std::get<std::vector<decision>>(std::move(said)), true}};
    auto came = follow(going);
    if (!came || came->has_value() || came->error().code != errc::invalid_argument)
      return came;
    // Arguments that do not fit the tool leave the run as it is.
    const auto record = ask_actor<run_record_ptr>(where_.agents().sessions(), defaults::store_timeout,
                                                  run_atom::value, run_id);
    if (!record || (*record)->status != run_status::paused)
      return came;
    screen_.show(came->error());
  }
}

void conversation::settle() {
  if (approvals_ && !old_run_.empty() && !stopped_by_)
    settle(std::exchange(old_run_, {}));
}

bool conversation::settle(const std::string& run_id) {
  const auto record =
      ask_actor<run_record_ptr>(where_.agents().sessions(), defaults::store_timeout, run_atom::value, run_id);
  if (!record)
    return false;
  screen_.say("The session has a run that waits for a decision.");
  // Whoever answers there was not chosen for what comes next.
  const auto chosen = selected_ ? agent_ : std::string{};
  const auto well = finish(ask_and_resume(run_id, (*record)->interruptions));
  if (!chosen.empty())
    select(chosen);
  return well;
}

void conversation::tell_pause(const chat_reply& reply) {
  paused_run_ = reply.run_id;
  leaves_run_paused_ = true;
  fmt::print(
      stderr,
      "{}troupe: the run waits for approval; the next prompt cancels it. If it is the last, and the store "
      "is SQLite: {}\n",
      interruption_lines(reply.run_id, reply.interruptions),
      how_to_go_on(config_, reply.run_id, reply.interruptions));
}

void conversation::cancel(const std::string& run_id) {
  const auto record = ask_actor<run_record_ptr>(where_.agents().sessions(), defaults::store_timeout,
                                                cancel_atom::value, run_id, cancel_mode::at_once);
  if (!record)
    return;
  leaves_run_paused_ = false;
  screen_.show(fail(errc::cancelled, fmt::format("the run '{}' was cancelled", run_id)));
}

template <class T, class Handle, class... Ts>
std::optional<T> conversation::ask_actor(const Handle& whom, std::chrono::milliseconds timeout, Ts... words) {
  auto came = ask<T>(where_.system(), signals_, whom, timeout, std::move(words)...);
  if (auto* value = std::get_if<T>(&came))
    return std::move(*value);
  if (const auto* reason = std::get_if<error>(&came))
    screen_.show(*reason);
  else if (std::get<int>(came) != SIGINT)
    stopped_by_ = std::get<int>(came);
  return std::nullopt;
}

void conversation::show_tools() {
  const auto handle = where_.agents().agent(agent_);
  if (!handle)
    return screen_.show(handle.error());
  if (const auto info = ask_actor<agent_info>(*handle, defaults::tools_timeout, info_atom::value))
    screen_.say(fmt::format("{} tools: {}\n{} handoffs: {}", info->name, names(info->tools), info->name,
                            names(info->handoffs)));
}

} // namespace troupe::cli
