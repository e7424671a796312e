#include "apps/troupe/conversation.hpp"

#include "apps/troupe/ask.hpp"
#include "apps/troupe/watched_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>

namespace troupe::cli {

namespace {

/// Reading a session from the store.
constexpr auto store_timeout = std::chrono::seconds{30};
/// An MCP server may be on its way up, which takes at most its start-up timeout, one minute by default.
constexpr auto tools_timeout = std::chrono::seconds{120};

std::string names(const std::vector<std::string>& list) {
  return list.empty() ? "none" : fmt::format("{}", fmt::join(list, ", "));
}

} // namespace

conversation::conversation(host& where, chat_screen& screen, stop_signals& signals,
                           std::chrono::milliseconds run_timeout)
    : where_(where), screen_(screen), signals_(signals), run_timeout_(run_timeout) {
  begin_anew();
}

void conversation::begin_anew() {
  session_id_ = new_session_id();
  is_new_ = true;
  agent_ = where_.agents().agent_names().front();
  selected_ = false;
}

bool conversation::open(const std::string& session_id) {
  session_id_ = session_id;
  is_new_ = false;
  const auto found = ask<session_record_ptr>(where_.system(), signals_, where_.agents().sessions(),
                                             store_timeout, info_atom::value, session_id);
  if (const auto* number = std::get_if<int>(&found))
    stopped_by_ = *number;
  if (const auto* record = std::get_if<session_record_ptr>(&found))
    if (*record && !(*record)->agent.empty())
      agent_ = (*record)->agent;
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
  auto request = chat_request{prompt, selected_ ? agent_ : std::string{}, session_id_, is_new_, 0};
  auto going = watched_run{where_, run_timeout_, std::move(request)};
  while (!stopped_by_) {
    const auto came = going.next(signals_);
    if (const auto* event = std::get_if<run_event>(&came)) {
      screen_.show(*event);
    } else if (const auto* number = std::get_if<int>(&came)) {
      going.cancel();
      if (*number != SIGINT)
        stopped_by_ = *number;
    } else if (const auto& outcome = std::get<result<chat_reply>>(came)) {
      screen_.show(*outcome);
      agent_ = outcome->agent;
      selected_ = is_new_ = false;
      return true;
    } else {
      screen_.show(outcome.error());
      is_new_ = false;
      return false;
    }
  }
  return false;
}

void conversation::show_tools() {
  const auto handle = where_.agents().agent(agent_);
  if (!handle)
    return screen_.show(handle.error());
  const auto came = ask<agent_info>(where_.system(), signals_, *handle, tools_timeout, info_atom::value);
  if (const auto* info = std::get_if<agent_info>(&came))
    screen_.say(fmt::format("{} tools: {}\n{} handoffs: {}", info->name, names(info->tools), info->name,
                            names(info->handoffs)));
  else if (const auto* reason = std::get_if<error>(&came))
    screen_.show(*reason);
  else if (std::get<int>(came) != SIGINT)
    stopped_by_ = std::get<int>(came);
}

} // namespace troupe::cli
