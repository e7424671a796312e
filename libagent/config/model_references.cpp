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

/// The agent that asks has to have the handoff.
void check_listed(reference_names& names, const rule_place& at) {
  const auto& [rule, what, path] = at;
  const auto handoff_path = path + "/handoff";
  const auto owner = names.agents().owners.find(*rule.when.agent)->second;
  const auto& handoffs = names.value().agents[owner].handoffs;
  const auto is_it = [&](const handoff_definition& each) { return each.agent == *at.rule.handoff; };
  if (std::any_of(handoffs.begin(), handoffs.end(), is_it) ||
      names.is_broken(fmt::format("agents/{}/handoffs", owner)))
    return;
  names.report(
      handoff_path,
      fmt::format("{} hands off to {}, which is no handoff of agent {}; add it to that agent's handoffs",
                  what, names.show(handoff_path, *rule.handoff),
                  names.show(path + "/when/agent", *rule.when.agent)));
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

} // namespace

void check_models(reference_names& names) {
  const auto& models = names.value().models;
  std::vector<std::vector<reference>> fallbacks;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto path = fmt::format("models/{}", i);
    check_provider(names, models[i], path);
    fallbacks.push_back(check_fallbacks(names, models[i], path));
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
