#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/approval_dialog.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/conversation.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/line_source.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/session_option.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>

#include <csignal>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace troupe::cli {

namespace {

constexpr auto help_text = R"(!agents     the agents of the file
!tools      tools and handoffs of the agent that answers next
!select A   has agent A answer next
!new        begins a new session
!quit       ends the chat, as ^D does
!help       this list
^C cancels a run, also one that waits for approval, or clears the line. Anything else is a prompt.)";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "!select  A" as {"!select", "A"}.
std::pair<std::string_view, std::string> split(std::string_view line) {
  const auto end = line.find_first_of(" \t");
  if (end == std::string_view::npos)
    return {line, {}};
  return {line.substr(0, end), std::string{trim(line.substr(end))}};
}

/// A chat in progress: carries out one line after the other.
class chat_loop {
public:
  chat_loop(conversation& talk, chat_screen& screen, const std::vector<std::string>& agents)
      : talk_(talk), screen_(screen), agents_(agents) {}

  /// False when the chat is to end.
  bool take(const std::string& line) {
    const auto text = trim(line);
    if (text.empty())
      return true;
    if (text.front() == '!')
      return command(text);
    if (!is_utf8(line)) {
      screen_.show(fail(errc::malformed, "the prompt is not UTF-8"));
      all_well_ = false;
    } else if (!talk_.say(line)) {
      all_well_ = false;
    }
    return true;
  }
  /// No run has failed.
  bool all_well() const noexcept { return all_well_; }

private:
  bool command(std::string_view text) {
    const auto [name, argument] = split(text);
    if (name == "!quit" || name == "!exit")
      return false;
    if (name == "!help")
      screen_.say(help_text);
    else if (name == "!agents")
      list_agents();
    else if (name == "!tools")
      talk_.show_tools();
    else if (name == "!new")
      begin_anew();
    else if (name == "!select")
      select(argument);
    else
      screen_.say(fmt::format("there is no command {}; !help lists them", name));
    return true;
  }

  void list_agents() {
    for (const auto& name : agents_)
      screen_.say(fmt::format("{} {}", name == talk_.agent() ? "*" : " ", name));
  }

  void begin_anew() {
    talk_.begin_anew();
    screen_.say("new session " + talk_.session_id());
  }

  void select(const std::string& agent) {
    if (agent.empty())
      screen_.say("which agent? !select A, where A is one of !agents");
    else if (talk_.select(agent))
      screen_.say(agent + " answers next");
    else
      screen_.say(fmt::format("there is no agent \"{}\"; !agents lists them", agent));
  }

  conversation& talk_;
  chat_screen& screen_;
  const std::vector<std::string>& agents_;
  bool all_well_ = true;
};

/// How a chat ended whose input has ended.
int exit_code_of(const conversation& talk, const chat_loop& loop, bool interactive) {
  if (!interactive && !loop.all_well())
    return exit_code::failed;
  return talk.leaves_run_paused() ? exit_code::paused : exit_code::ok;
}

/// Takes lines until there are no more; the exit code.
int converse(conversation& talk, chat_loop& loop, line_source& lines, bool interactive,
             stop_signals& signals) {
  talk.settle();
  while (!talk.stopped_by()) {
    if (talk.is_left())
      return exit_code_of(talk, loop, interactive);
    const auto came = lines.next(printable(talk.agent()) + "> ", signals);
    if (const auto* number = std::get_if<int>(&came)) {
      if (interactive && *number == SIGINT)
        continue;
      return exit_code::signal_base + *number;
    }
    const auto* line = std::get_if<std::string>(&came);
    if (!line || !loop.take(*line))
      return exit_code_of(talk, loop, interactive);
  }
  return exit_code::signal_base + *talk.stopped_by();
}

void greet(chat_screen& screen, const conversation& talk, const std::vector<std::string>& agents) {
  auto names = std::string{};
  for (const auto& name : agents)
    names += (names.empty() ? "" : ", ") + name;
  screen.say(fmt::format("Troupe. Agents: {}. Session {}. !help lists commands.", names, talk.session_id()));
}

} // namespace

int chat(const common_options& common, const chat_options& options, stop_signals& signals) {
  set_up_logging(common, "warn");
  if (!check_session(options.session))
    return exit_code::usage;
  auto loaded = load_agent_file(common.config);
  auto* file = std::get_if<config::configuration>(&loaded);
  if (!file || (!options.agent.empty() && !has_agent(*file, options.agent)))
    return exit_code::usage;
  const auto timeout = file->limits.run_timeout;
  const auto house =
      host::start(std::move(*file), signals, nullptr,
                  options.session ? std::optional(orphan_filter{*options.session, {}}) : std::nullopt);
  if (!house)
    return exit_code::failed;

  const auto interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  auto screen = chat_screen{{interactive, wants_colours()}};
  const auto lines = interactive ? make_line_editor() : make_piped_lines();
  auto approvals = approval_dialog{screen, *lines, signals};
  auto talk =
      conversation{*house, common.config, screen, interactive ? &approvals : nullptr, signals, timeout};
  if (options.session && !talk.open(*options.session))
    return exit_code::failed;
  if (!options.agent.empty())
    talk.select(options.agent);
  const auto& agents = house->agents().agent_names();
  if (interactive)
    greet(screen, talk, agents);
  auto loop = chat_loop{talk, screen, agents};
  return converse(talk, loop, *lines, interactive, signals);
}

} // namespace troupe::cli
