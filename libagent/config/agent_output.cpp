#include "libagent/config/agent_parts.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

/// The list of names under a key, as uses of guardrails.
void read_uses(map_reader& agent, std::string_view key, std::vector<guardrail_use>& into,
               const std::string& path) {
  std::vector<std::string> names;
  agent.set(key, names, read_names, fmt::format("{}/{}", path, key));
  for (auto& name : names)
    into.push_back({std::move(name)});
}

/// An answer to an input that changes meanwhile is thrown away.
void warn_of_second_call(const field& from, const guardrail_use& use, const map_reader& agent) {
  const auto changing = from.ctx.changing_guardrails.find(use.name);
  if (changing == from.ctx.changing_guardrails.end())
    return;
  from.ctx.warn(from.value.at,
                fmt::format("input guardrail {} of {} may change the input (action: {}) while the model is "
                            "asked, which costs a second model call; write mode: blocking",
                            in_quotes(use.name), agent.what(), changing->second));
}

std::optional<guardrail_use> read_use(const field& from, const map_reader& agent, const std::string& path) {
  auto into = guardrail_use{};
  from.mark(path);
  if (from.value.type != node::kind::map) {
    auto name = read_name(from);
    return name ? std::optional{guardrail_use{std::move(*name)}} : std::nullopt;
  }
  auto use = map_reader{from, from.what};
  const auto name = use.need("name", "name: NAME");
  const auto is_read = name && use.set("name", into.name, read_name);
  std::size_t mode = 0;
  use.set("mode", mode, read_word, std::vector<std::string>{"blocking", "parallel"});
  into.parallel = mode == 1;
  use.finish();
  if (!is_read)
    return std::nullopt;
  name->mark(path);
  if (into.parallel)
    warn_of_second_call(*name, into, agent);
  return into;
}

void warn_of_limits(const field& from, const output_schema& output, const std::string& agent) {
  const auto what =
      output.format->strict
          ? fmt::format("the endpoint does not hold the model to all of the output schema of {}", agent)
          : fmt::format("the output schema of {} is not sent as strict", agent);
  const bool is_literal = !holds_substituted(from.value);
  for (const auto& limit : output.limits)
    from.ctx.warn(from.value.at,
                  fmt::format("{}: {}", what, is_literal ? limit : "variables are in the way"));
}

void read_input_uses(map_reader& agent, std::vector<guardrail_use>& into, const std::string& path) {
  const auto from = agent.find("input_guardrails");
  const auto list = from ? read_list(*from, "[one, {name: another, mode: parallel}]") : std::nullopt;
  for (const auto& one : list.value_or(std::vector<field>{}))
    if (auto use = read_use(one, agent, fmt::format("{}/input_guardrails/{}", path, into.size())))
      into.push_back(std::move(*use));
}

} // namespace

void read_guardrail_uses(map_reader& agent, agent_definition& into, const std::string& path) {
  read_input_uses(agent, into.input_guardrails, path);
  read_uses(agent, "output_guardrails", into.output_guardrails, path);
  read_uses(agent, "tool_input_guardrails", into.tool_input_guardrails, path);
  read_uses(agent, "tool_output_guardrails", into.tool_output_guardrails, path);
}

void read_output(map_reader& agent, agent_definition& into) {
  const auto from = agent.find("output_schema");
  auto name = std::string{defaults::output_name};
  agent.set("output_name", name, read_tool_name);
  if (!from)
    return agent.refuse("output_name",
                        "is for an output that has a schema; remove it, or write output_schema");
  auto schema = read_schema(*from);
  if (!schema)
    return;
  into.output = make_output_schema(name, std::move(*schema));
  warn_of_limits(*from, *into.output, agent.what());
}

} // namespace troupe::config
