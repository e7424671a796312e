#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/session_option.hpp"
#include "apps/troupe/text.hpp"
#include "apps/troupe/watched_run.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include <unistd.h>

namespace troupe::cli {

namespace {

/// Standard input to its end, or the number of a signal.
std::variant<std::string, int> read_stdin(stop_signals& signals) {
  auto text = std::string{};
  char buffer[65536];
  while (true) {
    if (const auto number = signals.wait(STDIN_FILENO))
      return *number;
    const auto got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got <= 0)
      break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return text;
}

std::variant<std::string, int> read_prompt(const run_options& options, stop_signals& signals) {
  if (options.prompt == "-")
    return read_stdin(signals);
  return options.prompt;
}

bool check_prompt(const std::string& prompt) {
  const auto* wrong = prompt.empty() ? "is empty" : is_utf8(prompt) ? nullptr : "is not UTF-8";
  if (wrong)
    fmt::print(stderr, "troupe: the prompt {}\n", wrong);
  return !wrong;
}

int report(const run_options& options, const std::string& session_id, const error& reason) {
  fmt::print(stderr, "troupe: {}: {}\n", to_string(reason.code), printable(reason.detail));
  if (options.json)
    print(dump_json({{"error", {{"code", to_string(reason.code)}, {"message", reason.detail}}},
                     {"session_id", session_id}}) +
          "\n");
  return exit_code::failed;
}

int report(const run_options& options, const chat_reply& reply) {
  auto text = reply.result;
  if (options.json)
    text = dump_json({{"result", reply.result},
                      {"session_id", reply.session_id},
                      {"agent", reply.agent},
                      {"items", to_json(reply.items)},
                      {"usage", to_json(reply.used)}});
  else if (isatty(STDOUT_FILENO))
    text = printable(text);
  return print(text + "\n") ? exit_code::ok : exit_code::failed;
}

int wait_for(watched_run& going, const run_options& options, const std::string& session_id,
             stop_signals& signals) {
  while (true) {
    const auto came = going.next(signals);
    if (const auto* number = std::get_if<int>(&came)) {
      going.cancel();
      report(options, session_id, fail(errc::cancelled, "the run was interrupted"));
      return exit_code::signal_base + *number;
    }
    if (const auto* outcome = std::get_if<result<chat_reply>>(&came))
      return *outcome ? report(options, **outcome) : report(options, session_id, outcome->error());
  }
}

} // namespace

int run(const common_options& common, const run_options& options, stop_signals& signals) {
  set_up_logging(common, "warn");
  if (!check_session(options.session))
    return exit_code::usage;
  auto loaded = load_agent_file(common.config);
  auto* file = std::get_if<config::configuration>(&loaded);
  if (!file || (!options.agent.empty() && !has_agent(*file, options.agent)))
    return exit_code::usage;
  const auto prompt = read_prompt(options, signals);
  if (const auto* number = std::get_if<int>(&prompt))
    return exit_code::signal_base + *number;
  if (!check_prompt(std::get<std::string>(prompt)))
    return exit_code::usage;

  const auto timeout = file->limits.run_timeout;
  const auto house = host::start(std::move(*file), signals);
  if (!house)
    return exit_code::failed;
  const auto session_id = options.session.value_or(new_session_id());
  auto going = watched_run{
      *house, timeout,
      chat_request{std::get<std::string>(prompt), options.agent, session_id, !options.session, 0}};
  return wait_for(going, options, session_id, signals);
}

} // namespace troupe::cli
