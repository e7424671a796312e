#include "actors/wiring.hpp"

#include "actors/io/reactor.hpp"
#include "actors/metrics/heap.hpp"
#include "actors/metrics/measures.hpp"
#include "actors/metrics/memory_watch.hpp"
#include "actors/metrics/process_usage.hpp"
#include "actors/sessions.hpp"
#include "actors/supervisor.hpp"
#include "actors/workshop.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace troupe {

namespace {

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
std::vector<hook> make_hooks(const runtime_options& options, const cast& made) {
  auto hooks = options.hooks;
  for (std::size_t i = 0; i < options.config.hooks.size(); ++i) {
    const auto& each = options.config.hooks[i];
    hook next;
    for (const auto& point : each.points)
      next.points.insert(point_named(point));
    next.handler = made.hooks.at(i);
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

std::vector<hook> hooks_for(const std::string& agent, const std::vector<hook>& all) {
  std::vector<hook> hooks;
  for (const auto& each : all)
    if (each.agents.empty() || each.agents.contains(agent))
      hooks.push_back(each);
  return hooks;
}

/// What may be another actor from one time to the next.
void put_handles(agent_wiring& wiring, const cast& made,
                 const std::shared_ptr<const guardrail_map>& guardrails, const std::vector<hook>& hooks) {
  const auto& definition = *wiring.definition;
  if (definition.kind == agent_kind::model)
    wiring.model = made.models.at(definition.model);
  for (auto& server : wiring.mcp_servers)
    for (const auto& [name, handle] : made.mcp_servers)
      if (name == server.name)
        server.handle = handle;
  wiring.agents = made.agents;
  wiring.guardrails = guardrails;
  wiring.hooks = hooks_for(definition.name, hooks);
}

std::shared_ptr<agent_wiring> make_wiring(const runtime_options& options, const agent_definition& definition,
                                          const cast& made, const price_list& prices,
                                          const price_list& dearest) {
  auto wiring = std::make_shared<agent_wiring>();
  wiring->definition = std::make_shared<const agent_definition>(definition);
  add_tools(options, made, *wiring);
  wiring->prices = prices;
  wiring->dearest = dearest;
  wiring->limits = limits_of(options.config);
  wiring->spending = options.config.limits.spending;
  wiring->run_timeout = options.config.limits.run_timeout;
  return wiring;
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

std::shared_ptr<session_environment> make_environment(const runtime_options& options,
                                                      const price_list& prices, const price_list& dearest,
                                                      const guardrail_map& guardrails) {
  auto environment = std::make_shared<session_environment>();
  environment->default_agent = options.config.agents.front().name;
  for (const auto& definition : options.config.agents)
    if (may_rewrite_input(definition, guardrails))
      environment->rewriting_agents.insert(definition.name);
  environment->limits = limits_of(options.config);
  environment->run_budget = options.config.limits.spending;
  environment->session_budget = options.config.sessions.spending;
  environment->prices = prices;
  environment->dearest = dearest;
  environment->run_timeout = options.config.limits.run_timeout;
  environment->max_queue = options.config.sessions.max_queue;
  environment->busy = busy_policy_named(options.config.sessions.on_busy).value_or(busy_policy::enqueue);
  environment->max_takeovers = options.config.journal.max_takeovers;
  return environment;
}

/// The outermost of what stands for a model.
const model_actor& recorded(const cast& made, const std::string& name) {
  const auto recording = made.recordings.find(name);
  return recording != made.recordings.end() ? recording->second : made.plain_models.at(name);
}

void name_models(cast& made) {
  for (const auto& [name, plain] : made.plain_models) {
    const auto chain = made.chains.find(name);
    made.models[name] = chain != made.chains.end() ? chain->second : recorded(made, name);
  }
}

std::shared_ptr<const run_measures> measures_of(const runtime_options& options, const cast& made) {
  std::vector<std::string> models;
  std::vector<std::string> servers;
  for (const auto& [name, handle] : made.models)
    models.push_back(name);
  for (const auto& [name, handle] : made.mcp_servers)
    servers.push_back(name);
  return make_run_measures(*options.counted, models, servers);
}

/// Where the bounds are that the front end does not know of.
void show_limits(const config::configuration& config, std::size_t memory, metrics& all) {
  const auto show = [&all](const char* bound, std::size_t limit, const std::string& name = {}) {
    show_limit(all, bound, static_cast<double>(limit), name);
  };
  show("runs", config.limits.max_runs);
  show("prompt", config.limits.max_prompt_bytes);
  show("history_items", config.limits.max_history_items);
  show("memory", memory);
  show("session_queue", config.sessions.max_queue);
  for (const auto& model : config.models)
    if (const auto* endpoint = std::get_if<config::endpoint_options>(&model.provider)) {
      show("model_queue", endpoint->max_queue, model.name);
      show("model_calls",
           std::min(endpoint->max_concurrency.value_or(endpoint->max_connections), endpoint->max_connections),
           model.name);
    }
  for (const auto& server : config.mcp_servers) {
    show("mcp_queue", server.max_queue, server.name);
    show("mcp_calls", server.max_concurrent_calls, server.name);
  }
}

/// What sessions count and watch.
void add_measures(const runtime_options& options, session_environment& environment) {
  const auto& limits = options.config.limits;
  environment.memory = std::make_shared<memory_watch>(limits.memory.value_or(available_memory()),
                                                      read_resident_bytes, trim_heap);
  environment.measures = make_session_measures(*options.counted);
  environment.max_history_items = limits.max_history_items;
  environment.max_prompt_bytes = limits.max_prompt_bytes;
  show_limits(options.config, environment.memory->limit(), *options.counted);
}

} // namespace

void make_wirings(const runtime_options& options, const std::shared_ptr<directory>& where, cast& made) {
  const auto prices = prices_of(options.config);
  const auto dearest = dearest_of(options.config, prices);
  name_models(made);
  const auto guardrails = make_guardrails(options, made);
  const auto measures = measures_of(options, made);
  for (const auto& definition : options.config.agents) {
    made.agent_names.push_back(definition.name);
    auto wiring = make_wiring(options, definition, made, prices, dearest);
    wiring->where = where;
    wiring->measures = measures;
    made.wirings[definition.name] = std::move(wiring);
  }
  auto environment = make_environment(options, prices, dearest, *guardrails);
  add_measures(options, *environment);
  made.environment = std::move(environment);
  renew_wirings(options, made);
}

namespace {

/// Not where it was told which ones are meant: others may want the rest.
bool takes_up_all(const runtime_options& options) {
  return options.takes_up_runs && options.runs_to_take_up.session_id.empty() &&
         options.runs_to_take_up.run_id.empty();
}

} // namespace

void renew_wirings(const runtime_options& options, cast& made) {
  name_models(made);
  const auto guardrails = make_guardrails(options, made);
  const auto hooks = make_hooks(options, made);
  for (auto& [name, known] : made.wirings) {
    auto wiring = std::make_shared<agent_wiring>(*known);
    ++wiring->version;
    put_handles(*wiring, made, guardrails, hooks);
    known = std::move(wiring);
  }
  auto environment = std::make_shared<session_environment>(*made.environment);
  environment->store = made.store;
  environment->is_journaled = made.is_journaled;
  environment->takes_up_left = made.is_journaled && takes_up_all(options);
  environment->hides = made.hides;
  environment->agents = made.agents;
  made.environment = std::move(environment);
}

named_models chain_of(const config::model_options& model, const cast& made) {
  named_models chain{{model.name, recorded(made, model.name)}};
  for (const auto& fallback : model.fallbacks)
    chain.push_back({fallback, recorded(made, fallback)});
  return chain;
}

http_backend make_http_backend(const cast& made, std::chrono::milliseconds run_timeout,
                               std::shared_ptr<metrics> counted) {
  http_backend backend{made.sessions, made.agent_names, made.mcp_servers, run_timeout};
  backend.supervisor = made.supervisor;
  backend.hides = made.hides;
  backend.counted = std::move(counted);
  backend.memory = made.environment->memory;
  return backend;
}

void tell_wirings(const runtime_options& options, const cast& made) {
  for (const auto& [name, recording] : made.recordings)
    caf::anon_send(caf::actor_cast<caf::actor>(recording), wire_atom::value, made.plain_models.at(name));
  for (const auto& model : options.config.models) {
    if (model.fallbacks.empty())
      continue;
    caf::anon_send(caf::actor_cast<caf::actor>(made.chains.at(model.name)), wire_atom::value,
                   chain_of(model, made));
  }
  for (const auto& [name, agent] : *made.agents)
    caf::anon_send(agent, wire_atom::value, made.wirings.find(name)->second);
  if (made.sessions)
    caf::anon_send(caf::actor_cast<caf::actor>(made.sessions), wire_atom::value, made.environment);
}

result<spawned_cast> spawn_cast(caf::actor_system& system, io::reactor& io, const runtime_options& options) {
  if (!options.counted) {
    auto counting = options;
    counting.counted = metrics::make();
    return spawn_cast(system, io, counting);
  }
  auto shop = workshop::open(system, io, options);
  if (!shop)
    return shop.error();
  auto where = std::make_shared<directory>();
  auto taken_up = (*shop)->orphans();
  auto parts = (*shop)->parts();
  cast made;
  std::vector<caf::actor> handles;
  for (const auto& each : parts) {
    // They are told by what they are made with.
    if (each.kind == "sessions")
      make_wirings(options, where, made);
    auto handle = each.make ? each.make(made) : caf::actor_cast<caf::actor>(options.models.at(each.name));
    if (!handle)
      return handle.error();
    each.put(made, *handle);
    handles.push_back(std::move(*handle));
  }
  tell_wirings(options, made);
  made.supervisor = system.spawn(supervisor, supervisor_setup{*shop, std::move(parts), handles, made, where});
  where->renew(std::make_shared<const cast>(made));
  return spawned_cast{std::move(made), std::move(where), std::move(taken_up)};
}

} // namespace troupe
