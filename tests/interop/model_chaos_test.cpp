#include "tests/interop/support/aimock.hpp"
#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include <poll.h>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t session_count = 50;
constexpr std::size_t runs_each = 20;
constexpr std::size_t max_connections = 16;

const std::vector<wire_format> formats = {wire_format::chat_completions, wire_format::responses,
                                          wire_format::anthropic};

std::size_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

config::model_options model_of(const aimock& endpoint, wire_format format, bool calm) {
  auto model = endpoint.model({format});
  model.name = fmt::format("{}-{}", to_string(format), calm ? "calm" : "chaos");
  auto& options = std::get<config::endpoint_options>(model.provider);
  options.max_connections = max_connections;
  options.timeout = 20s;
  // Few, so that some runs fail for good.
  options.retry.max_retries = format == wire_format::responses ? 2 : 1;
  // Each call for itself: none is refused for what others met.
  options.max_retries_in_flight = session_count;
  options.breaker.failures = 0;
  if (!calm)
    for (const auto* kind : {"drop", "malformed", "disconnect", "ratelimit"})
      options.headers.emplace_back(fmt::format("X-Aimock-Chaos-{}", kind), secret("0.1"));
  return model;
}

/// For each format an agent whose model suffers and one whose model does not. Those that speak Anthropic's
/// have the tools of an MCP server, the others have theirs in code.
runtime_options agents_of(const aimock& endpoint) {
  runtime_options options;
  for (const bool calm : {false, true})
    for (const auto format : formats) {
      auto model = model_of(endpoint, format, calm);
      agent_definition agent;
      agent.name = agent.model = model.name;
      if (format == wire_format::anthropic)
        agent.mcp_servers = {"stub"};
      else
        add_tools(options, agent.name);
      options.config.agents.push_back(agent);
      options.config.models.push_back(std::move(model));
    }
  options.config.mcp_servers = {stub("normal")};
  // A run that hangs ends by this, with an error that is not a model's.
  options.config.limits.run_timeout = 45s;
  return options;
}

std::string session_name(std::size_t number) {
  return "session-" + std::to_string(number);
}

/// Formats and ways change from run to run, so that each session has been through all of them.
chat_request request_of(std::size_t session, std::size_t run, const char* what) {
  chat_request request;
  request.prompt = fmt::format("{} {}", what, run);
  request.session_id = session_name(session);
  request.agent = fmt::format("{}-{}", to_string(formats[(session + run) % formats.size()]),
                              run < runs_each ? "chaos" : "calm");
  request.streamed = (session + run / formats.size()) % 2 == 0;
  request.is_new = run == 0;
  return request;
}

/// Why a run failed, in a word; empty for what no run may fail by.
std::string cause_of(const error& failure) {
  if (failure.code != errc::model_failed)
    return failure.code == errc::model_timeout || failure.code == errc::model_stream_cut
               ? std::string(to_string(failure.code))
               : std::string();
  for (const auto* word : {"answered 500", "answered 429", "JSON"})
    if (failure.detail.find(word) != std::string::npos)
      return word;
  return "no connection";
}

/// What is wrong with the items that a run has left in its session, or nothing.
std::string flaw_of(const item_list& items, const result<chat_reply>& outcome) {
  if (outcome && outcome->items != items)
    return "the session has not what the reply has";
  std::set<std::string> open, closed;
  for (const auto& entry : items) {
    if (const auto* call = std::get_if<tool_call>(&entry)) {
      if (closed.contains(call->call_id) || !open.insert(call->call_id).second)
        return "a call's id was given twice";
    } else if (const auto* output = std::get_if<tool_output>(&entry)) {
      if (open.erase(output->call_id) != 1)
        return "an output without its call";
      if (output->is_error)
        return "a tool failed";
      closed.insert(output->call_id);
    }
  }
  if (!open.empty())
    return "a call without its output";
  const bool has_answer = std::holds_alternative<assistant_message>(items.back());
  return has_answer == outcome.has_value() ? "" : "an answer without a result, or the other way round";
}

/// The session, cut before each thing the user said.
std::vector<item_list> runs_of(const item_list& items) {
  std::vector<item_list> runs;
  for (const auto& entry : items) {
    if (std::holds_alternative<user_message>(entry) || runs.empty())
      runs.emplace_back();
    runs.back().push_back(entry);
  }
  return runs;
}

using replies = std::vector<std::vector<watched_reply>>;

replies ask_everything(household& home) {
  std::vector<std::vector<std::future<watched_reply>>> asked(session_count);
  for (std::size_t run = 0; run < runs_each; ++run)
    for (std::size_t session = 0; session < session_count; ++session)
      asked[session].push_back(home.watch(request_of(session, run, "work")));
  replies all(session_count);
  for (std::size_t session = 0; session < session_count; ++session)
    for (auto& answer : asked[session])
      all[session].push_back(await(std::move(answer)));
  return all;
}

void check_sessions(household& home, const replies& all) {
  for (std::size_t session = 0; session < session_count; ++session) {
    INFO(session_name(session));
    const auto runs = runs_of(await(home.session(session_name(session))).value()->items);
    REQUIRE(runs.size() == runs_each);
    for (std::size_t run = 0; run < runs_each; ++run) {
      INFO("run " << run << ": " << to_json(runs[run]).dump());
      REQUIRE(runs[run].front() == item(user_message{fmt::format("work {}", run)}));
      REQUIRE(flaw_of(runs[run], all[session][run].outcome).empty());
    }
  }
}

/// Failures by their causes, and "result" for the others.
std::map<std::string, std::size_t> count(const replies& all) {
  std::map<std::string, std::size_t> counts;
  for (const auto& session : all)
    for (const auto& reply : session) {
      const auto cause = reply.outcome ? "result" : cause_of(reply.outcome.error());
      INFO((reply.outcome ? "" : reply.outcome.error().detail));
      REQUIRE_FALSE(cause.empty());
      ++counts[cause];
    }
  return counts;
}

/// Whether it comes to hold. Nobody tells when an actor is gone or a connection closed, so it is asked for
/// again and again, at a pace that leaves the processor to others.
bool soon(const std::function<bool()>& holds) {
  const auto end = steady_clock::now() + patience;
  while (!holds()) {
    if (steady_clock::now() > end)
      return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

} // namespace

TEST_CASE(
    "of 1,000 runs with a chaotic model each ends in a result or a model's error, and leaves no trace") {
  const aimock endpoint({"chaos"}, 20'260);
  const auto files = open_files();
  std::optional<watched_process> server;
  {
    household home(agents_of(endpoint));
    const auto is_ready = [](const mcp_status& now) { return now.state == mcp_state::ready; };
    server.emplace(static_cast<pid_t>(home.status_when("stub", is_ready).pid));
    const auto actors = home.actors();
    const auto begin = steady_clock::now();
    const auto all = ask_everything(home);
    const std::chrono::duration<double> took = steady_clock::now() - begin;

    auto counts = count(all);
    std::string told = fmt::format("{} runs in {:.1f} s", session_count * runs_each, took.count());
    for (const auto& [cause, times] : counts)
      told += fmt::format(", {}: {}", cause, times);
    WARN(told);
    // A connection that is cut is replaced, and then tried again, so that hardly a run fails by that.
    for (const auto* cause : {"result", "answered 500", "answered 429", "JSON"})
      CHECK(counts[cause] > 0);
    CHECK_FALSE(endpoint.journal("status=0&limit=1").empty());
    check_sessions(home, all);

    // What is left: the actors of the sessions, and the pools' connections.
    CHECK(soon([&] { return home.actors() <= actors + session_count; }));
    CHECK(soon([&] { return endpoint.open_connections() <= 2 * formats.size() * max_connections; }));

    for (std::size_t session = 0; session < session_count; ++session) {
      INFO(session_name(session));
      const auto next = await(home.watch(request_of(session, runs_each, "just talk")));
      CHECK(next.outcome.value().result == "Still here.");
    }
    CHECK(home.status("stub").restarts == 0);
  }
  CHECK(server->ends());
  server.reset();
  CHECK(endpoint.open_connections() == 0);
  CHECK(open_files() == files);
}
