#include "libagent/config/conditions.hpp"

#include "libagent/config/spelling.hpp"
#include "libagent/config/tool_mentions.hpp"
#include "libagent/config/units.hpp"
#include "libagent/config/values.hpp"
#include "libagent/expression/expression.hpp"
#include "libagent/expression/template.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

/// Whether all that is asked for is there.
bool check_names(const field& from, const std::vector<std::string>& asked, const scope_names& known) {
  const auto unknown = std::find_if(asked.begin(), asked.end(), [&](const auto& name) {
    return std::find(known.begin(), known.end(), name) == known.end();
  });
  if (unknown == asked.end())
    return true;
  if (from.value.substituted)
    from.fail("asks for something that is not known here; known names are " + listed(known));
  else
    from.fail(fmt::format("asks for {}, which is not known here; {}", in_quotes(*unknown),
                          suggestion(*unknown, known, "known names")));
  return false;
}

} // namespace

const scope_names& names_of_runs() {
  static const scope_names names = {"context", "agent", "input"};
  return names;
}

const scope_names& names_of_calls() {
  static const scope_names names = {"context", "agent", "input", "tool", "arguments"};
  return names;
}

const scope_names& names_of_teams() {
  static const scope_names names = {"context", "agent", "input", "output", "outputs", "round"};
  return names;
}

std::optional<condition> read_condition(const field& from, const scope_names& known) {
  constexpr auto right = "write an expression such as context.tier == 'gold'";
  if (from.value.type != node::kind::text || from.value.text.empty()) {
    from.wrong("an expression such as context.tier == 'gold'");
    return std::nullopt;
  }
  // Booleans are expressions too.
  const auto text = read_scalar(from);
  if (!text)
    return std::nullopt;
  auto compiled = expression::compile(*text);
  if (!compiled) {
    fail_because(from, compiled.error().detail, right);
    return std::nullopt;
  }
  if (!check_names(from, compiled->roots(), known))
    return std::nullopt;
  if (compiled->roots().empty())
    if (const auto tried = compiled->test(json::object()); !tried) {
      fail_because(from, tried.error().detail, right);
      return std::nullopt;
    }
  return [test = std::move(*compiled)](const json& scope) { return test.test(scope); };
}

std::optional<text_source> read_template(const field& from, const scope_names& known) {
  const auto text = read_text(from);
  if (!text)
    return std::nullopt;
  auto compiled = text_template::compile(*text);
  if (!compiled) {
    fail_because(from, compiled.error().detail, "write {{ }} only around a path such as context.user");
    return std::nullopt;
  }
  if (!check_names(from, compiled->roots(), known))
    return std::nullopt;
  return [form = std::move(*compiled)](const json& scope) { return form.render(scope); };
}

std::optional<approval_rule> read_approval(const field& from) {
  constexpr auto right = "always, never, or a map such as {when: arguments.amount > 100}";
  if (from.value.type == node::kind::text && !parse_boolean(from.value.text)) {
    const auto word = read_word(from, {"always", "never"});
    return word ? std::optional{approval_rule{*word == 0, nullptr}} : std::nullopt;
  }
  if (from.value.type != node::kind::map) {
    from.wrong(right);
    return std::nullopt;
  }
  auto approval = map_reader{from, from.what};
  auto rule = approval_rule{true, nullptr};
  const auto is_read = approval.need("when", "when: EXPRESSION, or always or never in place of the map") &&
                       approval.set("when", rule.when, read_condition, names_of_calls());
  if (is_read)
    mention_arguments(*approval.find("when"));
  approval.finish();
  return is_read ? std::optional{std::move(rule)} : std::nullopt;
}

} // namespace troupe::config
