#include "apps/troupe/command_line.hpp"

#include "apps/troupe/exit_code.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/core/authority.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

namespace troupe::cli {

namespace {

constexpr auto description =
    "Troupe runs LLM agents, their tools and handoffs as actors, behind REST and a terminal.";

constexpr auto footer = R"(Examples:
  troupe check                                  what is in ./troupe.yaml, and does it come up?
  troupe run "How much memory is free?"         one prompt, one answer
  git diff | troupe run -                       the prompt from standard input
  troupe chat -c examples/hostwatch/troupe.yaml a conversation
  troupe serve --port 8080                      the REST API
  troupe key new --name ops                     a key for those who ask it

Exit codes: 0 fine; 1 a run failed or a check found something wrong; 2 the command line or the agent file
cannot be used; 4 a run waits for an approval; 128+N ended by signal N.
"troupe COMMAND --help" tells more.)";

constexpr auto serve_footer =
    R"(Prints "listening on http://HOST:PORT" (or https) when it is ready. SIGINT or SIGTERM lets runs finish for
the file's shutdown_grace (10 s) and exits with 0; a second signal exits at once.

Another address than a loopback one needs keys or tokens in the file's server.auth, or --insecure.

Examples:
  troupe serve                                  ./troupe.yaml, where its `server` block says
  troupe serve -c agents.yaml --port 0          any free port
  troupe serve --host 0.0.0.0                   for other machines)";

constexpr auto key_footer =
    R"(The file gets the key's hash only; the key itself is shown once, and whoever asks shows it:
  Authorization: Bearer trp_...

Examples:
  troupe key new --name ops)";

constexpr auto chat_footer =
    R"(With a terminal: line editing, history, commands such as !help, and questions where a call needs approval.
With piped input each line is a prompt, and the exit code is 1 if any run failed.

Examples:
  troupe chat --agent triage
  troupe chat --session ticket-4711             goes on with a stored session
  printf 'Hello\nWho are you?\n' | troupe chat)";

constexpr auto run_footer =
    R"(Bounds of --budget: turns, model_calls, tool_calls, input_tokens, output_tokens, total_tokens, cost, wall_time.

Where a call needs approval, the run pauses: what it waits for is on stderr, one JSON object a line, and the exit
code is 4. With `sessions: {store: sqlite, ...}` in the agent file, --resume goes on with it.

Examples:
  troupe run "How much memory is free?"
  troupe run --json "Top processes?" | jq .result
  troupe run --session s1 "And the disks?"      goes on with a stored session
  troupe run - < question.txt
  troupe run --stream --budget turns=5 --budget wall_time=30s "Look around."
  troupe run --resume run_4f... --approve all
  troupe run --resume run_4f... --approve 1.0 --arguments '1.0={"lines":5}' --reject "1.1=not today")";

constexpr auto check_footer =
    R"(Starts the MCP servers, asks them for their tools, and stops them again; no model is called.
Exits with 1 where something is wrong.

Examples:
  troupe check -c agents.yaml
  troupe check --json | jq '.mcp_servers[] | select(.state != "ready")')";

std::string did_you_mean(const std::string& meant) {
  return meant.empty() ? "" : "; did you mean " + meant + "?";
}

/// `written` begins with a '-' and may have a value behind a '='.
std::string no_option(const CLI::App& app, const std::string& written) {
  const auto name = written.substr(0, written.find('='));
  std::vector<std::string> known;
  for (const auto* option : app.get_options())
    for (const auto& each : option->get_lnames())
      known.push_back("--" + each);
  return "there is no option " + name + did_you_mean(config::nearest(name, known));
}

std::string no_subcommand(const CLI::App& app, const std::string& written) {
  std::vector<std::string> known;
  for (const auto* each : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(each->get_name());
  return "there is no subcommand \"" + written + "\"" + did_you_mean(config::nearest(written, known));
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word.starts_with('-');
}

/// What is wrong with words that mean nothing to the command.
std::optional<std::string> explain_extras(const CLI::App& app) {
  const auto extras = app.remaining(true);
  const auto chosen = app.get_subcommands();
  const auto option = std::find_if(extras.begin(), extras.end(), is_option);
  if (chosen.empty() && !extras.empty() && !is_option(extras.front()))
    return no_subcommand(app, extras.front());
  if (option != extras.end())
    return no_option(chosen.empty() ? app : *chosen.front(), *option);
  return std::nullopt;
}

/// What the user is told of a command line that cannot be read.
std::string explain(const CLI::App* app, const CLI::Error& reason) {
  const auto chosen = app->get_subcommands();
  auto what = std::string{reason.what()};
  const auto lacks_subcommand = chosen.empty() && dynamic_cast<const CLI::RequiredError*>(&reason);
  if (lacks_subcommand)
    what = "a subcommand is missing";
  if (lacks_subcommand || dynamic_cast<const CLI::ExtrasError*>(&reason))
    what = explain_extras(*app).value_or(what);
  auto help = std::string{"troupe"};
  for (auto inner = chosen; !inner.empty(); inner = inner.front()->get_subcommands())
    help += " " + inner.front()->get_name();
  return "troupe: " + what + "; see " + help + " --help\n";
}

void add_common(CLI::App& app, common_options& into) {
  app.add_option("-c,--config", into.config, "Agent file (YAML or JSON); ./troupe.yaml if not given")
      ->type_name("FILE");
  app.add_option("--log-level", into.log_level,
                 "Least level that is logged to stderr (serve: info, else warn)")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "critical", "off"}));
  app.add_flag("--log-json", into.log_json, "Log one JSON object a line");
}

void add_conversation(CLI::App& app, std::string& agent, std::optional<std::string>& session) {
  app.add_option("--agent", agent, "Agent to ask; else the one that last answered, or the file's first")
      ->type_name("NAME");
  app.add_option("--session", session, "Session to go on with, or to begin under this id")->type_name("ID");
}

/// Why nobody can listen there; empty if somebody can.
std::string problem_of_host(const std::string& host) {
  if (can_listen_on(host))
    return {};
  return fmt::format(
      "\"{}\" is no IP address to listen on; write one such as 127.0.0.1, 0.0.0.0 or ::1, or localhost",
      host);
}

/// Why a key cannot have that name; empty if it can.
std::string problem_of_key_name(const std::string& name) {
  constexpr auto known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  if (!name.empty() && name.size() <= config::defaults::longest_key_name &&
      name.find_first_not_of(known) == std::string::npos)
    return {};
  return "a key's name has to be 1 to 64 letters, digits, '_', '-' and '.'";
}

CLI::App* add_serve(CLI::App& app, common_options& common, serve_options& into) {
  auto* serve = app.add_subcommand("serve", "Serve the agents over REST");
  add_common(*serve, common);
  serve->add_option("--host", into.host, "Address to listen on, instead of the file's")
      ->type_name("HOST")
      ->check(problem_of_host, "");
  serve->add_option("--port", into.port, "Port to listen on, instead of the file's; 0 takes any free one")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535));
  serve->add_flag("--insecure", into.insecure,
                  "Listen on an address that other machines reach although anybody may ask");
  serve->footer(serve_footer);
  return serve;
}

/// `key`, which has one subcommand so far.
CLI::App* add_key(CLI::App& app, key_options& into) {
  auto* key = app.add_subcommand("key", "Make keys for those who ask over REST");
  auto* made = key->add_subcommand("new", "Print a new key, once, and what to write into the agent file");
  made->add_option("--name", into.name, "Name of whoever gets it: letters, digits, '_', '-' and '.'")
      ->type_name("NAME")
      ->check(problem_of_key_name);
  made->footer(key_footer);
  key->require_subcommand(1);
  return key;
}

CLI::App* add_chat(CLI::App& app, common_options& common, chat_options& into) {
  auto* chat = app.add_subcommand("chat", "Talk to the agents in the terminal");
  add_common(*chat, common);
  add_conversation(*chat, into.agent, into.session);
  chat->footer(chat_footer);
  return chat;
}

/// For a new run.
void add_prompt(CLI::App& run, run_options& into, CLI::Option* resume) {
  run.add_option("--context", into.context, "JSON object that templates and conditions know as `context`")
      ->type_name("JSON")
      ->excludes(resume);
  run.add_option("--budget", into.budget, "What the run may spend, e.g. turns=5; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->excludes(resume);
  run.add_option("PROMPT", into.prompt, "What to ask, as one argument; - reads standard input")
      ->type_name("")
      ->excludes(resume);
}

/// For a run that goes on.
void add_decisions(CLI::App& run, run_options& into, CLI::Option* resume) {
  const auto add = [&](const char* name, std::vector<std::string>& where, const char* what,
                       const char* type) {
    run.add_option(name, where, what)->type_name(type)->allow_extra_args(false)->needs(resume);
  };
  add("--approve", into.approve, "Approve a call that the paused run waits for, or all; may be repeated",
      "ID");
  add("--reject", into.reject, "Reject one, and tell the model why; may be repeated", "ID[=MESSAGE]");
  add("--repeat", into.repeat, "Make a call that is in doubt again; may be repeated", "ID");
  add("--result", into.result, "Give a call in doubt this result; may be repeated", "ID=TEXT");
  add("--fail", into.fail, "Have a call in doubt fail, and tell the model why; may be repeated",
      "ID[=MESSAGE]");
  add("--arguments", into.arguments, "Have an approved call made with these arguments; may be repeated",
      "ID=JSON");
}

CLI::App* add_run(CLI::App& app, common_options& common, run_options& into) {
  auto* run = app.add_subcommand("run", "Run one prompt and print the answer");
  add_common(*run, common);
  add_conversation(*run, into.agent, into.session);
  auto* json = run->add_flag("--json", into.json,
                             "Print result, session_id, run_id, status, agent, items and usage as JSON");
  run->add_flag("--stream", into.stream, "Print what agents say as it comes")->excludes(json);
  run->add_flag("--usage", into.usage, "Tell on stderr how many tokens the run used");
  auto* resume =
      run->add_option("--resume", into.resume,
                      "Go on with a run that is paused, or that a crash has left, instead of a prompt")
          ->type_name("RUN_ID")
          ->excludes(run->get_option("--agent"))
          ->excludes(run->get_option("--session"));
  add_decisions(*run, into, resume);
  add_prompt(*run, into, resume);
  run->footer(run_footer);
  return run;
}

constexpr auto journal_footer =
    R"(The journal is in the session database that the agent file names (sessions: {store: sqlite}). Both commands may be
used while a server is running.

Examples:
  troupe journal check                          exits with 1 where something is damaged
  troupe journal export | jq .status            one JSON object a line for each run
  troupe journal export --run run_4f...         one run, with its steps and events)";

CLI::App* add_journal(CLI::App& app, common_options& common, journal_options& into) {
  auto* journal = app.add_subcommand("journal", "Check or print what is kept of runs");
  add_common(*journal, common);
  auto* check = journal->add_subcommand("check", "Verify checksums and form of all that is kept");
  check->add_flag("--json", into.json, "Print the findings as JSON");
  auto* dump = journal->add_subcommand("export", "Print runs as JSON, one a line");
  dump->add_option("--run", into.run_id, "Only this run")->type_name("RUN_ID");
  check->callback([&into] { into.what = journal_options::action::check; });
  dump->callback([&into] { into.what = journal_options::action::dump; });
  for (auto* each : {check, dump})
    add_common(*each, common);
  journal->require_subcommand(1);
  journal->footer(journal_footer);
  return journal;
}

CLI::App* add_check(CLI::App& app, common_options& common, check_options& into) {
  auto* check = app.add_subcommand("check", "Validate the agent file and try its MCP servers");
  add_common(*check, common);
  check->add_flag("--json", into.json, "Print the findings as JSON");
  check->footer(check_footer);
  return check;
}

} // namespace

std::variant<command_line, int> read_command_line(int argc, const char* const* argv) {
  auto app = CLI::App{description, "troupe"};
  auto read = command_line{};
  auto serving = serve_options{};
  auto chatting = chat_options{};
  auto running = run_options{};
  auto checking = check_options{};
  auto keeping = journal_options{};
  auto making = key_options{};
  app.set_version_flag("--version", "troupe " TROUPE_VERSION);
  add_common(app, read.common);
  const auto* serve = add_serve(app, read.common, serving);
  const auto* chat = add_chat(app, read.common, chatting);
  const auto* run = add_run(app, read.common, running);
  add_check(app, read.common, checking);
  const auto* journal = add_journal(app, read.common, keeping);
  const auto* key = add_key(app, making);
  app.require_subcommand(1);
  app.footer(footer);
  app.failure_message(explain);
  try {
    app.parse(argc, argv);
    if (run->parsed() && run->count("PROMPT") == 0 && run->count("--resume") == 0)
      throw CLI::RequiredError("PROMPT");
  } catch (const CLI::ParseError& reason) {
    return app.exit(reason, std::cout, std::cerr) == 0 ? exit_code::ok : exit_code::usage;
  }
  if (serve->parsed())
    read.command = std::move(serving);
  else if (chat->parsed())
    read.command = std::move(chatting);
  else if (run->parsed())
    read.command = std::move(running);
  else if (journal->parsed())
    read.command = std::move(keeping);
  else if (key->parsed())
    read.command = std::move(making);
  else
    read.command = checking;
  return read;
}

} // namespace troupe::cli
