#pragma once

#include "actors/run_requests.hpp"
#include "libagent/core/json.hpp"
#include "libagent/core/result.hpp"

#include <string>
#include <vector>

/// What programs and people are told of a run that is over or has paused.
namespace troupe::cli {

/// `{"run_id","session_id","status","agent","items","usage"}`, with `result` if it is completed (JSON if the
/// agent has an output schema) and `interruptions` if it is paused.
json to_json(const chat_reply& reply);
/// The same of a run that was looked up; a failed or cancelled one has an `error`, and `agent` is null if
/// none has held it.
json to_json(const run_record& run);
/// `{"code","message"}`, and the error's facts beside these.
json to_json(const error& reason);

/// The final output as it is printed.
std::string text_of(const chat_reply& reply);

/// One JSON object a line, ASCII only: `{"run_id","id","kind","agent","tool","arguments"}`.
std::string interruption_lines(const std::string& run_id, const std::vector<interruption>& open);

/// The command that tells what a paused run waits for, or goes on with one that was left unfinished. `config`
/// is the agent file as the user named it; empty if they did not.
std::string resume_command(const std::string& config, const std::string& run_id);
/// The command that settles what a paused run waits for.
std::string how_to_go_on(const std::string& config, const std::string& run_id,
                         const std::vector<interruption>& open);

/// The paused run that keeps a session from going on; empty for other errors.
std::string run_in_the_way(const error& reason);

/// That there was no answer for a run which others had left unfinished, in a line. `now`: how it stands; null
/// if that is not known.
std::string no_answer_line(const std::string& config, const std::string& run_id, const error& reason,
                           const run_record* now);

/// "usage: ...", one line for the whole, and one for each model where there are several.
std::string usage_lines(const usage_report& used, std::optional<double> cost = {});

} // namespace troupe::cli
