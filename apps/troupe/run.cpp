#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/ask.hpp"
#include "apps/troupe/chat_screen.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/defaults.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/run_input.hpp"
#include "apps/troupe/run_report.hpp"
#include "apps/troupe/session_option.hpp"
#include "apps/troupe/text.hpp"
#include "apps/troupe/unfinished_runs.hpp"
#include "apps/troupe/watched_run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

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
    complain("troupe: the prompt {}\n", wrong);
  return !wrong;
}

int refuse(const error& reason) {
  complain("troupe: {}\n", printable(reason.detail));
  return exit_code::usage;
}

/// One run of the command line's, from its request to its report.
class single_run {
public:
  single_run(host& house, const common_options& common, const run_options& options, bool is_kept,
             stop_signals& signals)
      : house_(house), config_(common.config), options_(options), is_kept_(is_kept), signals_(signals),
        screen_({false, false, false, isatty(STDOUT_FILENO) == 0}) {}

  /// What that run waits for is told already.
  void has_told(const std::string& run_id) { told_ = run_id; }

  /// Until the run's end; the exit code.
  int follow(watched_run& going, const std::string& session_id) {
    while (true) {
      const auto came = going.next(signals_);
      if (const auto* number = std::get_if<int>(&came))
        return interrupt(going, session_id, *number);
      if (const auto* outcome = std::get_if<result<chat_reply>>(&came))
        return *outcome ? report(**outcome) : report(outcome->error(), going.run_id(), session_id, true);
      if (options_.stream)
        screen_.show(std::get<run_event>(came));
      if (!screen_.works()) {
        going.cancel();
        return exit_code::failed;
      }
    }
  }

  /// Ends it, as that signal asks for; the exit code.
  int interrupt(watched_run& going, const std::string& session_id, int number) {
    going.cancel();
    const bool has_ended = waits_for_end(going);
    report(fail(errc::cancelled, "the run was interrupted"), going.run_id(), session_id, has_ended);
    return exit_code::signal_base + number;
  }

  /// How the run stands that is to be resumed, or the exit code.
  std::variant<run_record_ptr, int> look_up() {
    const auto came = ask_for(options_.resume);
    if (const auto* record = std::get_if<run_record_ptr>(&came)) {
      if ((*record)->status == run_status::paused)
        return *record;
      return report(fail(errc::conflict, fmt::format("the run '{}' is not paused but {}", options_.resume,
                                                     to_string((*record)->status))),
                    options_.resume, (*record)->session_id, false);
    }
    if (const auto* number = std::get_if<int>(&came))
      return exit_code::signal_base + *number;
    return report(std::get<error>(came), options_.resume, {}, false);
  }

  /// That the run was left unfinished and cannot go on before another one is settled.
  int report_waiting(const std::string& run_id, const std::string& session_id, const std::string& blocker) {
    return report(fail(errc::conflict, fmt::format("the run '{}' waits for the session's run '{}', which "
                                                   "has to be settled first",
                                                   run_id, blocker)),
                  run_id, session_id, false);
  }

  /// That the run waits, and for what.
  int report_pause(const std::vector<interruption>& open, const std::string& run_id, const json& whole) {
    complain("{}", interruption_lines(run_id, open));
    if (is_kept_ && isatty(STDERR_FILENO))
      complain("troupe: to go on: {}\n", how_to_go_on(config_, run_id, open));
    if (!is_kept_)
      spdlog::warn("the run '{}' cannot be resumed, since sessions are kept in memory; the agent file's "
                   "`sessions` block can name a SQLite store",
                   run_id);
    return (!options_.json || print_json(whole)) ? exit_code::paused : exit_code::failed;
  }

private:
  /// Until the cancelled run has answered; false if another signal says not to wait.
  bool waits_for_end(watched_run& going) {
    auto came = going.next(signals_);
    while (std::holds_alternative<run_event>(came))
      came = going.next(signals_);
    return std::holds_alternative<result<chat_reply>>(came);
  }

  answer<run_record_ptr> ask_for(const std::string& run_id) {
    return ask<run_record_ptr>(house_.system(), signals_, house_.agents().sessions(), defaults::store_timeout,
                               run_atom::value, run_id);
  }

  void tell_usage(const usage_report& used, std::optional<double> cost) const {
    if (options_.usage)
      complain("{}", usage_lines(used, cost));
  }

  int report(const chat_reply& reply) {
    tell_usage(reply.used, reply.cost);
    if (options_.stream)
      screen_.show(reply);
    if (reply.status == run_status::paused)
      return report_pause(reply.interruptions, reply.run_id, to_json(reply));
    if (options_.stream)
      return screen_.works() ? exit_code::ok : exit_code::failed;
    if (options_.json)
      return print_json(to_json(reply)) ? exit_code::ok : exit_code::failed;
    auto text = text_of(reply);
    if (isatty(STDOUT_FILENO))
      text = printable(text);
    return print(text + "\n") ? exit_code::ok : exit_code::failed;
  }

  int report(const error& reason, const std::string& run_id, const std::string& session_id, bool has_record) {
    if (options_.stream)
      screen_.finish();
    complain("troupe: {}: {}\n", to_string(reason.code), printable(reason.detail));
    if (const auto blocker = run_in_the_way(reason); !blocker.empty() && blocker != told_)
      complain("troupe: what that one waits for: {}\n", resume_command(config_, blocker));
    auto whole = json{{"error", to_json(reason)}, {"run_id", run_id}};
    if (!session_id.empty())
      whole["session_id"] = session_id;
    if (has_record && (options_.json || options_.usage)) {
      const auto came = ask_for(run_id);
      if (const auto* record = std::get_if<run_record_ptr>(&came)) {
        tell_usage((*record)->used, (*record)->cost);
        whole.update(to_json(**record));
      }
    }
    if (options_.json)
      print_json(whole);
    return exit_code::failed;
  }

  host& house_;
  std::string config_;
  std::string told_;
  const run_options& options_;
  /// Paused runs outlive the program.
  bool is_kept_;
  stop_signals& signals_;
  chat_screen screen_;
};

bool decides(const run_options& options) {
  return !(options.approve.empty() && options.reject.empty() && options.repeat.empty() &&
           options.result.empty() && options.fail.empty());
}

/// Goes on with a run that a crash has left, which no decision can have been about.
int take_up(single_run& one, const unfinished_runs& left, const run_options& options) {
  const auto session_id = left.session_id();
  if (!left.blocker().empty())
    return one.report_waiting(options.resume, session_id, left.blocker());
  auto going = left.join(options.resume);
  const auto code = one.follow(going, session_id);
  if (code == exit_code::paused && decides(options))
    complain("troupe: nothing was decided, since the run has come to wait for this only now\n");
  return code;
}

int resume(single_run& one, host& house, unfinished_runs& left, const run_options& options,
           std::chrono::milliseconds timeout) {
  if (const auto number = left.watch(options.resume))
    return exit_code::signal_base + *number;
  if (left.has(options.resume))
    return take_up(one, left, options);
  const auto found = one.look_up();
  if (const auto* code = std::get_if<int>(&found))
    return *code;
  const auto& record = *std::get<run_record_ptr>(found);
  auto decisions = read_decisions(options, record.interruptions);
  if (!decisions)
    return refuse(decisions.error());
  if (decisions->empty())
    return one.report_pause(record.interruptions, record.run_id, to_json(record));
  auto going =
      watched_run{house, timeout, resume_request{record.run_id, std::move(*decisions), options.stream}};
  return one.follow(going, record.session_id);
}

/// The request for a new run, or the exit code.
std::variant<chat_request, int> make_request(const run_options& options, stop_signals& signals) {
  auto context = read_context(options.context);
  if (!context)
    return refuse(context.error());
  auto spending = read_budget(options.budget);
  if (!spending)
    return refuse(spending.error());
  const auto prompt = read_prompt(options, signals);
  if (const auto* number = std::get_if<int>(&prompt))
    return exit_code::signal_base + *number;
  if (!check_prompt(std::get<std::string>(prompt)))
    return exit_code::usage;
  auto request = chat_request{std::get<std::string>(prompt), options.agent,
                              options.session.value_or(new_session_id()), !options.session};
  request.context = std::move(*context);
  request.spending = *spending;
  request.streamed = options.stream;
  return request;
}

/// What others may have left in the session, to be carried on first.
std::optional<orphan_filter> runs_before(const run_options& options) {
  if (options.session || !options.resume.empty())
    return orphan_filter{options.session.value_or(""), options.resume};
  return std::nullopt;
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
  const auto is_kept = file->sessions.store != config::session_options::store_kind::memory;
  const auto resumes = !options.resume.empty();
  if (resumes && !is_kept)
    return refuse(fail(errc::invalid_argument,
                       "--resume needs runs that outlive the program: name a store in the "
                       "agent file, as in sessions: {store: sqlite, path: troupe.db}"));
  auto request = resumes ? chat_request{} : make_request(options, signals);
  if (const auto* code = std::get_if<int>(&request))
    return *code;

  const auto timeout = file->limits.run_timeout;
  const auto house = host::start(std::move(*file), signals, nullptr, runs_before(options));
  if (!house)
    return exit_code::failed;
  auto one = single_run{*house, common, options, is_kept, signals};
  auto left = unfinished_runs{*house, common.config, timeout, signals};
  if (resumes)
    return resume(one, *house, left, options, timeout);
  const auto session_id = std::get<chat_request>(request).session_id;
  // It waits in its session, or does what the session's policy says of those that are there.
  auto going = watched_run{*house, left.patience(), std::get<chat_request>(std::move(request))};
  if (const auto number = left.watch())
    return one.interrupt(going, session_id, *number);
  one.has_told(left.blocker());
  return one.follow(going, session_id);
}

} // namespace troupe::cli
