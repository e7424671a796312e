// A program of somebody else: has its own actor system and configuration, runs agents in it, and asks one as
// a typed actor.
#include "actors/runtime.hpp"
#include "actors/system_config.hpp"
#include "libagent/config/config.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

constexpr auto agent_file = R"yaml(
models:
  default:
    provider: scripted
    rules:
      - when: {agent: triage, user: 'twice (?P<word>\w+)'}
        handoff: repeater
      - when: {agent: repeater, user: 'twice (?P<word>\w+)'}
        call: {tool: repeat, arguments: {text: "{{word}}", times: 2}}
      - when: {tool: repeat}
        say: "{{output}}"
agents:
  - name: triage
    instructions: You determine which agent to use.
    handoffs: [repeater]
  - name: repeater
    instructions: You repeat.
)yaml";

struct my_config : caf::actor_system_config {
  my_config() { troupe::extend(*this); }
};

troupe::code_tool repeat() {
  return troupe::function_tool(
      "repeat", "Repeats a text",
      [](const std::string& text, int times) {
        std::string all;
        for (int i = 0; i < times; ++i)
          all += text;
        return all;
      },
      troupe::parameter{"text", "What to repeat"}, troupe::parameter{"times", "How often"});
}

std::string ask(caf::actor_system& system, const troupe::agent_actor& agent, const std::string& prompt) {
  caf::scoped_actor self(system);
  std::string told;
  self->request(agent, std::chrono::seconds(10), troupe::run_request{prompt, nullptr})
      .receive([&](const troupe::run_reply& reply) { told = reply.agent + ": " + reply.result; },
               [&](const caf::error& reason) { told = system.render(reason); });
  return told;
}

} // namespace

int main() {
  auto loaded =
      troupe::config::parse(agent_file, "troupe.yaml", [](const std::string&) { return std::nullopt; });
  for (const auto& error : loaded.errors)
    std::cerr << to_string(error) << '\n';
  if (!loaded.value)
    return EXIT_FAILURE;

  my_config config;
  caf::actor_system system{config};
  troupe::runtime_options options;
  options.config = *loaded.value;
  options.tools.emplace_back("repeater", repeat());
  const auto runtime = troupe::runtime::start(system, std::move(options));
  if (!runtime) {
    std::cerr << runtime.error().detail << '\n';
    return EXIT_FAILURE;
  }
  const auto told = ask(system, runtime->agent("triage").value(), "twice ho");
  const auto failed = ask(system, runtime->agent("triage").value(), "nothing fits this");
  std::cout << told << '\n' << failed << '\n';
  return told == "repeater: hoho" && failed.find("model_failed") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
