#include "libagent/config/agent_parts.hpp"
#include "libagent/config/asked_paths.hpp"
#include "libagent/config/conditions.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::config {

namespace {

struct key_rule {
  std::string_view key;
  /// Which kinds have it.
  bool model, parallel, sequential, loop;
  std::string_view problem;
};

constexpr auto for_models = "is for agents that ask a model; remove it, or give it to a member";

constexpr std::array key_rules = {
    key_rule{"model", true, false, false, false, for_models},
    key_rule{"model_settings", true, false, false, false, for_models},
    key_rule{"instructions", true, false, false, false, for_models},
    key_rule{"handoffs", true, false, false, false, for_models},
    key_rule{"agent_tools", true, false, false, false, for_models},
    key_rule{"tools", true, false, false, false, for_models},
    key_rule{"mcp_servers", true, false, false, false, for_models},
    key_rule{"tool_use_behavior", true, false, false, false, for_models},
    key_rule{"reset_tool_choice", true, false, false, false, for_models},
    key_rule{"tool_input_guardrails", true, false, false, false, for_models},
    key_rule{"tool_output_guardrails", true, false, false, false, for_models},
    key_rule{"output_schema", true, false, false, false, for_models},
    key_rule{"output_name", true, false, false, false, for_models},
    key_rule{"members", false, true, true, true, "is for teams; write kind: parallel, sequential or loop"},
    key_rule{"join", false, true, false, false, "is for parallel teams; remove it, or write kind: parallel"},
    key_rule{"until", false, false, false, true, "is for loops; remove it, or write kind: loop"},
    key_rule{"max_rounds", false, false, false, true, "is for loops; remove it, or write kind: loop"}};

bool has_key(const key_rule& rule, agent_kind kind) {
  switch (kind) {
  case agent_kind::model:
    return rule.model;
  case agent_kind::parallel:
    return rule.parallel;
  case agent_kind::sequential:
    return rule.sequential;
  case agent_kind::loop:
    return rule.loop;
  }
  return false;
}

/// The members of a team, as far as its templates may ask for them.
struct known_members {
  std::vector<std::string> names;
  /// Those that may be suggested.
  std::vector<std::string> shown;
  /// False if part of them could not be read; then nothing is known to be missing.
  bool complete = false;

  bool lack(const std::string& name) const {
    return complete && std::find(names.begin(), names.end(), name) == names.end();
  }
};

known_members find_members(const std::optional<field>& members, const team& read) {
  auto known = known_members{read.members, {}, false};
  if (!members || members->value.type != node::kind::list)
    return known;
  known.complete = members->value.items.size() == read.members.size();
  for (const auto& each : members->value.items)
    if (!each->substituted)
      known.shown.push_back(each->text);
  return known;
}

/// `outputs.NAME` in a template or an expression is one that a member gives.
void check_outputs(const field& from, const std::vector<std::string>& asked, const known_members& members,
                   const map_reader& agent) {
  for (const auto& name : asked)
    if (members.lack(name))
      from.fail(fmt::format("asks for the output of {}, which is no member of {}; {}",
                            from.value.substituted ? "'${...}'" : in_quotes(name), agent.what(),
                            from.value.substituted ? "members are " + listed(members.shown)
                                                   : suggestion(name, members.shown, "members")));
}

void read_join(map_reader& agent, team& into, const std::string& path) {
  const auto from = agent.find("join");
  if (!from)
    return;
  auto join = map_reader{*from, from->what};
  if (!join.is_map())
    return;
  const auto judge = join.find("judge");
  const auto form = join.find("template");
  if (judge)
    judge->mark(path + "/judge", !join.set("judge", into.judge, read_name));
  if (join.set("template", into.join, read_template, names_of_teams()))
    check_outputs(*form, members_asked_in_template("outputs", form->value.text),
                  find_members(agent.find("members"), into), agent);
  if (judge && form)
    from->ctx.fail(form->key_at, form->what + " stands beside 'judge'; give it one of them");
  join.finish();
  if (!judge && !form && from->value.entries.empty())
    from->fail("is empty; give it a template or a judge");
}

void check_until(map_reader& agent, const team& read) {
  const auto until = *agent.find("until");
  check_outputs(until, members_asked_of("outputs", until.value.text),
                find_members(agent.find("members"), read), agent);
}

} // namespace

void read_kind(map_reader& agent, agent_kind& into, const std::string& path) {
  constexpr std::array kinds = {agent_kind::model, agent_kind::parallel, agent_kind::sequential,
                                agent_kind::loop};
  const auto from = agent.find("kind");
  const auto word = from ? read_word(*from, {"model", "parallel", "sequential", "loop"}) : std::nullopt;
  // With a kind that is none, nothing can be said of the other keys.
  if (from)
    from->mark(path + "/kind", !word);
  if (from && !word)
    return;
  into = kinds[word.value_or(0)];
  for (const auto& rule : key_rules)
    if (!has_key(rule, into))
      agent.refuse(rule.key, rule.problem);
}

void read_team(map_reader& agent, agent_definition& into, const std::string& path) {
  if (const auto members = agent.find("members")) {
    const auto list = read_list(*members, "[one, another]");
    members->mark(path + "/members", !list);
    for (const auto& one : list.value_or(std::vector<field>{})) {
      auto name = read_name(one);
      if (!name) {
        members->mark(path + "/members", true);
        continue;
      }
      one.mark(path + "/members/" + std::to_string(into.members.members.size()));
      into.members.members.push_back(std::move(*name));
    }
  }
  read_join(agent, into.members, path);
  if (agent.set("until", into.members.until, read_condition, names_of_teams()))
    check_until(agent, into.members);
  agent.set("max_rounds", into.members.max_rounds, read_count, 1, defaults::most_rounds);
}

} // namespace troupe::config
