#include "libagent/model/scripted.hpp"
#include "libagent/model/scripted_template.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

namespace troupe::scripted {

namespace {

error missing(const placeholder& what, std::string_view why) {
  return fail(errc::invalid_argument,
              fmt::format("template placeholder \"{{{{{}}}}}\" {}", to_utf8(what.text), why));
}

/// Whether the rule's conditions give the placeholder something to stand for.
result<void> check_placeholder(const placeholder& what, const condition& when) {
  using source = placeholder::source;
  if (what.from == source::output && !when.tool && !when.output)
    return missing(what, "needs a rule with a tool or output condition");
  if (what.from != source::group_number && what.from != source::group_name)
    return {};
  if (!when.user)
    return missing(what, "needs a rule with a user condition");
  if (what.from == source::group_name && !when.user->NamedCapturingGroups().contains(what.name))
    return missing(what, "is not a named group of the rule's user pattern; write (?P<name>...)");
  if (what.from == source::group_number &&
      static_cast<int>(what.number) > when.user->NumberOfCapturingGroups())
    return missing(what, "is beyond the groups of the rule's user pattern");
  return {};
}

result<void> check_text(const std::string& text, const condition& when) {
  const auto parsed = parse_template(text);
  if (!parsed)
    return parsed.error();
  for (const auto& piece : *parsed) {
    const auto* what = std::get_if<placeholder>(&piece);
    if (!what)
      continue;
    if (auto checked = check_placeholder(*what, when); !checked)
      return checked;
  }
  return {};
}

result<void> check_strings(const json& value, const condition& when) {
  if (const auto* text = value.get_ptr<const json::string_t*>())
    return check_text(*text, when);
  if (!value.is_structured())
    return {};
  for (const auto& element : value)
    if (auto checked = check_strings(element, when); !checked)
      return checked;
  return {};
}

} // namespace

result<std::shared_ptr<const re2::RE2>> compile_pattern(const std::string& pattern) {
  auto options = re2::RE2::Options{};
  options.set_log_errors(false);
  auto compiled = std::make_shared<const re2::RE2>(pattern, options);
  if (!compiled->ok())
    return fail(errc::invalid_argument,
                "not a regular expression that RE2 takes: " + to_utf8(compiled->error()));
  return std::shared_ptr<const re2::RE2>{std::move(compiled)};
}

result<void> check_template(const std::string& text) {
  const auto parsed = parse_template(text);
  if (!parsed)
    return parsed.error();
  return {};
}

result<void> check_rule(const rule& candidate) {
  const auto acts = !candidate.calls.empty();
  if (candidate.handoff && (acts || candidate.say))
    return fail(errc::invalid_argument, "a rule with a handoff can neither say nor call anything");
  if (!candidate.handoff && !acts && !candidate.say)
    return fail(errc::invalid_argument, "a rule needs one of say, call or handoff");
  if (candidate.say)
    if (auto checked = check_text(*candidate.say, candidate.when); !checked)
      return checked;
  for (const auto& wanted : candidate.calls) {
    if (wanted.tool.empty() || !wanted.arguments.is_object())
      return fail(errc::invalid_argument, "a call needs a tool's name and an object of arguments");
    if (auto checked = check_strings(wanted.arguments, candidate.when); !checked)
      return checked;
  }
  return {};
}

} // namespace troupe::scripted
