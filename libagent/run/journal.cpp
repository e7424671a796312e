#include "libagent/run/journal.hpp"

#include "libagent/core/error_json.hpp"
#include "libagent/run/state_json.hpp"
#include "libagent/run/steps.hpp"
#include "libagent/run/takeovers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace troupe::run {

namespace {

json items_from(const item_list& items, std::size_t from) {
  auto array = json::array();
  for (auto i = from; i < items.size(); ++i)
    array.push_back(to_json(items[i]));
  return array;
}

/// Members of `now` that differ from `before` as "set", those that are gone as "unset".
void add_differences(const json& before, const json& now, json& change) {
  for (const auto& [name, value] : now.items()) {
    const auto* known = find(before, name);
    if (known == nullptr || *known != value)
      change["set"][name] = value;
  }
  for (const auto& [name, value] : before.items())
    if (!now.contains(name))
      change["unset"].push_back(name);
}

/// The same of a member that may be large; null if it is not there.
template <class Value, class Encode>
void add_difference(const char* name, const std::shared_ptr<const Value>& before,
                    const std::shared_ptr<const Value>& now, Encode encode, json& change) {
  if (before == now)
    return;
  if (now)
    change["set"][name] = encode();
  else
    change["unset"].push_back(name);
}

} // namespace

recorder::known_call::known_call(const open_call& call)
    : head(call_head_to_json(call)), arguments(call.arguments), result(call.result),
      nested(call.result ? nullptr : call.nested) {}

json recorder::take(state& run, const std::string& path) {
  auto record = head_.is_null() ? take_all(run) : take_changes(run);
  run.unchanged = items_ = run.fresh.size();
  if (!record.is_null() && !path.empty())
    record["path"] = path;
  return record;
}

json recorder::take_all(state& run) {
  head_ = head_to_json(run);
  auto all = head_;
  all["items"] = to_json(run.fresh);
  calls_.clear();
  all["calls"] = json::array();
  for (const auto& call : run.open_calls) {
    calls_.emplace_back(call);
    all["calls"].push_back(call_to_json(call));
  }
  seen_ = run.seen_past;
  if (run.is_filtered)
    all["seen"] = seen_to_json(run);
  history_ = run.team.history;
  if (history_)
    all["team_history"] = to_json(*history_);
  return {{"run", std::move(all)}};
}

json recorder::take_changes(state& run) {
  json change;
  auto head = head_to_json(run);
  add_differences(head_, head, change);
  head_ = std::move(head);
  if (const auto from = std::min(run.unchanged, items_); from < items_ || run.fresh.size() != items_) {
    change["from"] = from;
    change["items"] = items_from(run.fresh, from);
  }
  add_calls(run, change);
  if (run.seen_past != seen_) {
    seen_ = run.seen_past;
    change["set"]["seen"] = seen_to_json(run);
  }
  if (run.team.history != history_) {
    history_ = run.team.history;
    if (history_)
      change["set"]["team_history"] = to_json(*history_);
    else
      change["unset"].push_back("team_history");
  }
  return change;
}

void recorder::add_calls(const state& run, json& change) {
  const auto& calls = run.open_calls;
  if (calls.size() != calls_.size())
    change["open"] = calls.size();
  // Those that are new follow below.
  calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(std::min(calls.size(), calls_.size())),
               calls_.end());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    known_call now(calls[i]);
    if (i == calls_.size()) {
      change["calls"][std::to_string(i)] = call_to_json(calls[i]);
      calls_.push_back(std::move(now));
      continue;
    }
    if (auto changed = difference(calls_[i], now, calls[i]); !changed.is_null())
      change["changed"][std::to_string(i)] = std::move(changed);
    calls_[i] = std::move(now);
  }
}

json recorder::difference(const known_call& before, const known_call& now, const open_call& call) {
  json change;
  add_differences(before.head, now.head, change);
  add_difference(
      "arguments", before.arguments, now.arguments, [&] { return *call.arguments; }, change);
  add_difference(
      "output", before.result, now.result, [&] { return output_to_json(call); }, change);
  add_difference(
      "run", before.nested, now.nested, [&] { return state_to_json(*call.nested); }, change);
  return change;
}

bool is_recorded(const effects& todo) {
  return std::any_of(todo.begin(), todo.end(), [](const effect& each) {
    return std::holds_alternative<call_tools>(each) || std::holds_alternative<hand_off>(each);
  });
}

bool is_recorded(const event& what) {
  if (const auto* verdict = std::get_if<checked>(&what))
    return !verdict->outcome || verdict->outcome->what != guardrail::action::pass;
  return std::holds_alternative<model_answered>(what) || std::holds_alternative<tool_answered>(what) ||
         std::holds_alternative<call_paused>(what) || std::holds_alternative<resumed>(what) ||
         std::holds_alternative<stop_after_turn>(what);
}

namespace {

void add_under_way(const state& run, const std::string& prefix, std::set<std::string>& found) {
  for (std::size_t i = 0; i < run.open_calls.size(); ++i) {
    const auto& call = run.open_calls[i];
    if (call.what != toolbox_entry::kind::agent || call.at != open_call::stage::running)
      continue;
    const auto path = prefix + place_of(run, i);
    found.insert(path);
    if (call.nested)
      add_under_way(*call.nested, path + "/", found);
  }
}

} // namespace

std::set<std::string> agents_under_way(const state& run) {
  std::set<std::string> found;
  add_under_way(run, {}, found);
  return found;
}

json cancellation_record(const error& reason, bool after_turn) {
  return {{"cancelled", to_json(reason)}, {"after_turn", after_turn}};
}

json takeover_record() {
  return {{"takeover", true}};
}

namespace {

/// A run as far as its records were read.
struct known_run {
  json now;
  /// The record that had all of it, and for each open call the one that it was last changed by.
  std::size_t since = 0;
  std::vector<std::size_t> calls_since;
};

bool change_members(json& now, const json& change) {
  if (const auto* set = find(change, "set")) {
    if (!set->is_object())
      return false;
    now.update(*set);
  }
  if (const auto* unset = find(change, "unset"))
    for (const auto& name : *unset) {
      if (!name.is_string())
        return false;
      now.erase(name.get<std::string>());
    }
  return true;
}

bool change_items(json& list, const json& change) {
  const auto* items = find(change, "items");
  if (items == nullptr)
    return true;
  const auto* from = find(change, "from");
  if (from == nullptr || !from->is_number_unsigned() || !items->is_array() || !list.is_array() ||
      from->get<std::size_t>() > list.size())
    return false;
  list.erase(list.begin() + from->get<std::ptrdiff_t>(), list.end());
  list.insert(list.end(), items->begin(), items->end());
  return true;
}

std::optional<std::size_t> parse_index(std::string_view text) noexcept {
  std::size_t index = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, index);
  return failed == std::errc() && rest == end ? std::optional(index) : std::nullopt;
}

bool change_calls(known_run& known, const json& change, std::size_t at) {
  auto& calls = known.now["calls"];
  if (!calls.is_array())
    return false;
  const auto* open = find(change, "open");
  const auto* changed = find(change, "calls");
  const auto count = open != nullptr && open->is_number_unsigned() ? open->get<std::size_t>() : calls.size();
  if (count < calls.size())
    calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(count), calls.end());
  known.calls_since.resize(calls.size(), at);
  if (const auto* parts = find(change, "changed")) {
    if (!parts->is_object())
      return false;
    for (const auto& [index, part] : parts->items()) {
      const auto i = parse_index(index);
      if (!i || *i >= calls.size() || !part.is_object() || !change_members(calls[*i], part))
        return false;
      known.calls_since[*i] = at;
    }
  }
  if (changed == nullptr || !changed->is_object())
    return calls.size() == count;
  // Each that is new has to be there.
  if (count > calls.size() + changed->size())
    return false;
  for (std::size_t i = 0; i < count; ++i)
    if (const auto* call = find(*changed, std::to_string(i))) {
      if (i > calls.size())
        return false;
      if (i == calls.size()) {
        calls.push_back(*call);
        known.calls_since.push_back(at);
      } else {
        calls[i] = *call;
        known.calls_since[i] = at;
      }
    }
  return calls.size() == count;
}

/// Changes what is known of a run by the record with that number; false if the record does not fit.
bool apply(known_run& known, const json& change, std::size_t at) {
  if (const auto* all = find(change, "run")) {
    known.now = *all;
    known.since = at;
    known.calls_since.clear();
    return known.now.is_object() && change_calls(known, json::object(), at);
  }
  return known.now.is_object() && change_members(known.now, change) &&
         change_items(known.now["items"], change) && change_calls(known, change, at);
}

using known_runs = std::map<std::string, known_run>;

/// Has the calls of agents that were under way hold the runs that they started.
result<void> attach(state& run, const std::string& prefix, const std::vector<std::size_t>& calls_since,
                    const known_runs& known) {
  for (std::size_t i = 0; i < run.open_calls.size(); ++i) {
    auto& call = run.open_calls[i];
    if (call.at != open_call::stage::running || call.what != toolbox_entry::kind::agent)
      continue;
    const auto path = prefix + place_of(run, i);
    const auto found = known.find(path);
    // What is older belongs to a life of that run that the call has outlived.
    if (found == known.end() || found->second.since < calls_since.at(i))
      continue;
    auto nested = state_from_json(found->second.now);
    if (!nested)
      return fail(errc::malformed, fmt::format("the run of call {}: {}", path, nested.error().detail));
    if (auto attached = attach(*nested, path + "/", found->second.calls_since, known); !attached)
      return attached;
    call.nested = std::make_shared<const state>(std::move(*nested));
    call.decisions.clear();
  }
  return {};
}

} // namespace

result<std::optional<journaled_run>> fold(const std::vector<json>& records) {
  known_runs known;
  journaled_run made;
  made.crashes = crashes(records);
  bool was_taken_up = false;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    const auto* reason = find(record, "cancelled");
    if (find(record, "takeover") != nullptr) {
      was_taken_up = true;
    } else if (reason != nullptr) {
      made.cancelled = error_from_json(*reason).value_or(fail(errc::cancelled, "the run was cancelled"));
    } else {
      const auto* path = find_string(record, "path");
      if (!apply(known[path != nullptr ? *path : std::string()], record, i + 1))
        return fail(errc::malformed, fmt::format("record {} does not fit those before it", i + 1));
    }
  }
  const auto outermost = known.find("");
  if (outermost == known.end() && !made.cancelled && !was_taken_up)
    return std::optional<journaled_run>();
  if (outermost == known.end()) {
    // It was begun and nothing more.
    made.run.at = phase::created;
    return std::optional(std::move(made));
  }
  auto run = state_from_json(outermost->second.now);
  if (!run)
    return fail(errc::malformed, fmt::format("its records come to nothing: {}", run.error().detail));
  if (auto attached = attach(*run, {}, outermost->second.calls_since, known); !attached)
    return attached.error();
  made.run = std::move(*run);
  return std::optional(std::move(made));
}

} // namespace troupe::run
