#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

constexpr milliseconds no_time{0};

std::shared_ptr<const re2::RE2> read_pattern(map_reader& when, std::string_view key) {
  const auto from = when.find(key);
  const auto text = from ? read_text(*from) : std::nullopt;
  if (!text)
    return nullptr;
  auto compiled = scripted::compile_pattern(*text);
  if (compiled)
    return std::move(*compiled);
  fail_because(*from, compiled.error().detail, "write a regular expression of RE2");
  return nullptr;
}

/// False if a condition could not be read: then templates cannot be checked against it.
bool read_condition(map_reader& rule, scripted::condition& into, const std::string& path) {
  const auto from = rule.find("when");
  if (!from)
    return true;
  const auto errors_before = from->ctx.errors.size();
  auto when = map_reader{*from, from->what};
  if (const auto agent = when.find("agent")) {
    into.agent = read_name(*agent);
    agent->mark(path + "/when/agent", !into.agent);
  }
  into.user = read_pattern(when, "user");
  if (const auto tool = when.find("tool"))
    into.tool = read_name(*tool);
  into.output = read_pattern(when, "output");
  when.finish();
  return !from->value.broken && from->ctx.errors.size() == errors_before;
}

/// Whether the templates of texts inside the value fit the rule's condition.
void check_templates(const field& from, const json& arguments, const scripted::condition& when) {
  const auto probe = scripted::rule{when, std::nullopt, {{"tool", arguments}}, std::nullopt};
  if (const auto checked = scripted::check_rule(probe); !checked)
    fail_because(from, checked.error().detail,
                 "write {{ }} only around user, agent, output or a group of 'user'");
}

void read_arguments(const field& from, json& into, const scripted::condition* when) {
  if (from.value.type != node::kind::map)
    return from.wrong("a map of the tool's arguments");
  auto arguments = read_json(from);
  if (!arguments)
    return;
  into = std::move(*arguments);
  if (when)
    check_templates(from, into, *when);
}

scripted::call read_call(const field& from, const scripted::condition* when) {
  auto read = scripted::call{};
  auto call = map_reader{from, from.what};
  if (call.need("tool", "tool: NAME"))
    call.set("tool", read.tool, read_name);
  if (const auto arguments = call.find("arguments"))
    read_arguments(*arguments, read.arguments, when);
  call.finish();
  return read;
}

std::vector<scripted::call> read_calls(const field& from, const scripted::condition* when) {
  if (from.value.type != node::kind::list) {
    if (from.value.type == node::kind::map)
      return {read_call(from, when)};
    from.wrong("a call such as {tool: NAME, arguments: {}}, or a list of calls");
    return {};
  }
  std::vector<scripted::call> calls;
  const auto list = read_list(from, "[{tool: NAME}]");
  for (const auto& one : *list)
    calls.push_back(read_call(one, when));
  if (calls.empty())
    from.fail("is an empty list; give it a call such as {tool: NAME, arguments: {}}");
  return calls;
}

void check_action(const map_reader& rule, bool says, bool calls, bool hands_off) {
  const auto& self = rule.self();
  if (!says && !calls && !hands_off)
    self.ctx.fail(self.value.at, rule.what() + " does nothing; give it say, call or handoff");
  if (hands_off && (says || calls))
    self.ctx.fail(self.value.at,
                  rule.what() +
                      " has a handoff beside say or call; a handoff stands alone, so split the rule");
}

scripted::rule read_rule(const field& from, const std::string& path) {
  auto read = scripted::rule{};
  auto rule = map_reader{from, from.what};
  if (!rule.is_map())
    return read;
  const auto* when = read_condition(rule, read.when, path) ? &read.when : nullptr;
  const auto say = rule.find("say");
  if (say && (read.say = read_text(*say)) && when)
    if (const auto checked = scripted::check_rule({read.when, read.say, {}, std::nullopt}); !checked)
      fail_because(*say, checked.error().detail,
                   "write {{ }} only around user, agent, output or a group of 'user'");
  const auto call = rule.find("call");
  if (call)
    read.calls = read_calls(*call, when);
  const auto handoff = rule.find("handoff");
  if (handoff) {
    read.handoff = read_name(*handoff);
    handoff->mark(path + "/handoff", !read.handoff);
  }
  check_action(rule, say.has_value(), call.has_value(), handoff.has_value());
  rule.finish();
  return read;
}

} // namespace

scripted::script read_script(map_reader& model, const std::string& path) {
  auto script = scripted::script{};
  model.set("delay", script.delay, read_duration, no_time);
  const auto rules = model.need("rules", "rules: [{say: Hello}]");
  const auto list = rules ? read_list(*rules, "[{when: {user: hello}, say: Hello}]") : std::nullopt;
  if (!list)
    return script;
  if (list->empty())
    rules->fail("is an empty list; give it a rule such as {say: Hello}");
  for (const auto& one : *list) {
    const auto what = fmt::format("rule {} of {}", script.rules.size() + 1, model.what());
    script.rules.push_back(read_rule({one.ctx, one.value, what, one.key_at},
                                     fmt::format("{}/rules/{}", path, script.rules.size())));
  }
  return script;
}

} // namespace troupe::config
