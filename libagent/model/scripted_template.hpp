#pragma once

#include "libagent/core/json.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The templates of the scripted provider; docs/scripted-model.md has their grammar.
namespace troupe::scripted {

/// One `{{...}}` of a template.
struct placeholder {
  enum class source { user, agent, group_number, group_name, output };
  source from = source::user;
  /// For group_number: 0 is the whole match.
  unsigned number = 0;
  /// For group_name.
  std::string name;
  /// For output: the way into its JSON; empty means its text.
  std::vector<std::string> path;
  /// What stands between the braces, for errors.
  std::string text;
};

/// Literal text and placeholders in order.
using text_template = std::vector<std::variant<std::string, placeholder>>;

/// Error `invalid_argument` says what is wrong with which placeholder.
result<text_template> parse_template(std::string_view text);

/// What placeholders stand for.
struct bindings {
  std::optional<std::string> user;
  std::string agent;
  /// Groups of the `user` match by number; a group that took no part in the match is empty.
  std::vector<std::string> groups;
  std::map<std::string, int> group_names;
  std::optional<std::string> output;
  /// The output as JSON, if it is JSON.
  std::optional<json> output_json;
};

/// The text with its placeholders filled in. Error `model_failed` names a placeholder that stands for
/// nothing here.
result<std::string> render(std::string_view text, const bindings& values);

/// A copy of the value with all its strings (not its keys) rendered. A string that is nothing but one
/// placeholder for a value of the output's JSON becomes that value, its type kept.
result<json> render_strings(const json& value, const bindings& values);

/// The value as people read it: text as it is, fractions rounded to four decimals, the rest as JSON.
std::string readable(const json& value);

} // namespace troupe::scripted
