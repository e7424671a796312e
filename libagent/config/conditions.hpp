#pragma once

#include "libagent/config/reader.hpp"

#include <optional>
#include <string>
#include <vector>

/// Expressions and templates, compiled as they are read.
namespace troupe::config {

/// The names that paths may begin with at some place of the file.
using scope_names = std::vector<std::string>;

/// What every expression and template may ask for: context, agent, input.
const scope_names& names_of_runs();
/// Of an approval: also tool, arguments.
const scope_names& names_of_calls();
/// Of a team: also output, outputs, round.
const scope_names& names_of_teams();

/// An expression. One that asks for nothing is tried at once.
std::optional<condition> read_condition(const field& from, const scope_names& known);
/// A text with gaps.
std::optional<text_source> read_template(const field& from, const scope_names& known);
/// `always`, `never` or `{when: EXPRESSION}`.
std::optional<approval_rule> read_approval(const field& from);

} // namespace troupe::config
