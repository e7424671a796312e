#include "actors/defaults.hpp"
#include "actors/told_event.hpp"
#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/hidden_secrets.hpp"
#include "apps/troupe/journal_check.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <utility>

namespace troupe::cli {

namespace {

json value_or_text(const std::string& text) {
  auto parsed = parse_json(text, defaults::journal_depth);
  return parsed ? std::move(*parsed) : json(text);
}

json describe(const stored_event& told) {
  const auto event = event_from_stored(told.text);
  return {{"id", told.number}, {"event", event.name}, {"data", value_or_text(event.data)}};
}

/// But for its events.
json describe(session_store& store, const stored_run& run) {
  json made = {{"run_id", run.run_id},
               {"session_id", run.session_id},
               {"status", run.status},
               {"items", to_json(run.items)}};
  if (!run.owner.empty())
    made["owner"] = run.owner;
  if (!run.request.empty())
    made["request"] = value_or_text(run.request);
  if (!run.outcome.empty())
    made["outcome"] = value_or_text(run.outcome);
  made["records"] = json::array();
  for (const auto& each : run.records)
    made["records"].push_back(each.empty() ? json(nullptr) : value_or_text(each));
  if (const auto paused = store.load_paused(run.run_id); paused && *paused) {
    made["paused"] = value_or_text((*paused)->state);
    if ((*paused)->is_damaged)
      made["paused_damaged"] = true;
  }
  made["events"] = json::array();
  return made;
}

/// What is left of a run, and why that is not all.
json describe(session_store& store, const run_remains& left, const std::vector<std::string>& damage) {
  auto made = describe(store, left.run);
  if (left.run.session_id.empty())
    made["session_id"] = nullptr;
  if (left.run.status.empty())
    made["status"] = nullptr;
  for (const auto& each : left.events)
    made["events"].push_back(describe(each));
  made["damage"] = damage;
  return made;
}

enum class outcome : std::uint8_t {
  whole = 1,
  damaged,
  /// There is no such run.
  none,
  /// Nobody reads what is printed.
  unprinted,
};

outcome dump(journal_reader& journal, const std::string& run_id) {
  auto& store = journal.store();
  auto damage = damage_of(journal, run_id);
  if (damage.empty()) {
    const auto run = store.load_run(run_id);
    if (run && !*run)
      return outcome::none;
    if (run) {
      auto made = describe(store, **run);
      // It has just been read.
      (void)each_event(store, run_id,
                       [&made](const stored_event& each) { made["events"].push_back(describe(each)); });
      return print_json(made) ? outcome::whole : outcome::unprinted;
    }
    damage.push_back(journal.words_of(run.error()));
  }
  for (const auto& each : damage)
    complain("troupe: {}\n", printable(about_run(run_id, each)));
  const auto left = journal.remains(run_id);
  if (left && *left && !print_json(describe(store, **left, damage)))
    return outcome::unprinted;
  return outcome::damaged;
}

int dump_all(journal_reader& journal) {
  const auto runs = journal.runs();
  std::size_t damaged = 0;
  for (const auto& run_id : runs.ids) {
    // One that has been forgotten meanwhile is not missed.
    const auto came = dump(journal, run_id);
    if (came == outcome::unprinted)
      return exit_code::failed;
    damaged += came == outcome::damaged ? 1 : 0;
  }
  if (!runs.gap.empty())
    complain("troupe: there may be runs that cannot be listed: {}\n", printable(runs.gap));
  if (damaged == 0 && runs.gap.empty())
    return exit_code::ok;
  complain(
      "troupe: {} of {} runs are damaged; what is left of them has \"damage\" (docs/journal.md#damage)\n",
      damaged, runs.ids.size());
  return exit_code::failed;
}

int dump_one(journal_reader& journal, const std::string& run_id) {
  const auto came = dump(journal, run_id);
  if (came == outcome::none)
    complain("troupe: there is no run '{}'\n", printable(run_id));
  return came == outcome::whole ? exit_code::ok : exit_code::failed;
}

} // namespace

int journal(const common_options& common, const journal_options& options) {
  set_up_logging(common, "warn");
  auto loaded = load_agent_file(common.config);
  const auto* file = std::get_if<config::configuration>(&loaded);
  if (!file)
    return exit_code::usage;
  if (file->sessions.store != config::session_options::store_kind::sqlite) {
    complain("troupe: the agent file keeps no journal; write sessions: {{store: sqlite}}\n");
    return exit_code::usage;
  }
  if (!std::filesystem::exists(file->sessions.path)) {
    complain("troupe: there is no session database \"{}\" yet\n", file->sessions.path.string());
    return exit_code::failed;
  }
  auto opened = journal_reader::open(file->sessions.path.string(), hidden_secrets());
  if (!opened) {
    complain("troupe: {}\n", printable(opened.error().detail));
    return exit_code::failed;
  }
  if (options.what == journal_options::action::check)
    return check_all(*opened, options.json);
  return options.run_id.empty() ? dump_all(*opened) : dump_one(*opened, options.run_id);
}

} // namespace troupe::cli
