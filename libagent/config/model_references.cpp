#include "libagent/config/circles.hpp"
#include "libagent/config/reference_names.hpp"
#include "libagent/config/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

/// A rule of a scripted model.
struct rule_place {
  const scripted::rule& rule;
  std::string what;
  std::string path;
};

bool has_handoff(const agent_definition& agent, const std::string& target) {
  return std::any_of(agent.handoffs.begin(), agent.handoffs.end(),
                     [&](const handoff_definition& each) { return each.agent == target; });
}

/// The agent that asks has to have the handoff.
void check_listed(reference_names& names, const rule_place& at) {
  const auto& [rule, what, path] = at;
  const auto handoff_path = path + "/handoff";
  const auto owner = names.agents().owners.find(*rule.when.agent)->second;
  if (has_handoff(names.value().agents[owner], *rule.handoff) ||
      names.is_broken(fmt::format("agents/{}/handoffs", owner)))
    return;
  names.report(
      handoff_path,
      fmt::format("{} hands off to {}, which is no handoff of agent {}; add it to that agent's handoffs",
                  what, names.show(handoff_path, *rule.handoff),
                  names.show(path + "/when/agent", *rule.when.agent)));
}

/// Whoever asks, somebody has to have the handoff.
void check_listed_anywhere(reference_names& names, const rule_place& at) {
  const auto& [rule, what, path] = at;
  const auto& agents = names.value().agents;
  for (std::size_t i = 0; i < agents.size(); ++i)
    if (has_handoff(agents[i], *rule.handoff) || names.is_broken(fmt::format("agents/{}/handoffs", i)))
      return;
  const auto handoff_path = path + "/handoff";
  names.report(handoff_path,
               fmt::format("{} hands off to {}, which is no handoff of any agent; add it to the "
                           "handoffs of the agent that asks",
                           what, names.show(handoff_path, *rule.handoff)));
}

void check_rule(reference_names& names, const rule_place& at) {
  const auto& [rule, what, path] = at;
  const auto& agents = names.agents();
  const auto knows_agent = rule.when.agent && !names.check(path + "/when/agent", what + " is for agent",
                                                           *rule.when.agent, agents, "agents");
  if (!rule.handoff ||
      names.check(path + "/handoff", what + " hands off to", *rule.handoff, agents, "agents"))
    return;
  if (knows_agent && agents.complete)
    check_listed(names, at);
  else if (!rule.when.agent && agents.complete)
    check_listed_anywhere(names, at);
}

void check_provider(reference_names& names, const model_options& model, const std::string& path) {
  const auto* endpoint = std::get_if<endpoint_options>(&model.provider);
  if (endpoint && endpoint->wire.model.empty() && !names.is_from_file())
    names.report(path, fmt::format("model {} has no wire.model; give it the endpoint's name of the model",
                                   in_quotes(model.name)));
  const auto* script = std::get_if<scripted::script>(&model.provider);
  for (std::size_t i = 0; script && i < script->rules.size(); ++i)
    check_rule(names, {script->rules[i], fmt::format("rule {} of model {}", i + 1, in_quotes(model.name)),
                       fmt::format("{}/rules/{}", path, i)});
}

/// The references that are right but for where they lead to in the end.
std::vector<reference> check_fallbacks(reference_names& names, const model_options& model,
                                       const std::string& path) {
  std::vector<reference> right;
  for (std::size_t i = 0; i < model.fallbacks.size(); ++i) {
    const auto& name = model.fallbacks[i];
    const auto at = fmt::format("{}/fallbacks/{}", path, i);
    if (name == model.name)
      names.report(at, fmt::format("model {} falls back to itself; name another model", in_quotes(name)));
    else if (!names.check(at, fmt::format("model {} falls back to", in_quotes(model.name)), name,
                          names.models(), "models"))
      if (const auto found = names.models().owners.find(name); found != names.models().owners.end())
        right.push_back({found->second, at});
  }
  return right;
}

/// Fallbacks that have fallbacks which nobody will ask.
void check_depth(reference_names& names, const model_options& model, const std::string& path) {
  const auto& models = names.value().models;
  for (std::size_t i = 0; i < model.fallbacks.size(); ++i) {
    const auto found = names.models().owners.find(model.fallbacks[i]);
    if (found == names.models().owners.end())
      continue;
    std::vector<std::string> left_out;
    for (const auto& further : models[found->second].fallbacks)
      if (names.models().owners.contains(further) && further != model.name &&
          std::find(model.fallbacks.begin(), model.fallbacks.end(), further) == model.fallbacks.end())
        left_out.push_back(further);
    if (!left_out.empty())
      names.hint(fmt::format("{}/fallbacks/{}", path, i),
                 fmt::format("model {} does not ask the fallbacks of its fallback {}; add {} to its own "
                             "'fallbacks' if they are to be asked",
                             in_quotes(model.name), in_quotes(model.fallbacks[i]), listed(left_out)));
  }
}

} // namespace

void check_models(reference_names& names) {
  const auto& models = names.value().models;
  std::vector<std::vector<reference>> fallbacks;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto path = fmt::format("models/{}", i);
    check_provider(names, models[i], path);
    fallbacks.push_back(check_fallbacks(names, models[i], path));
    check_depth(names, models[i], path);
  }
  for (const auto& closed : find_circles(fallbacks)) {
    std::vector<std::string> shown;
    for (const auto owner : closed.owners)
      shown.push_back(models[owner].name);
    names.report(closed.path, fmt::format("the fallbacks of models {} lead in a circle; take one of them out",
                                          listed(shown)));
  }
}

} // namespace troupe::config
