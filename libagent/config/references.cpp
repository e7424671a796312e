#include "libagent/config/references.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Names that may be referred to, with the index of their first owner.
struct directory {
  std::map<std::string, std::size_t, std::less<>> owners;
  /// Those that may be suggested.
  std::vector<std::string> shown;
  /// False if part of it could not be read; then nothing is known to be missing.
  bool complete = true;

  bool lacks(const std::string& name) const { return complete && !owners.contains(name); }
};

class checker {
public:
  checker(const configuration& value, const spots* where) : value_(value), where_(where) {}

  std::vector<problem> run() {
    models_ = collect("models", value_.models, "");
    servers_ = collect("mcp_servers", value_.mcp_servers, "");
    agents_ = collect("agents", value_.agents, "/name");
    if (value_.agents.empty())
      report("agents", "there is no agent; add one under agents, such as '- name: assistant'");
    for (std::size_t i = 0; i < value_.agents.size(); ++i)
      check_agent(i);
    for (std::size_t i = 0; i < value_.models.size(); ++i)
      check_model(i);
    for (std::size_t i = 0; i < value_.mcp_servers.size(); ++i)
      if (value_.mcp_servers[i].command.empty() && !where_)
        report(fmt::format("mcp_servers/{}", i),
               "MCP server " + in_quotes(value_.mcp_servers[i].name) + " has no command; give it one");
    return std::move(found_);
  }

private:
  const spot* find_spot(const std::string& path) const {
    const auto found = where_ ? where_->find(path) : spots::const_iterator{};
    return where_ && found != where_->end() ? &found->second : nullptr;
  }
  bool is_broken(const std::string& path) const {
    const auto* found = find_spot(path);
    return found && found->broken;
  }
  bool is_literal(const std::string& path) const {
    const auto* found = find_spot(path);
    return !found || found->literal;
  }
  /// The name in quotes; never the value of a variable.
  std::string show(const std::string& path, const std::string& name) const {
    return is_literal(path) ? in_quotes(name) : "'${...}'";
  }
  std::string show_agent(std::size_t index) const {
    const auto& name = value_.agents[index].name;
    const auto path = fmt::format("agents/{}/name", index);
    return name.empty() || !is_literal(path) ? fmt::format("agent {}", index + 1)
                                             : "agent " + in_quotes(name);
  }
  std::string suggest(const std::string& path, const std::string& name, const directory& known,
                      std::string_view noun) const {
    if (is_literal(path))
      return suggestion(name, known.shown, noun);
    return known.shown.empty() ? fmt::format("there are no {} in this file", noun)
                               : fmt::format("{} are {}", noun, listed(known.shown));
  }
  void report(std::string path, std::string message) {
    if (!is_broken(path) && found_.size() < defaults::max_diagnostics)
      found_.push_back({std::move(path), std::move(message)});
  }

  template <class Owners>
  directory collect(const std::string& kind, const Owners& owners, std::string_view name_path) {
    auto names = directory{};
    names.complete = !is_broken(kind);
    for (std::size_t i = 0; i < owners.size(); ++i) {
      const auto path = fmt::format("{}/{}{}", kind, i, name_path);
      const auto& name = owners[i].name;
      const auto [first, is_new] = names.owners.emplace(name, i);
      check_name(path, name, kind == "agents");
      if (!is_new && !name.empty())
        report(path, fmt::format("duplicate name {} in {}{}; each name has to be unique", show(path, name),
                                 kind, first_place(fmt::format("{}/{}{}", kind, first->second, name_path))));
      if (is_new && is_literal(path) && !name.empty())
        names.shown.push_back(name);
    }
    return names;
  }

  std::string first_place(const std::string& path) const {
    const auto* first = find_spot(path);
    return first ? fmt::format(" (first in line {})", first->at.line) : "";
  }

  void check_name(const std::string& path, const std::string& name, bool is_bounded) {
    if (name.empty() && (!where_ || find_spot(path)))
      report(path, "a name is empty; give it at least one character");
    else if (std::any_of(name.begin(), name.end(), is_control))
      report(path, "a name holds a line break or another control character; remove it");
    else if (is_bounded && count_characters(name) > defaults::longest_agent_name)
      report(path,
             fmt::format("a name is longer than {} characters; shorten it", defaults::longest_agent_name));
    else if (!is_utf8(name))
      report(path, "a name is not UTF-8; write it in UTF-8");
  }

  void check_agent(std::size_t index) {
    const auto& agent = value_.agents[index];
    const auto path = fmt::format("agents/{}", index);
    if (is_broken(path))
      return;
    check_model_of(index, path + "/model");
    for (std::size_t i = 0; i < agent.mcp_servers.size(); ++i) {
      const auto at = fmt::format("{}/mcp_servers/{}", path, i);
      if (servers_.lacks(agent.mcp_servers[i]))
        report(at, fmt::format("{} names MCP server {}, which does not exist; {}", show_agent(index),
                               show(at, agent.mcp_servers[i]),
                               suggest(at, agent.mcp_servers[i], servers_, "MCP servers")));
    }
    check_handoffs(index, path);
  }

  void check_model_of(std::size_t index, const std::string& path) {
    const auto& name = value_.agents[index].model;
    if (!models_.lacks(name))
      return;
    if (name != "default" || find_spot(path))
      return report(path, fmt::format("{} names model {}, which does not exist; {}", show_agent(index),
                                      show(path, name), suggest(path, name, models_, "models")));
    const auto right = value_.models.size() == 1
                           ? fmt::format("rename model {0} to 'default', or write model: {0}",
                                         in_quotes(value_.models.front().name))
                           : std::string{"add a model 'default' under models, or write model: NAME"};
    report(path,
           fmt::format("{} names no model, and no model is called 'default'; {}", show_agent(index), right));
  }

  void check_handoffs(std::size_t index, const std::string& path) {
    const auto& agent = value_.agents[index];
    std::map<std::string, std::size_t> tools;
    for (std::size_t i = 0; i < agent.handoffs.size(); ++i) {
      const auto& target = agent.handoffs[i];
      const auto at = fmt::format("{}/handoffs/{}", path, i);
      const auto [first, is_new] = tools.emplace(handoff_tool_name(target), i);
      if (target == agent.name)
        report(at, fmt::format("{} hands off to itself; name another agent", show_agent(index)));
      else if (agents_.lacks(target))
        report(at, fmt::format("{} hands off to {}, which does not exist; {}", show_agent(index),
                               show(at, target), suggest(at, target, agents_, "agents")));
      else if (!is_new && target == agent.handoffs[first->second])
        report(at,
               fmt::format("{} names handoff {} twice; name it once", show_agent(index), show(at, target)));
      else if (!is_new)
        report(at,
               fmt::format(
                   "the handoffs to {} and {} are one tool to the model{}; rename one of the agents",
                   show(fmt::format("{}/handoffs/{}", path, first->second), agent.handoffs[first->second]),
                   show(at, target), is_literal(at) ? " (" + first->first + ")" : ""));
    }
  }

  void check_model(std::size_t index) {
    const auto path = fmt::format("models/{}", index);
    const auto& model = value_.models[index];
    if (const auto* endpoint = std::get_if<openai_options>(&model.provider)) {
      if (endpoint->wire.model.empty() && !where_)
        report(path, fmt::format("model {} has no wire.model; give it the endpoint's name of the model",
                                 in_quotes(model.name)));
      return;
    }
    const auto& rules = std::get<scripted::script>(model.provider).rules;
    for (std::size_t i = 0; i < rules.size(); ++i)
      check_rule(rules[i], fmt::format("rule {} of model {}", i + 1, in_quotes(model.name)),
                 fmt::format("{}/rules/{}", path, i));
  }

  void check_rule(const scripted::rule& rule, const std::string& what, const std::string& path) {
    const auto agent_path = path + "/when/agent";
    const auto handoff_path = path + "/handoff";
    const auto knows_agent = rule.when.agent && !agents_.lacks(*rule.when.agent);
    if (rule.when.agent && !knows_agent)
      report(agent_path, fmt::format("{} is for agent {}, which does not exist; {}", what,
                                     show(agent_path, *rule.when.agent),
                                     suggest(agent_path, *rule.when.agent, agents_, "agents")));
    if (!rule.handoff)
      return;
    if (agents_.lacks(*rule.handoff))
      return report(handoff_path, fmt::format("{} hands off to {}, which does not exist; {}", what,
                                              show(handoff_path, *rule.handoff),
                                              suggest(handoff_path, *rule.handoff, agents_, "agents")));
    if (knows_agent && agents_.complete)
      check_listed(rule, what, path, handoff_path);
  }

  void check_listed(const scripted::rule& rule, const std::string& what, const std::string& path,
                    const std::string& handoff_path) {
    const auto owner = agents_.owners.find(*rule.when.agent)->second;
    const auto& handoffs = value_.agents[owner].handoffs;
    if (std::find(handoffs.begin(), handoffs.end(), *rule.handoff) != handoffs.end() ||
        is_broken(fmt::format("agents/{}/handoffs", owner)))
      return;
    report(handoff_path,
           fmt::format("{} hands off to {}, which is no handoff of agent {}; add it to that agent's handoffs",
                       what, show(handoff_path, *rule.handoff),
                       show(path + "/when/agent", *rule.when.agent)));
  }

  const configuration& value_;
  const spots* where_;
  directory models_;
  directory servers_;
  directory agents_;
  std::vector<problem> found_;
};

} // namespace

std::vector<problem> find_problems(const configuration& value, const spots* where) {
  return checker{value, where}.run();
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
