// A program of somebody else: reads an agent file and has an actor of its own tell what is in it.
#include "libagent/config/config.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

constexpr auto agent_file = R"(
models:
  default: {provider: openai, base_url: "http://127.0.0.1:1/v1", api_key: "${KEY}", model: any}
agents:
  - name: triage
    instructions: You determine which agent to use.
    handoffs: [Cloud Watch]
  - name: Cloud Watch
    description: Questions about the cloud
    instructions: You answer.
)";

caf::behavior narrator(caf::event_based_actor*, const troupe::config::configuration& config) {
  return {[config](const std::string& separator) {
    std::string told;
    for (const auto& agent : config.agents)
      told += troupe::handoff_tool_name(agent.name) + separator;
    return told;
  }};
}

} // namespace

int main() {
  auto environment = [](const std::string&) { return std::optional<std::string>{"secret"}; };
  auto loaded = troupe::config::parse(agent_file, "troupe.yaml", environment);
  for (const auto& error : loaded.errors)
    std::cerr << to_string(error) << '\n';
  if (!loaded.value)
    return EXIT_FAILURE;

  caf::actor_system_config system_config;
  caf::actor_system system{system_config};
  std::string told;
  {
    caf::scoped_actor self{system};
    self->request(self->spawn(narrator, *loaded.value), std::chrono::seconds(10), std::string{";"})
        .receive([&](const std::string& answer) { told = answer; },
                 [&](const caf::error& reason) { std::cerr << system.render(reason) << '\n'; });
  }
  std::cout << told << '\n';
  return told == "transfer_to_triage;transfer_to_cloud_watch;" ? EXIT_SUCCESS : EXIT_FAILURE;
}
