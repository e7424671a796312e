#include "libagent/config/reference_names.hpp"
#include "libagent/run/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

/// A budget that the output of a model counts against.
struct output_budget {
  std::string path;
  std::string what;
  const budget& limits;

  bool bounds_tokens() const { return limits.output_tokens || limits.total_tokens; }
};

bool has_endpoint(const model_options& model) {
  return std::holds_alternative<endpoint_options>(model.provider);
}

/// Whether answers of the agent's model count against the budget.
bool is_bound(const configuration& file, const agent_definition& agent, const output_budget& by) {
  const auto model = std::find_if(file.models.begin(), file.models.end(),
                                  [&](const model_options& each) { return each.name == agent.model; });
  if (agent.kind != agent_kind::model || model == file.models.end() || !has_endpoint(*model))
    return false;
  return by.bounds_tokens() || (by.limits.cost && model->rate && model->rate->output > 0);
}

void check_budget(reference_names& names, const output_budget& by) {
  std::vector<std::string> agents;
  const auto& file = names.value();
  for (std::size_t i = 0; i < file.agents.size(); ++i)
    if (!file.agents[i].settings.max_tokens && is_bound(file, file.agents[i], by))
      agents.push_back(names.show_agent(i));
  if (agents.empty())
    return;
  constexpr std::size_t most_shown = 5;
  const auto shown = std::min(agents.size(), most_shown);
  const auto names_shown = fmt::format(
      "{}{}", fmt::join(agents.begin(), agents.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      shown < agents.size() ? " and others" : "");
  names.hint(by.path,
             fmt::format("{} bounds what models answer, but there is no max_tokens for {}: {} tokens are "
                         "reserved for each of their answers, and a longer one overshoots; write "
                         "model_settings: {{max_tokens: N}}",
                         by.what, names_shown, ledger::usual_output));
}

} // namespace

void check_budgets(reference_names& names) {
  const auto& file = names.value();
  check_budget(names, {"limits/budget", "'budget' in limits", file.limits.spending});
  check_budget(names, {"sessions/budget", "'budget' in sessions", file.sessions.spending});
}

} // namespace troupe::config
