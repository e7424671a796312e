#include "actors/stored_run_json.hpp"

#include "actors/defaults.hpp"
#include "libagent/core/error_json.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

error unreadable(const stored_run& run, std::string_view why) {
  return fail(errc::store_failed, fmt::format("the run '{}' cannot be read: {}", run.run_id, why));
}

std::string text_or_empty(const json& object, std::string_view key) {
  const auto* text = find_string(object, key);
  return text != nullptr ? *text : std::string();
}

bool is_true(const json& object, std::string_view key) {
  const auto* value = find(object, key);
  return value != nullptr && *value == true;
}

run_status status_named(std::string_view name) {
  for (const auto each : {run_status::running, run_status::paused, run_status::completed, run_status::failed,
                          run_status::cancelled})
    if (to_string(each) == name)
      return each;
  // One that waits is under way for clients.
  return run_status::running;
}

} // namespace

std::string to_stored(const chat_request& request) {
  json made = {{"prompt", request.prompt}};
  if (!request.agent.empty())
    made["agent"] = request.agent;
  if (request.context)
    made["context"] = *request.context;
  if (request.spending.is_bounded())
    made["budget"] = to_json(request.spending);
  if (request.streamed)
    made["stream"] = true;
  if (request.background)
    made["background"] = true;
  if (request.within)
    made["deadline_ms"] = request.within->count();
  return dump_json(made);
}

result<chat_request> request_from_stored(const stored_run& run) {
  const auto value = parse_json(run.request, defaults::journal_depth);
  if (!value)
    return unreadable(run, value.error().detail);
  const auto* prompt = find_string(*value, "prompt");
  if (prompt == nullptr)
    return unreadable(run, "its request has no prompt");
  chat_request request;
  request.prompt = *prompt;
  request.agent = text_or_empty(*value, "agent");
  request.session_id = run.session_id;
  request.run_id = run.run_id;
  request.streamed = is_true(*value, "stream");
  request.background = is_true(*value, "background");
  request.by = {run.owner, run.owner.empty()};
  request.key_hash = run.key_hash;
  if (const auto* context = find(*value, "context"); context != nullptr && context->is_object())
    request.context = std::make_shared<const json>(*context);
  if (const auto* bounds = find(*value, "budget")) {
    auto spending = budget_from_json(*bounds);
    if (!spending)
      return unreadable(run, spending.error().detail);
    request.spending = *spending;
  }
  if (const auto* within = find(*value, "deadline_ms"); within != nullptr && within->is_number_integer())
    request.within = std::chrono::milliseconds(within->get<std::int64_t>());
  return request;
}

run_ending to_stored(const run_record& record) {
  json made = {{"agent", record.agent}, {"usage", shares_to_json(record.used)}};
  if (record.status == run_status::completed)
    made["result"] = record.result;
  if (record.structured)
    made["structured"] = *record.structured;
  if (record.failure)
    made["error"] = to_json(*record.failure);
  if (record.cost)
    made["cost"] = *record.cost;
  if (record.is_refused)
    made["refused"] = true;
  return {std::string(to_string(record.status)), dump_json(made)};
}

result<run_record> record_from_stored(const stored_run& run) {
  run_record record;
  record.run_id = run.run_id;
  record.session_id = run.session_id;
  record.owner = run.owner;
  record.key_hash = run.key_hash;
  record.status = status_named(run.status);
  if (!run.is_over())
    return record;
  record.items = run.items;
  const auto value = parse_json(run.outcome, defaults::journal_depth);
  if (!value)
    return unreadable(run, value.error().detail);
  record.agent = text_or_empty(*value, "agent");
  record.result = text_or_empty(*value, "result");
  record.is_refused = is_true(*value, "refused");
  if (const auto* shares = find(*value, "usage")) {
    auto used = shares_from_json(*shares);
    if (!used)
      return unreadable(run, used.error().detail);
    record.used = std::move(*used);
  }
  if (const auto* structured = find(*value, "structured"))
    record.structured = std::make_shared<const json>(*structured);
  if (const auto* cost = find(*value, "cost"); cost != nullptr && cost->is_number())
    record.cost = cost->get<double>();
  if (const auto* failure = find(*value, "error"))
    record.failure = error_from_json(*failure);
  return record;
}

result<run_record> record_from_head(const run_head& run) {
  stored_run bare;
  bare.run_id = run.run_id;
  bare.session_id = run.session_id;
  bare.owner = run.owner;
  bare.status = run.status;
  bare.key_hash = run.key_hash;
  bare.outcome = run.outcome;
  return record_from_stored(bare);
}

result<chat_reply> reply_of(const run_record& record) {
  if (record.failure)
    return *record.failure;
  chat_reply reply{record.result, record.session_id, record.agent,         record.items,      record.used,
                   record.run_id, record.status,     record.interruptions, record.structured, record.cost};
  return reply;
}

} // namespace troupe
