#include "libagent/run/paused_json.hpp"

#include "libagent/run/machine.hpp"

#include <fmt/format.h>

#include <limits>

namespace troupe::run {

namespace {

using stage = open_call::stage;

// Writing.

std::string_view kind_name(toolbox_entry::kind kind) {
  constexpr std::string_view names[] = {"tool", "agent", "handoff"};
  return names[static_cast<std::size_t>(kind)];
}

json call_to_json(const open_call& call) {
  json made = {{"call_id", call.call_id},
               {"tool", call.offered_name},
               {"kind", kind_name(call.what)},
               {"name", call.name},
               {"waits", !call.result}};
  if (call.owner)
    made["owner"] = *call.owner;
  if (call.arguments)
    made["arguments"] = *call.arguments;
  if (call.result)
    made["output"] = to_json(item(tool_output{call.call_id, call.result->parts, call.result->is_error}));
  else if (call.nested)
    made["run"] = paused_to_json(*call.nested);
  else
    made["schema"] = call.schema.document();
  return made;
}

json team_to_json(const team_progress& team) {
  auto outputs = json::array();
  for (const auto& [member, output] : team.outputs)
    outputs.push_back({{"agent", member}, {"output", output}});
  json made = {{"input", team.input},
               {"next_member", team.next_member},
               {"round", team.round},
               {"judging", team.judging},
               {"outputs", outputs}};
  if (team.history)
    made["history"] = to_json(*team.history);
  return made;
}

json notes_to_json(const std::vector<note>& notes) {
  auto array = json::array();
  for (const auto& each : notes)
    array.push_back({{"before", each.before}, {"item", to_json(each.what)}});
  return array;
}

// Reading: what is wrong is thrown, and caught at the one door.

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

toolbox_entry::kind read_kind(const std::string& name) {
  using kind = toolbox_entry::kind;
  for (const auto each : {kind::tool, kind::agent, kind::handoff})
    if (kind_name(each) == name)
      return each;
  throw broken{fmt::format("'{}' is no kind of call", name)};
}

state read_run(const json& value);

open_call read_call(const json& value) {
  open_call call;
  call.call_id = text(value, "call_id");
  call.offered_name = text(value, "tool");
  call.what = read_kind(text(value, "kind"));
  call.name = text(value, "name");
  if (find(value, "owner") != nullptr)
    call.owner = text(value, "owner");
  call.arguments = optional_object(value, "arguments");
  if (!flag(value, "waits")) {
    auto output = read_item(need(value, "output"));
    auto* got = std::get_if<tool_output>(&output);
    if (got == nullptr)
      throw broken{"the output of a call is another item"};
    call.result = tool_result{std::move(got->parts), got->is_error};
    call.at = stage::done;
    return call;
  }
  if (!call.arguments)
    throw broken{"'arguments' is missing"};
  call.at = stage::waiting;
  if (const auto* nested = find(value, "run")) {
    call.nested = std::make_shared<const state>(read_run(*nested));
  } else {
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

state read_run(const json& value) {
  if (number(value, "troupe_run") != paused_version)
    throw broken{
        fmt::format("it is of version {}; known is {}", number(value, "troupe_run"), paused_version)};
  state run;
  run.at = phase::paused;
  auto agent = std::make_shared<agent_definition>();
  agent->name = text(value, "agent");
  run.agent = std::move(agent);
  run.turns = small_number(value, "turns");
  run.fresh = read_items(array(value, "items"));
  for (const auto& each : array(value, "calls"))
    run.open_calls.push_back(read_call(each));
  if (interruptions(run).empty())
    throw broken{"it waits for nothing"};
  auto used = shares_from_json(need(value, "usage"));
  if (!used)
    throw broken{used.error().detail};
  run.used = std::move(*used);
  run.context = optional_object(value, "context");
  for (const auto& each : array(value, "approved"))
    run.always_approved.emplace(text(each, "agent"), text(each, "tool"));
  for (const auto& each : array(value, "tool_users")) {
    if (!each.is_string())
      throw broken{"'tool_users' holds what is no text"};
    run.tool_users.insert(each.get<std::string>());
  }
  for (const auto& each : array(value, "notes")) {
    run.notes.push_back({number(each, "before"), read_item(need(each, "item"))});
    if (run.notes.back().before > run.fresh.size())
      throw broken{"'before' is past the items"};
  }
  run.is_repaired = flag(value, "repaired");
  if (find(value, "said_instead") != nullptr)
    run.said_instead = text(value, "said_instead");
  run.team = read_team(need(value, "team"));
  read_view(value, run);
  return run;
}

} // namespace

json paused_to_json(const state& run) {
  json made = {
      {"troupe_run", paused_version}, {"agent", run.agent->name},      {"turns", run.turns},
      {"items", to_json(run.fresh)},  {"calls", json::array()},        {"usage", shares_to_json(run.used)},
      {"approved", json::array()},    {"tool_users", run.tool_users},  {"notes", notes_to_json(run.notes)},
      {"repaired", run.is_repaired},  {"team", team_to_json(run.team)}};
  for (const auto& call : run.open_calls)
    made["calls"].push_back(call_to_json(call));
  for (const auto& [agent, tool] : run.always_approved)
    made["approved"].push_back({{"agent", agent}, {"tool", tool}});
  if (run.context)
    made["context"] = *run.context;
  if (run.said_instead)
    made["said_instead"] = *run.said_instead;
  if (run.is_filtered)
    made["seen"] = {{"items", run.seen_past ? to_json(*run.seen_past) : json::array()},
                    {"from", run.seen_from}};
  return made;
}

result<state> paused_from_json(const json& value) {
  try {
    return read_run(value);
  } catch (const broken& problem) {
    return fail(errc::malformed, fmt::format("a paused run cannot be read: {}", problem.what));
  }
}

} // namespace troupe::run
