#include "libagent/config/references.hpp"

#include "libagent/config/blocks.hpp"
#include "libagent/config/reference_names.hpp"
#include "libagent/config/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

void check_servers(reference_names& names) {
  const auto& servers = names.value().mcp_servers;
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (servers[i].command.empty() && !names.is_from_file())
      names.report(fmt::format("mcp_servers/{}", i),
                   fmt::format("MCP server {} has no command; give it one", in_quotes(servers[i].name)));
}

void check_guardrails(reference_names& names) {
  const auto& guardrails = names.value().guardrails;
  for (std::size_t i = 0; i < guardrails.size(); ++i)
    if (const auto* judge = std::get_if<guardrail_options::judge>(&guardrails[i].check))
      names.check(fmt::format("guardrails/{}/model", i),
                  fmt::format("guardrail {} names model", in_quotes(guardrails[i].name)), judge->second,
                  names.models(), "models");
}

void check_hooks(reference_names& names) {
  const auto& hooks = names.value().hooks;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const auto path = fmt::format("hooks/{}", i);
    const auto what = fmt::format("hook {}", i + 1);
    if (hooks[i].url.empty() && !names.is_from_file())
      names.report(path, what + " has no url; give it one");
    for (std::size_t j = 0; j < hooks[i].agents.size(); ++j)
      names.check(fmt::format("{}/agents/{}", path, j), what + " is for agent", hooks[i].agents[j],
                  names.agents(), "agents");
    for (const auto& point : hooks[i].points)
      if (const auto& known = hook_points(); std::find(known.begin(), known.end(), point) == known.end())
        names.report(path, fmt::format("{} is for {}, which is no point of a run; {}", what, in_quotes(point),
                                       suggestion(point, known, "points")));
  }
}

void check_keys(reference_names& names) {
  const auto& keys = names.value().server.auth.keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto what = keys[i].name.empty() ? fmt::format("key {} is for agent", i + 1)
                                           : fmt::format("key {} is for agent", in_quotes(keys[i].name));
    for (std::size_t j = 0; keys[i].agents && j < keys[i].agents->size(); ++j)
      names.check(fmt::format("server/auth/keys/{}/agents/{}", i, j), what, (*keys[i].agents)[j],
                  names.agents(), "agents");
  }
}

} // namespace

std::vector<problem> find_problems(const configuration& value, const spots* where) {
  auto names = reference_names{value, where};
  check_agents(names);
  check_models(names);
  check_servers(names);
  check_guardrails(names);
  check_hooks(names);
  check_keys(names);
  check_budgets(names);
  return names.take();
}

place place_of(const spots& where, std::string path) {
  while (true) {
    if (const auto found = where.find(path); found != where.end())
      return found->second.at;
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
      return {};
    path.erase(slash);
  }
}

} // namespace troupe::config
