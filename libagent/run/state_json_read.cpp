#include "libagent/core/error_json.hpp"
#include "libagent/run/machine.hpp"
#include "libagent/run/state_json.hpp"
#include "libagent/run/state_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace troupe::run {

namespace {

using stage = open_call::stage;

/// What is wrong is thrown, and caught at the one door.
struct broken {
  std::string what;
};

const json& need(const json& object, std::string_view key) {
  const auto* value = object.is_object() ? find(object, key) : nullptr;
  if (value == nullptr)
    throw broken{fmt::format("'{}' is missing", key)};
  return *value;
}

std::string text(const json& object, std::string_view key) {
  const auto& value = need(object, key);
  if (!value.is_string())
    throw broken{fmt::format("'{}' is no text", key)};
  return value.get<std::string>();
}

std::uint64_t number(const json& object, std::string_view key) {
  const auto& value = need(object, key);
  if (!value.is_number_integer() || value < 0)
    throw broken{fmt::format("'{}' is no count", key)};
  return value.get<std::uint64_t>();
}

unsigned small_number(const json& object, std::string_view key) {
  const auto value = number(object, key);
  if (value > std::numeric_limits<unsigned>::max())
    throw broken{fmt::format("'{}' is too large", key)};
  return static_cast<unsigned>(value);
}

/// An object, or null if there is no such member.
std::shared_ptr<const json> optional_object(const json& object, std::string_view key) {
  const auto* value = find(object, key);
  if (value == nullptr)
    return nullptr;
  if (!value->is_object())
    throw broken{fmt::format("'{}' is no object", key)};
  return std::make_shared<const json>(*value);
}

bool flag(const json& object, std::string_view key) {
  const auto& value = need(object, key);
  if (!value.is_boolean())
    throw broken{fmt::format("'{}' is neither true nor false", key)};
  return value.get<bool>();
}

const json& array(const json& object, std::string_view key) {
  const auto& value = need(object, key);
  if (!value.is_array())
    throw broken{fmt::format("'{}' is no array", key)};
  return value;
}

item read_item(const json& value) {
  auto read = item_from_json(value);
  if (!read)
    throw broken{read.error().detail};
  return std::move(*read);
}

item_list read_items(const json& values) {
  item_list items;
  for (const auto& value : values)
    items.push_back(read_item(value));
  return items;
}

template <std::size_t Count>
std::size_t read_name(const std::array<std::string_view, Count>& names, const std::string& name,
                      std::string_view what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw broken{fmt::format("'{}' is no {}", name, what)};
  return static_cast<std::size_t>(found - names.begin());
}

bool flag_or_false(const json& object, std::string_view key) {
  return find(object, key) != nullptr && flag(object, key);
}

error read_error(const json& value) {
  auto read = error_from_json(value);
  if (!read)
    throw broken{"an error is without 'code' or 'detail'"};
  return std::move(*read);
}

usage_report read_usage(const json& value) {
  auto used = shares_from_json(value);
  if (!used)
    throw broken{used.error().detail};
  return std::move(*used);
}

std::vector<decision> read_decisions(const json& values) {
  std::vector<decision> all;
  for (const auto& value : values) {
    auto read = decision_from_json(value);
    if (!read)
      throw broken{read.error().detail};
    all.push_back(std::move(*read));
  }
  return all;
}

model_response read_response(const json& value) {
  model_response answer;
  answer.output = read_items(array(value, "output"));
  answer.used = read_usage(need(value, "usage")).total();
  answer.finish_reason = text(value, "finish_reason");
  answer.model = text(value, "model");
  return answer;
}

state read_run(const json& value);

/// What its stage goes with.
void read_progress(const json& value, open_call& call) {
  if (find(value, "stage") != nullptr)
    call.at = static_cast<stage>(read_name(stage_names, text(value, "stage"), "stage of a call"));
  call.was_started = flag_or_false(value, "started");
  call.in_doubt = flag_or_false(value, "in_doubt");
  call.approved = flag_or_false(value, "approved");
  if (find(value, "guard_step") != nullptr)
    call.guard_step = number(value, "guard_step");
  if (const auto* fatal = find(value, "fatal"))
    call.fatal = read_error(*fatal);
  if (find(value, "decisions") != nullptr)
    call.decisions = read_decisions(array(value, "decisions"));
}

void read_result(const json& value, open_call& call) {
  auto output = read_item(need(value, "output"));
  auto* got = std::get_if<tool_output>(&output);
  if (got == nullptr)
    throw broken{"the output of a call is another item"};
  call.result = std::make_shared<const tool_result>(tool_result{std::move(got->parts), got->is_error});
}

open_call read_call(const json& value) {
  open_call call;
  call.call_id = text(value, "call_id");
  call.offered_name = text(value, "tool");
  call.what = static_cast<toolbox_entry::kind>(read_name(kind_names, text(value, "kind"), "kind of call"));
  call.name = text(value, "name");
  if (find(value, "owner") != nullptr)
    call.owner = text(value, "owner");
  call.arguments = optional_object(value, "arguments");
  const bool waits = flag(value, "waits");
  call.at = waits ? stage::waiting : stage::done;
  read_progress(value, call);
  if (!waits) {
    read_result(value, call);
    return call;
  }
  if (!call.arguments)
    throw broken{"'arguments' is missing"};
  if (const auto* nested = find(value, "run")) {
    call.nested = std::make_shared<const state>(read_run(*nested));
  } else if (call.at == stage::waiting) {
    auto schema = json_schema::compile(need(value, "schema"));
    if (!schema)
      throw broken{"the schema of a call is none"};
    call.schema = std::move(*schema);
  }
  return call;
}

team_progress read_team(const json& value) {
  team_progress team;
  team.input = text(value, "input");
  team.next_member = number(value, "next_member");
  team.round = small_number(value, "round");
  team.judging = flag(value, "judging");
  if (find(value, "history") != nullptr)
    team.history = std::make_shared<const item_list>(read_items(array(value, "history")));
  for (const auto& each : array(value, "outputs"))
    team.outputs.emplace_back(text(each, "agent"), text(each, "output"));
  return team;
}

void read_view(const json& value, state& run) {
  const auto* seen = find(value, "seen");
  if (seen == nullptr)
    return;
  run.is_filtered = true;
  run.seen_past = std::make_shared<const item_list>(read_items(array(*seen, "items")));
  run.seen_from = number(*seen, "from");
  if (run.seen_from > run.fresh.size())
    throw broken{"'from' is past the items"};
}

/// Where a run that was not paused stands.
void read_standing(const json& value, state& run) {
  run.is_interrupted = true;
  run.at = static_cast<phase>(read_name(phase_names, text(value, "at"), "phase of a run"));
  if (find(value, "checked_input") != nullptr)
    for (const auto& each : array(value, "checked_input")) {
      if (!each.is_number_unsigned())
        throw broken{"'checked_input' holds what is no count"};
      run.checked_input.insert(each.get<std::size_t>());
    }
  if (const auto* held = find(value, "held"))
    run.held = read_response(*held);
  run.ask_again = flag_or_false(value, "ask_again");
  if (const auto* reason = find(value, "stop"))
    run.stop_before_turn = read_error(*reason);
  if (run.at == phase::handing_off) {
    run.next_agent = text(value, "next");
    run.handoff_arguments = optional_object(value, "handoff_arguments");
  }
  if (run.at == phase::holding && !run.held)
    throw broken{"'held' is missing"};
  if (run.at != phase::guarding_output && run.at != phase::finished)
    return;
  run.output = text(value, "output");
  run.answer_start = number(value, "answer_start");
  run.is_tool_output = find(value, "tool_output_item") != nullptr;
  if (run.is_tool_output) {
    run.tool_output_item = number(value, "tool_output_item");
    if (run.tool_output_item >= run.fresh.size() ||
        !std::holds_alternative<tool_output>(run.fresh[run.tool_output_item]))
      throw broken{"'tool_output_item' is no output of a tool"};
  }
  if (run.answer_start > run.fresh.size())
    throw broken{"'answer_start' is past the items"};
  if (const auto* structured = find(value, "structured"))
    run.structured = std::make_shared<const json>(*structured);
  if (const auto* failure = find(value, "failure"))
    run.failure = read_error(*failure);
}

void read_notes(const json& value, state& run) {
  for (const auto& each : array(value, "notes")) {
    run.notes.push_back({number(each, "before"), read_item(need(each, "item"))});
    if (run.notes.back().before > run.fresh.size())
      throw broken{"'before' is past the items"};
  }
}

state read_run(const json& value) {
  if (number(value, "troupe_run") != state_version)
    throw broken{fmt::format("it is of version {}; known is {}", number(value, "troupe_run"), state_version)};
  state run;
  run.at = phase::paused;
  auto agent = std::make_shared<agent_definition>();
  agent->name = text(value, "agent");
  run.agent = std::move(agent);
  run.turns = small_number(value, "turns");
  run.fresh = read_items(array(value, "items"));
  if (run.fresh.empty())
    throw broken{"it has no items"};
  for (const auto& each : array(value, "calls"))
    run.open_calls.push_back(read_call(each));
  run.used = read_usage(need(value, "usage"));
  run.context = optional_object(value, "context");
  for (const auto& each : array(value, "approved"))
    run.always_approved.emplace(text(each, "agent"), text(each, "tool"));
  for (const auto& each : array(value, "tool_users")) {
    if (!each.is_string())
      throw broken{"'tool_users' holds what is no text"};
    run.tool_users.insert(each.get<std::string>());
  }
  read_notes(value, run);
  run.is_repaired = flag(value, "repaired");
  if (find(value, "said_instead") != nullptr)
    run.said_instead = text(value, "said_instead");
  run.team = read_team(need(value, "team"));
  if (find(value, "team_history") != nullptr)
    run.team.history = std::make_shared<const item_list>(read_items(array(value, "team_history")));
  read_view(value, run);
  if (find(value, "at") != nullptr)
    read_standing(value, run);
  else if (interruptions(run).empty())
    throw broken{"it waits for nothing"};
  return run;
}

} // namespace

result<state> state_from_json(const json& value) {
  try {
    return read_run(value);
  } catch (const broken& problem) {
    return fail(errc::malformed, problem.what);
  }
}

} // namespace troupe::run
