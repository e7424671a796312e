// Troupe inside a CAF program of your own: agents defined in code, a tool that is a lambda, a tool that is an
// actor, an MCP server, and a REST front end that is started from inside an actor's message handler while the
// MCP server is connected. REST and this terminal talk to the same agents.
//
//   embedding PATH_TO_HOSTWATCH        type a question, or send it to the printed address; end with Ctrl-D
#include "actors/runtime.hpp"
#include "actors/system_config.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <csignal>
#include <iostream>
#include <poll.h>
#include <string>
#include <sys/signalfd.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

/// A configuration of our own, with what Troupe needs added to it.
struct my_config : caf::actor_system_config {
  my_config() {
    opt_group{custom_options_, "global"}.add(hostwatch, "hostwatch", "path of the hostwatch MCP server");
    troupe::extend(*this);
  }
  std::string hostwatch;
};

/// A tool that is an actor keeps state between calls.
struct counter_state {
  int count = 0;
};
troupe::tool_actor::behavior_type counter(troupe::tool_actor::stateful_pointer<counter_state> self) {
  return {[self](const troupe::tool_invocation&) {
    return troupe::tool_result::text(std::to_string(++self->state.count));
  }};
}

/// Stands in for a real model, so that the example needs no key: rules of the scripted provider, in code.
troupe::scripted::script rules() {
  using namespace troupe::scripted;
  const auto on_user = [](const char* agent, const char* pattern) {
    condition when;
    when.agent = agent;
    when.user = *compile_pattern(pattern);
    return when;
  };
  const auto on_tool = [](const char* tool) {
    condition when;
    when.tool = tool;
    return when;
  };
  script made;
  made.rules = {
      {on_tool("memory"), "{{output.available}} of memory are available.", {}, {}},
      {on_tool("count"), "That was question {{output}}.", {}, {}},
      {on_tool("shout"), "{{output}}", {}, {}},
      {on_user("triage", "(?i)memory"), {}, {}, "machine"},
      {on_user("machine", "(?i)memory"), {}, {{"memory", troupe::json::object()}}, {}},
      {on_user("triage", "(?i)count"), {}, {{"count", troupe::json::object()}}, {}},
      {on_user("triage", "(?i)shout (.*)"), {}, {{"shout", {{"text", "{{1}}"}}}}, {}},
      {{}, "Ask about memory, or say: count, or shout WORDS.", {}, {}},
  };
  return made;
}

troupe::runtime_options define(caf::actor_system& system, const std::string& hostwatch) {
  troupe::runtime_options options;
  options.config.models.push_back({"default", rules()});

  troupe::config::mcp_server_options server;
  server.name = "hostwatch";
  server.command = hostwatch;
  options.config.mcp_servers.push_back(server);

  troupe::agent_definition triage;
  triage.name = "triage";
  triage.instructions = "You determine which agent to use based on the user's question.";
  triage.handoffs = {"machine"};
  troupe::agent_definition machine;
  machine.name = "machine";
  machine.description = "Questions about this machine";
  machine.mcp_servers = {"hostwatch"};
  options.config.agents = {triage, machine};

  options.tools.emplace_back("triage",
                             troupe::function_tool(
                                 "shout", "Says it in capitals",
                                 [](std::string text) {
                                   for (auto& c : text)
                                     c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
                                   return text;
                                 },
                                 troupe::parameter{"text", "What to say"}));
  options.tools.emplace_back("triage",
                             troupe::actor_tool({"count", "Counts its calls", {}}, system.spawn(counter)));
  return options;
}

using open_atom = caf::atom_constant<caf::atom("open")>;

/// An actor of our own. It starts the front end from its handler: the call returns at once, and the port
/// comes as an answer like any other.
caf::behavior doorman(caf::event_based_actor* self, const troupe::runtime& runtime) {
  return {[self, runtime](open_atom) {
    troupe::config::server_options options;
    options.port = 0;
    const auto front = runtime.serve_http(options);
    self->request(front, 10s, troupe::port_atom::value)
        .then(
            [self](std::uint16_t port) {
              std::cout << "listening on http://127.0.0.1:" << port << std::endl;
              self->quit();
            },
            [self](const caf::error& reason) {
              std::cerr << troupe::from_caf(reason).detail << std::endl;
              self->quit();
            });
  }};
}

/// Reads lines until the end of input or a signal; each goes to the same agents that REST serves.
void talk(caf::scoped_actor& self, const troupe::runtime& runtime, int signals) {
  const auto session = troupe::new_session_id();
  pollfd sources[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
  // Lines that were read ahead are not seen by poll.
  while (std::cin.rdbuf()->in_avail() > 0 || (poll(sources, 2, -1) > 0 && sources[1].revents == 0)) {
    troupe::chat_request request;
    if (!std::getline(std::cin, request.prompt))
      return;
    request.session_id = session;
    self->request(runtime.sessions(), 60s, request)
        .receive(
            [](const troupe::chat_reply& reply) {
              std::cout << reply.agent << ": " << reply.result << std::endl;
            },
            [](const caf::error& reason) { std::cout << troupe::from_caf(reason).detail << std::endl; });
  }
}

/// Signals become readable, so that the terminal and SIGTERM can be waited for together.
int signals_as_descriptor() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: embedding PATH_TO_HOSTWATCH\n";
    return 2;
  }
  std::ios::sync_with_stdio(false);
  const int signals = signals_as_descriptor();
  my_config config;
  config.hostwatch = argv[1];
  caf::actor_system system(config);
  auto runtime = troupe::runtime::start(system, define(system, config.hostwatch));
  if (!runtime) {
    std::cerr << runtime.error().detail << '\n';
    return 2;
  }
  caf::anon_send(system.spawn(doorman, *runtime), open_atom::value);
  {
    caf::scoped_actor self(system);
    talk(self, *runtime, signals);
  }
  runtime->shutdown(10s);
  return 0;
}
