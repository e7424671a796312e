#include "actors/wiring.hpp"

#include "actors/agent.hpp"
#include "actors/io/http_client.hpp"
#include "actors/mcp_server.hpp"
#include "actors/openai_model.hpp"
#include "actors/scripted_model.hpp"
#include "actors/sessions.hpp"
#include "actors/store.hpp"

#include <caf/send.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe {

namespace {

using client_box = std::shared_ptr<std::unique_ptr<io::http_client>>;

/// All that can fail, made before the first actor.
struct ingredients {
  std::unique_ptr<session_store> store;
  std::map<std::string, client_box> clients;
};

/// What `config::check` cannot see: names that only code gives.
std::vector<std::string> check_code(const runtime_options& options) {
  std::vector<std::string> wrong;
  const auto& agents = options.config.agents;
  for (const auto& [agent, tool] : options.tools)
    if (std::none_of(agents.begin(), agents.end(), [&](const auto& known) { return known.name == agent; }))
      wrong.push_back(
          fmt::format("the tool '{}' is for the agent '{}', which does not exist", tool.spec.name, agent));
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& [agent, tool] : options.tools)
    if (!seen.emplace(agent, tool.spec.name).second)
      wrong.push_back(
          fmt::format("the agent '{}' has two tools in code that are called '{}'", agent, tool.spec.name));
  return wrong;
}

result<void> check(const runtime_options& options) {
  auto config = options.config;
  // Models given in code count as models of the configuration.
  for (const auto& [name, handle] : options.models)
    config.models.push_back({name, scripted::script{}});
  auto wrong = config::check(config);
  const auto more = check_code(options);
  wrong.insert(wrong.end(), more.begin(), more.end());
  if (wrong.empty())
    return {};
  return fail(errc::invalid_config, fmt::format("{}", fmt::join(wrong, "; ")));
}

result<std::unique_ptr<session_store>> open_store(const config::session_options& options) {
  if (options.store == config::session_options::store_kind::sqlite)
    return open_sqlite_store(options.path.string());
  return make_memory_store({options.max_sessions});
}

result<ingredients> prepare(io::reactor& io, const runtime_options& options) {
  if (auto checked = check(options); !checked)
    return checked.error();
  ingredients made;
  auto store = open_store(options.config.sessions);
  if (!store)
    return store.error();
  made.store = std::move(*store);
  for (const auto& model : options.config.models) {
    const auto* openai = std::get_if<config::openai_options>(&model.provider);
    if (openai == nullptr)
      continue;
    auto client = make_model_client(io, *openai);
    if (!client)
      return fail(errc::invalid_config, fmt::format("model '{}': {}", model.name, client.error().detail));
    made.clients[model.name] = std::make_shared<std::unique_ptr<io::http_client>>(std::move(*client));
  }
  return made;
}

model_actor spawn_model(caf::actor_system& system, const config::model_options& model,
                        const std::vector<secret>& secrets, const ingredients& made) {
  if (const auto* script = std::get_if<scripted::script>(&model.provider))
    return system.spawn(scripted_model, *script);
  return system.spawn(openai_model, model.name, std::get<config::openai_options>(model.provider), secrets,
                      made.clients.at(model.name));
}

store_actor spawn_store(caf::actor_system& system, const config::session_options& options,
                        ingredients& made) {
  auto store = std::make_shared<std::unique_ptr<session_store>>(std::move(made.store));
  // SQLite blocks; a map does not.
  if (options.store == config::session_options::store_kind::sqlite)
    return system.spawn<caf::detached>(store_behavior, std::move(store));
  return system.spawn(store_behavior, std::move(store));
}

std::shared_ptr<agent_wiring> make_wiring(const runtime_options& options, const agent_definition& definition,
                                          const cast& made) {
  auto wiring = std::make_shared<agent_wiring>();
  wiring->definition = std::make_shared<const agent_definition>(definition);
  wiring->model = made.models.at(definition.model);
  for (const auto& name : definition.mcp_servers)
    for (const auto& [known, handle] : made.mcp_servers)
      if (known == name)
        wiring->mcp_servers.push_back({name, handle});
  auto specs = std::make_shared<tool_list>();
  for (const auto& [agent, tool] : options.tools) {
    if (agent != definition.name)
      continue;
    wiring->tools.push_back(tool);
    specs->push_back(tool.spec);
  }
  wiring->code_tools = std::move(specs);
  for (const auto& name : definition.handoffs)
    for (const auto& target : options.config.agents)
      if (target.name == name)
        wiring->handoffs.push_back(make_handoff_target(target));
  if (wiring->mcp_servers.empty())
    wiring->toolbox =
        std::make_shared<const toolbox>(std::vector<tool_source>{{"", wiring->code_tools}}, wiring->handoffs);
  wiring->agents = made.agents;
  wiring->limits = {options.config.limits.max_turns, options.config.limits.max_tool_output_bytes};
  wiring->run_timeout = options.config.limits.run_timeout;
  return wiring;
}

void spawn_agents(caf::actor_system& system, const runtime_options& options, cast& made) {
  auto agents = std::make_shared<roster>();
  for (const auto& definition : options.config.agents) {
    agents->emplace(definition.name, system.spawn(agent_behavior));
    made.agent_names.push_back(definition.name);
  }
  made.agents = std::move(agents);
  for (const auto& definition : options.config.agents)
    caf::anon_send(made.agents->find(definition.name)->second, wire_atom::value,
                   agent_wiring_ptr(make_wiring(options, definition, made)));
}

void spawn_sessions(caf::actor_system& system, const runtime_options& options, cast& made) {
  auto environment = std::make_shared<session_environment>();
  environment->store = made.store;
  environment->agents = made.agents;
  environment->default_agent = made.agent_names.front();
  environment->limits = {options.config.limits.max_turns, options.config.limits.max_tool_output_bytes};
  environment->run_timeout = options.config.limits.run_timeout;
  environment->max_queue = options.config.sessions.max_queue;
  made.sessions =
      system.spawn(sessions_behavior, session_environment_ptr(std::move(environment)),
                   sessions_limits{options.config.limits.max_runs, options.config.sessions.idle_timeout,
                                   options.config.sessions.max_idle});
}

} // namespace

result<cast> spawn_cast(caf::actor_system& system, io::reactor& io, const runtime_options& options) {
  auto prepared = prepare(io, options);
  if (!prepared)
    return prepared.error();
  cast made;
  made.models = options.models;
  for (const auto& model : options.config.models)
    made.models.emplace(model.name, spawn_model(system, model, options.config.secrets, *prepared));
  for (const auto& server : options.config.mcp_servers)
    made.mcp_servers.emplace_back(
        server.name, system.spawn(mcp_server, server, options.config.secrets, reactor_reference{&io}));
  made.store = spawn_store(system, options.config.sessions, *prepared);
  spawn_agents(system, options, made);
  spawn_sessions(system, options, made);
  return made;
}

} // namespace troupe
