#include "actors/wiring.hpp"

#include "actors/agent.hpp"
#include "actors/endpoint_model.hpp"
#include "actors/fallback_model.hpp"
#include "actors/hook_client.hpp"
#include "actors/io/http_client.hpp"
#include "actors/mcp_server.hpp"
#include "actors/recording_model.hpp"
#include "actors/replay_model.hpp"
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
  std::vector<orphaned_run> orphans;
  std::map<std::string, client_box> clients;
  std::map<std::string, cassette_file> recordings;
  std::map<std::string, std::shared_ptr<cassette>> cassettes;
  std::vector<hook_client_box> hook_clients;
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
  // What is given in code counts as the configuration's.
  for (const auto& [name, handle] : options.models)
    config.models.push_back({name, scripted::script{}});
  for (const auto& [name, handle] : options.guardrails)
    config.guardrails.push_back({name, guardrail::builtin()});
  auto wrong = config::check(config);
  const auto more = check_code(options);
  wrong.insert(wrong.end(), more.begin(), more.end());
  if (wrong.empty())
    return {};
  return fail(errc::invalid_config, fmt::format("{}", fmt::join(wrong, "; ")));
}

result<std::unique_ptr<session_store>> open_store(const config::configuration& config) {
  const auto& options = config.sessions;
  if (options.store == config::session_options::store_kind::sqlite)
    return open_sqlite_store(options.path.string(), config.journal.kept);
  return make_memory_store({options.max_sessions});
}

/// Opens the store, and takes over what others have left unfinished if this is to carry it on.
result<void> prepare_store(const runtime_options& options, ingredients& made) {
  auto store = options.open_store ? options.open_store() : open_store(options.config);
  if (!store)
    return store.error();
  made.store = std::move(*store);
  if (!options.takes_up_runs)
    return {};
  auto orphans = made.store->adopt_runs();
  if (!orphans)
    return orphans.error();
  made.orphans = std::move(*orphans);
  return {};
}

result<void> prepare_model(io::reactor& io, const runtime_options& options,
                           const config::model_options& model, ingredients& made) {
  if (const auto* endpoint = std::get_if<config::endpoint_options>(&model.provider)) {
    auto client = make_model_client(io, *endpoint);
    if (!client)
      return client.error();
    made.clients[model.name] = std::make_shared<std::unique_ptr<io::http_client>>(std::move(*client));
  } else if (const auto* replay = std::get_if<config::replay_options>(&model.provider)) {
    auto recording = read_cassette(replay->cassette.string(), options.config.secrets);
    if (!recording)
      return recording.error();
    made.cassettes[model.name] = std::make_shared<cassette>(std::move(*recording));
  }
  if (model.record.empty())
    return {};
  auto file = open_cassette(model.record.string());
  if (!file)
    return file.error();
  made.recordings[model.name] = std::move(*file);
  return {};
}

result<ingredients> prepare(io::reactor& io, const runtime_options& options) {
  if (auto checked = check(options); !checked)
    return checked.error();
  ingredients made;
  if (auto prepared = prepare_store(options, made); !prepared)
    return prepared.error();
  for (const auto& model : options.config.models)
    if (auto prepared = prepare_model(io, options, model, made); !prepared)
      return fail(errc::invalid_config, fmt::format("model '{}': {}", model.name, prepared.error().detail));
  for (const auto& hook : options.config.hooks) {
    auto client = make_hook_client(io, hook);
    if (!client)
      return fail(errc::invalid_config, fmt::format("hook '{}': {}", hook.name, client.error().detail));
    made.hook_clients.push_back(std::move(*client));
  }
  return made;
}

model_actor spawn_scripted(caf::actor_system& system, const std::string& name, scripted::script script,
                           const std::vector<agent_definition>& agents) {
  script.handoffs = scripted::handoffs_of(agents);
  return system.spawn(scripted_model, name, std::move(script));
}

model_actor spawn_model(caf::actor_system& system, const config::model_options& model,
                        const config::configuration& config, const ingredients& made) {
  if (const auto* script = std::get_if<scripted::script>(&model.provider))
    return spawn_scripted(system, model.name, *script, config.agents);
  if (std::holds_alternative<config::replay_options>(model.provider))
    return system.spawn(replay_model, model.name, made.cassettes.at(model.name));
  return system.spawn(endpoint_model, model.name, std::get<config::endpoint_options>(model.provider),
                      config.secrets, made.clients.at(model.name));
}

/// All that must not be written down of a model's exchanges: also what stands in the file as it is.
std::vector<secret> secrets_of(const config::model_options& model, const config::configuration& config) {
  auto secrets = config.secrets;
  if (const auto* endpoint = std::get_if<config::endpoint_options>(&model.provider)) {
    secrets.push_back(endpoint->api_key);
    for (const auto& [name, value] : endpoint->headers)
      secrets.push_back(value);
  }
  return secrets;
}

void spawn_models(caf::actor_system& system, const runtime_options& options, const ingredients& made,
                  cast& into) {
  const auto& config = options.config;
  std::map<std::string, model_actor> plain = options.models;
  for (const auto& model : config.models) {
    auto handle = spawn_model(system, model, config, made);
    into.all_models.push_back(handle);
    if (!model.record.empty()) {
      handle = system.spawn<caf::detached>(
          recording_model,
          recording_setup{model.name, handle, made.recordings.at(model.name), secrets_of(model, config)});
      into.all_models.push_back(handle);
    }
    plain[model.name] = std::move(handle);
  }
  into.models = plain;
  for (const auto& model : config.models) {
    if (model.fallbacks.empty())
      continue;
    std::vector<named_model> chain{{model.name, plain.at(model.name)}};
    for (const auto& fallback : model.fallbacks)
      chain.push_back({fallback, plain.at(fallback)});
    auto handle = system.spawn(fallback_model, std::move(chain));
    into.all_models.push_back(handle);
    into.models[model.name] = std::move(handle);
  }
}

price_list prices_of(const config::configuration& config) {
  price_list prices;
  for (const auto& model : config.models)
    if (model.rate)
      prices.emplace(model.name, *model.rate);
  return prices;
}

/// What a call may cost at most: that of the dearest of a model and its fallbacks.
price_list dearest_of(const config::configuration& config, const price_list& prices) {
  price_list dearest;
  for (const auto& model : config.models) {
    if (model.fallbacks.empty())
      continue;
    price most{0, {}, 0};
    auto chain = model.fallbacks;
    chain.push_back(model.name);
    for (const auto& name : chain)
      if (const auto rate = prices.find(name); rate != prices.end()) {
        most.input = std::max(most.input, rate->second.input);
        most.output = std::max(most.output, rate->second.output);
      }
    dearest.emplace(model.name, most);
  }
  return dearest;
}

std::shared_ptr<const guardrail_map> make_guardrails(const runtime_options& options, const cast& made) {
  auto guardrails = std::make_shared<guardrail_map>(options.guardrails);
  for (const auto& each : options.config.guardrails) {
    named_guardrail made_of{guardrail::builtin{}, each.timeout};
    if (const auto* builtin = std::get_if<guardrail::builtin>(&each.check))
      made_of.check = *builtin;
    else if (const auto& [rule, model] = std::get<config::guardrail_options::judge>(each.check); true)
      made_of.check = judge{rule, model, made.models.at(model)};
    guardrails->insert_or_assign(each.name, std::move(made_of));
  }
  return guardrails;
}

hook_point point_named(std::string_view name) {
  for (auto value = 1; value < 8; ++value)
    if (to_string(static_cast<hook_point>(value)) == name)
      return static_cast<hook_point>(value);
  return hook_point::after_handoff;
}

/// Code's first, then those of the configuration.
std::vector<hook> make_hooks(caf::actor_system& system, const runtime_options& options,
                             const ingredients& made, cast& into) {
  auto hooks = options.hooks;
  for (std::size_t i = 0; i < options.config.hooks.size(); ++i) {
    const auto& each = options.config.hooks[i];
    hook next;
    for (const auto& point : each.points)
      next.points.insert(point_named(point));
    auto handle = spawn_hook_client(system, each, made.hook_clients[i], options.config.secrets);
    into.hooks.push_back(handle);
    next.handler = std::move(handle);
    // The client times out by itself, with a better message.
    next.timeout = each.timeout + defaults::hook_timeout;
    next.fails_open = each.fails_open;
    next.name = each.name.empty() ? each.url : each.name;
    next.agents.insert(each.agents.begin(), each.agents.end());
    hooks.push_back(std::move(next));
  }
  return hooks;
}

run::limits limits_of(const config::configuration& config) {
  return {config.limits.max_turns, config.limits.max_tool_output_bytes, config.limits.max_parallel_tools,
          config.journal.fails_in_doubt};
}

store_actor spawn_store(caf::actor_system& system, const runtime_options& options, ingredients& made) {
  const auto& config = options.config;
  auto setup = std::make_shared<store_setup>(store_setup{std::move(made.store)});
  setup->kept = config.journal.over;
  if (config.journal.kept != durability::full)
    setup->sync_interval = config.journal.sync_interval;
  // SQLite blocks; a map does not.
  if (!options.open_store && config.sessions.store == config::session_options::store_kind::sqlite)
    return system.spawn<caf::detached>(store_behavior, std::move(setup));
  setup->sync_interval = {};
  return system.spawn(store_behavior, std::move(setup));
}

/// What all agents share.
struct common_wiring {
  std::shared_ptr<const guardrail_map> guardrails;
  std::vector<hook> hooks;
  price_list prices;
  price_list dearest;
};

const agent_definition& definition_of(const runtime_options& options, const std::string& name) {
  const auto& agents = options.config.agents;
  return *std::find_if(agents.begin(), agents.end(), [&](const auto& known) { return known.name == name; });
}

void add_tools(const runtime_options& options, const cast& made, agent_wiring& wiring) {
  const auto& definition = *wiring.definition;
  for (const auto& name : definition.mcp_servers)
    for (std::size_t i = 0; i < made.mcp_servers.size(); ++i)
      if (made.mcp_servers[i].first == name)
        wiring.mcp_servers.push_back({name, made.mcp_servers[i].second,
                                      options.config.mcp_servers[i].approval,
                                      options.config.mcp_servers[i].trusted});
  auto specs = std::make_shared<tool_list>();
  for (const auto& [agent, tool] : options.tools) {
    if (agent != definition.name)
      continue;
    wiring.tools.push_back(tool);
    specs->push_back(tool.spec);
  }
  wiring.code_tools = std::move(specs);
  for (const auto& handoff : definition.handoffs)
    wiring.handoffs.push_back(make_handoff_target(handoff, definition_of(options, handoff.agent)));
  for (const auto& tool : definition.agent_tools)
    wiring.agent_tools.push_back(make_agent_target(tool, definition_of(options, tool.agent)));
  if (wiring.mcp_servers.empty())
    wiring.toolbox = std::make_shared<const toolbox>(std::vector<tool_source>{{"", wiring.code_tools}},
                                                     wiring.handoffs, wiring.agent_tools, wiring.definition);
}

std::shared_ptr<agent_wiring> make_wiring(const runtime_options& options, const agent_definition& definition,
                                          const cast& made, const common_wiring& common) {
  auto wiring = std::make_shared<agent_wiring>();
  wiring->definition = std::make_shared<const agent_definition>(definition);
  if (definition.kind == agent_kind::model)
    wiring->model = made.models.at(definition.model);
  add_tools(options, made, *wiring);
  wiring->agents = made.agents;
  wiring->guardrails = common.guardrails;
  for (const auto& each : common.hooks)
    if (each.agents.empty() || each.agents.contains(definition.name))
      wiring->hooks.push_back(each);
  wiring->prices = common.prices;
  wiring->dearest = common.dearest;
  wiring->limits = limits_of(options.config);
  wiring->spending = options.config.limits.spending;
  wiring->run_timeout = options.config.limits.run_timeout;
  return wiring;
}

void spawn_agents(caf::actor_system& system, const runtime_options& options, const common_wiring& common,
                  cast& made) {
  auto agents = std::make_shared<roster>();
  for (const auto& definition : options.config.agents) {
    agents->emplace(definition.name, system.spawn(agent_behavior));
    made.agent_names.push_back(definition.name);
  }
  made.agents = std::move(agents);
  for (const auto& definition : options.config.agents)
    caf::anon_send(made.agents->find(definition.name)->second, wire_atom::value,
                   agent_wiring_ptr(make_wiring(options, definition, made, common)));
}

/// Whether what the user said may be changed before the agent's model sees it.
bool may_rewrite_input(const agent_definition& definition, const guardrail_map& guardrails) {
  return std::any_of(definition.input_guardrails.begin(), definition.input_guardrails.end(),
                     [&](const auto& use) {
                       const auto found = guardrails.find(use.name);
                       if (found == guardrails.end() || std::holds_alternative<judge>(found->second.check))
                         return false;
                       const auto* builtin = std::get_if<guardrail::builtin>(&found->second.check);
                       return builtin == nullptr || guardrail::may_rewrite(*builtin);
                     });
}

void spawn_sessions(caf::actor_system& system, const runtime_options& options, const common_wiring& common,
                    const ingredients& prepared, cast& made) {
  auto environment = std::make_shared<session_environment>();
  environment->store = made.store;
  environment->agents = made.agents;
  environment->default_agent = made.agent_names.front();
  for (const auto& definition : options.config.agents)
    if (may_rewrite_input(definition, *common.guardrails))
      environment->rewriting_agents.insert(definition.name);
  environment->limits = limits_of(options.config);
  environment->run_budget = options.config.limits.spending;
  environment->session_budget = options.config.sessions.spending;
  environment->prices = common.prices;
  environment->dearest = common.dearest;
  environment->run_timeout = options.config.limits.run_timeout;
  environment->max_queue = options.config.sessions.max_queue;
  environment->busy = busy_policy_named(options.config.sessions.on_busy).value_or(busy_policy::enqueue);
  environment->is_journaled = made.is_journaled;
  environment->max_takeovers = options.config.journal.max_takeovers;
  made.sessions =
      system.spawn(sessions_behavior, session_environment_ptr(std::move(environment)),
                   sessions_limits{options.config.limits.max_runs, options.config.sessions.idle_timeout,
                                   options.config.sessions.max_idle, options.config.limits.kept_runs},
                   prepared.orphans);
}

} // namespace

result<cast> spawn_cast(caf::actor_system& system, io::reactor& io, const runtime_options& options) {
  auto prepared = prepare(io, options);
  if (!prepared)
    return prepared.error();
  cast made;
  spawn_models(system, options, *prepared, made);
  for (const auto& server : options.config.mcp_servers)
    made.mcp_servers.emplace_back(
        server.name, system.spawn(mcp_server, server, options.config.secrets, reactor_reference{&io}));
  made.is_journaled = prepared->store->has_journal();
  made.store = spawn_store(system, options, *prepared);
  const auto prices = prices_of(options.config);
  const common_wiring common{make_guardrails(options, made), make_hooks(system, options, *prepared, made),
                             prices, dearest_of(options.config, prices)};
  spawn_agents(system, options, common, made);
  spawn_sessions(system, options, common, *prepared, made);
  return made;
}

} // namespace troupe
