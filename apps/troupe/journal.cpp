#include "libagent/run/journal.hpp"
#include "actors/defaults.hpp"
#include "actors/paused_session_run.hpp"
#include "actors/stored_run_json.hpp"
#include "actors/told_event.hpp"
#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/hidden_secrets.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"
#include "libagent/session/sealed_store.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <set>

namespace troupe::cli {

namespace {

struct flaw {
  /// Empty where it is about the file as such, or a session.
  std::string run_id;
  std::string detail;
};

result<std::vector<json>> parse_records(const stored_run& run) {
  std::vector<json> records;
  for (const auto& text : run.records) {
    auto record = parse_json(text, defaults::journal_depth);
    if (!record)
      return fail(record.error().code,
                  fmt::format("record {} is {}", records.size() + 1, record.error().detail));
    records.push_back(std::move(*record));
  }
  return records;
}

/// What a run waits with, or waited with.
result<void> check_paused(const paused_run& paused) {
  if (auto read = from_stored(paused); !read)
    return read.error();
  return {};
}

/// The session's items, and what it is paused with if that is none of these runs.
result<void> check_session(session_store& store, const std::string& session_id,
                           const std::set<std::string>& runs) {
  const auto session = store.load(session_id);
  if (!session)
    return session.error();
  const bool has_own = *session && (*session)->paused && !runs.contains((*session)->paused->run_id);
  return has_own ? check_paused(*(*session)->paused) : result<void>();
}

/// So many at a time that they need little memory.
const events_bound events_at_once{defaults::events_read_at_once, defaults::run_log_bytes};

/// Hands each event of the run to `take`.
template <class Take>
result<void> each_event(session_store& store, const std::string& run_id, Take take) {
  for (std::uint64_t last = 0;;) {
    const auto events = store.load_events(run_id, last, events_at_once);
    if (!events)
      return events.error();
    if (events->empty())
      return {};
    for (const auto& each : *events)
      take(each);
    last = events->back().number;
  }
}

/// Whether all that is kept of the run can be read, as a server would.
result<void> check_run(session_store& store, const std::string& run_id) {
  const auto run = store.load_run(run_id);
  if (!run)
    return run.error();
  if (!*run)
    return {};
  const auto records = parse_records(**run);
  if (!records)
    return records.error();
  if (const auto folded = run::fold(*records); !folded)
    return folded.error();
  if (const auto record = record_from_stored(**run); !record)
    return record.error();
  if (!(*run)->is_over())
    if (const auto request = request_from_stored(**run); !request)
      return request.error();
  const auto paused = store.load_paused(run_id);
  if (!paused)
    return paused.error();
  if (*paused)
    if (auto sound = check_paused(**paused); !sound)
      return sound;
  return each_event(store, run_id, [](const stored_event&) {});
}

int check_all(session_store& store, const std::vector<std::string>& runs,
              const std::vector<std::string>& sessions, bool as_json) {
  std::vector<flaw> flaws;
  const auto file = store.check_file();
  if (!file)
    flaws.push_back({"", file.error().detail});
  else
    for (const auto& each : *file)
      flaws.push_back({"", each});
  for (const auto& run_id : runs)
    if (const auto sound = check_run(store, run_id); !sound)
      flaws.push_back({run_id, sound.error().detail});
  const std::set<std::string> known(runs.begin(), runs.end());
  for (const auto& session_id : sessions)
    if (const auto sound = check_session(store, session_id, known); !sound)
      flaws.push_back({"", sound.error().detail});
  if (as_json) {
    auto list = json::array();
    for (const auto& [run_id, detail] : flaws)
      list.push_back({{"run_id", run_id.empty() ? json(nullptr) : json(run_id)}, {"detail", detail}});
    print_json({{"runs", runs.size()}, {"flaws", std::move(list)}});
  } else {
    for (const auto& [run_id, detail] : flaws)
      complain("troupe: {}{}\n", run_id.empty() ? "the file: " : "", printable(detail));
    print(fmt::format("{} runs, {} damaged\n", runs.size(), flaws.size()));
  }
  return flaws.empty() ? exit_code::ok : exit_code::failed;
}

json value_or_text(const std::string& text) {
  auto parsed = parse_json(text, defaults::journal_depth);
  return parsed ? std::move(*parsed) : json(text);
}

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
    made["records"].push_back(value_or_text(each));
  if (const auto paused = store.load_paused(run.run_id); paused && *paused) {
    made["paused"] = value_or_text((*paused)->state);
    if ((*paused)->is_damaged)
      made["paused_damaged"] = true;
  }
  made["events"] = json::array();
  // As far as they can be read.
  (void)each_event(store, run.run_id, [&made](const stored_event& each) {
    const auto event = event_from_stored(each.text);
    made["events"].push_back(
        {{"id", each.number}, {"event", event.name}, {"data", value_or_text(event.data)}});
  });
  return made;
}

int dump(session_store& store, const std::vector<std::string>& runs) {
  auto code = exit_code::ok;
  for (const auto& run_id : runs) {
    const auto run = store.load_run(run_id);
    if (!run || !*run) {
      complain("troupe: {}\n",
               run ? fmt::format("there is no run '{}'", printable(run_id)) : printable(run.error().detail));
      code = exit_code::failed;
      continue;
    }
    if (!print_json(describe(store, **run)))
      return exit_code::failed;
  }
  return code;
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
  // Whatever is kept from now on, what was kept before is there.
  auto opened = open_sqlite_store(file->sessions.path.string(), durability::batched);
  if (!opened) {
    complain("troupe: {}\n", printable(opened.error().detail));
    return exit_code::failed;
  }
  const auto store = make_sealed_store(std::move(*opened), hidden_secrets());
  auto runs = options.run_id.empty() ? store->run_ids() : result<std::vector<std::string>>({options.run_id});
  if (!runs) {
    complain("troupe: {}\n", printable(runs.error().detail));
    return exit_code::failed;
  }
  if (options.what != journal_options::action::check)
    return dump(*store, *runs);
  // One run alone is not checked with its session.
  const auto sessions = options.run_id.empty() ? store->session_ids()
                                               : result<std::vector<std::string>>(std::vector<std::string>());
  if (!sessions) {
    complain("troupe: {}\n", printable(sessions.error().detail));
    return exit_code::failed;
  }
  return check_all(*store, *runs, *sessions, options.json);
}

} // namespace troupe::cli
