#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

using guardrail::action;

constexpr milliseconds some_time{1};

enum class guardrail_type { pattern, length, pii, judge };

/// What a guardrail without a valid `type` was probably meant to be; nothing if its keys do not tell.
std::optional<guardrail_type> guess_type(const node& guardrail) {
  for (const auto& [key, at, value] : guardrail.entries) {
    if (key == "pattern" || key == "patterns")
      return guardrail_type::pattern;
    if (key == "min" || key == "max")
      return guardrail_type::length;
    if (key == "entities")
      return guardrail_type::pii;
    if (key == "instructions")
      return guardrail_type::judge;
  }
  return std::nullopt;
}

std::optional<guardrail_type> read_type(map_reader& guardrail) {
  const auto written = guardrail.need("type", "type: pattern, length, pii or judge");
  const auto word = written ? read_word(*written, {"pattern", "length", "pii", "judge"}) : std::nullopt;
  return word ? std::optional{static_cast<guardrail_type>(*word)} : guess_type(guardrail.self().value);
}

using action_words = std::vector<std::pair<std::string, action>>;

void read_action(map_reader& guardrail, action& into, const action_words& known, const std::string& name) {
  const auto from = guardrail.find("action");
  std::vector<std::string> words;
  for (const auto& [word, what] : known)
    words.push_back(word);
  if (const auto found = from ? read_word(*from, words) : std::nullopt)
    into = known[*found].second;
  for (const auto& [word, what] : known)
    if (what == into && into != action::trip)
      guardrail.self().ctx.changing_guardrails[name] = word;
}

const action_words& usual_actions() {
  static const action_words words = {
      {"trip", action::trip}, {"reject", action::reject}, {"rewrite", action::rewrite}};
  return words;
}

void add_pattern(const field& from, guardrail::pattern_rule& into) {
  const auto text = read_name(from);
  if (!text)
    return;
  auto compiled = guardrail::compile_pattern(*text);
  if (compiled)
    into.patterns.push_back(std::move(*compiled));
  else
    fail_because(from, compiled.error().detail, "write a regular expression of RE2");
}

void read_patterns(map_reader& guardrail, guardrail::pattern_rule& into) {
  const auto one = guardrail.find("pattern");
  const auto several = guardrail.find("patterns");
  if (one && several)
    several->ctx.fail(several->key_at, several->what + " stands beside 'pattern'; put all of them under "
                                                       "'patterns'");
  if (!one && !several)
    guardrail.need("pattern", "pattern: REGULAR EXPRESSION, or patterns: [...]");
  if (one)
    add_pattern(*one, into);
  const auto list = several ? read_list(*several, "['(?i)secret', 'pass.?word']") : std::nullopt;
  if (list && list->empty())
    several->fail("is an empty list; give it a regular expression");
  for (const auto& each : list.value_or(std::vector<field>{}))
    add_pattern(each, into);
}

void read_replacement(map_reader& guardrail, guardrail::pattern_rule& into) {
  if (into.on_match != action::rewrite)
    return guardrail.refuse("replacement", "is for action: rewrite; remove it");
  // Matches may simply be taken out, but a text that lacks one would be lost as a whole.
  if (into.must_match)
    guardrail.need("replacement", "replacement: TEXT, which stands for the whole text with must_match: true");
  guardrail.set("replacement", into.replacement, read_text);
}

guardrail::pattern_rule read_pattern_rule(map_reader& guardrail, const std::string& name) {
  auto into = guardrail::pattern_rule{};
  read_patterns(guardrail, into);
  guardrail.set("must_match", into.must_match, read_boolean);
  read_action(guardrail, into.on_match, usual_actions(), name);
  guardrail.set("message", into.message, read_text);
  read_replacement(guardrail, into);
  return into;
}

guardrail::length_rule read_length_rule(map_reader& guardrail, const std::string& name) {
  auto into = guardrail::length_rule{};
  if (!guardrail.find("min") && !guardrail.find("max"))
    guardrail.need("max", "max: CHARACTERS, or min: CHARACTERS");
  guardrail.set("min", into.min, read_count, 0, defaults::largest_count);
  const auto has_most = guardrail.set("max", into.max, read_count, 0, defaults::largest_count);
  if (has_most && into.max < into.min)
    guardrail.find("max")->fail("is less than 'min'; make it at least as large");
  read_action(guardrail, into.on_break, usual_actions(), name);
  guardrail.set("message", into.message, read_text);
  return into;
}

std::optional<std::set<guardrail::entity>> read_entities(const field& from) {
  const std::vector<std::string> words = {"email", "card", "phone", "iban", "key"};
  const auto list = read_list(from, "[email, card]");
  if (!list)
    return std::nullopt;
  if (list->empty())
    from.fail("is an empty list; leave it off for all of them");
  std::set<guardrail::entity> entities;
  for (const auto& each : *list)
    if (const auto word = read_word(each, words))
      entities.insert(*guardrail::entity_from_string(words[*word]));
  return entities;
}

guardrail::pii_rule read_pii_rule(map_reader& guardrail, const std::string& name) {
  auto into = guardrail::pii_rule{};
  guardrail.set("entities", into.entities, read_entities);
  read_action(guardrail, into.on_find,
              {{"mask", action::rewrite}, {"reject", action::reject}, {"trip", action::trip}}, name);
  guardrail.set("message", into.message, read_text);
  return into;
}

guardrail_options::judge read_judge(map_reader& guardrail, guardrail_options& into, const std::string& path) {
  auto rule = guardrail::judge_rule{};
  auto model = std::string{"default"};
  if (const auto named = guardrail.find("model"))
    named->mark(path + "/model", !guardrail.set("model", model, read_name));
  if (guardrail.need("instructions", "instructions: TEXT, what is allowed and what is not"))
    guardrail.set("instructions", rule.instructions, read_name);
  read_action(guardrail, rule.on_violation, {{"trip", action::trip}, {"reject", action::reject}}, into.name);
  guardrail.set("message", rule.message, read_text);
  guardrail.set("timeout", into.timeout, read_duration, some_time);
  return {std::move(rule), std::move(model)};
}

void read_rule(map_reader& guardrail, guardrail_type type, guardrail_options& into, const std::string& path) {
  switch (type) {
  case guardrail_type::pattern:
    into.check = read_pattern_rule(guardrail, into.name);
    break;
  case guardrail_type::length:
    into.check = read_length_rule(guardrail, into.name);
    break;
  case guardrail_type::pii:
    into.check = read_pii_rule(guardrail, into.name);
    break;
  case guardrail_type::judge:
    into.check = read_judge(guardrail, into, path);
    break;
  }
  if (type != guardrail_type::judge)
    guardrail.refuse("timeout", "is for type: judge; remove it");
  guardrail.finish();
}

} // namespace

void read_guardrails(const field& from, std::vector<guardrail_options>& into) {
  from.mark("guardrails", from.value.type != node::kind::map);
  if (from.value.type != node::kind::map)
    return from.wrong("a map from names to guardrails");
  for (const auto& [name, at, value] : from.value.entries) {
    const auto what = "guardrail " + in_quotes(name);
    const auto path = fmt::format("guardrails/{}", into.size());
    from.ctx.where[path] = {at};
    auto guardrail = map_reader{field{from.ctx, *value, what, at}, what};
    auto& read = into.emplace_back();
    read.name = name;
    if (!guardrail.is_map())
      continue;
    if (const auto type = read_type(guardrail))
      read_rule(guardrail, *type, read, path);
  }
}

} // namespace troupe::config
