#pragma once

#include "actors/run_requests.hpp"
#include "libagent/core/result.hpp"
#include "libagent/session/run_reading.hpp"
#include "libagent/session/stored_run.hpp"

#include <string>

/// What a journal keeps of runs beside their steps, as JSON: docs/journal.md.
namespace troupe {

/// A prompt as it was accepted.
std::string to_stored(const chat_request& request);
/// Back again, with the ids and the owner of the run. Error `store_failed`.
result<chat_request> request_from_stored(const stored_run& run);

/// How a run ended, without its items.
run_ending to_stored(const run_record& record);
/// A run that is over, as clients see it. Error `store_failed`.
result<run_record> record_from_stored(const stored_run& run);

/// The same without its items. One that is not over has no more than its ids, its owner and how it stands.
result<run_record> record_from_head(const run_head& run);

/// The answer that the run's prompt would have got; the failure if it failed.
result<chat_reply> reply_of(const run_record& record);

} // namespace troupe
