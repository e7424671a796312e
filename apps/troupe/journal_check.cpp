#include "apps/troupe/journal_check.hpp"

#include "actors/defaults.hpp"
#include "actors/paused_session_run.hpp"
#include "actors/stored_run_json.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"
#include "libagent/run/journal.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

namespace troupe::cli {

namespace {

/// Findings about the file as such that are printed where they are not asked for as JSON; a damaged page can
/// have any number, and none says more than that it is there.
constexpr std::size_t most_file_findings = 10;

struct flaw {
  /// One of both is empty, or both where it is about the file as such.
  std::string run_id;
  std::string session_id;
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

/// What is wrong with what a run waits with, or waited with; empty if nothing is. A run that is over can only
/// have been paused, and where that cannot be read, it lacks nothing.
std::string damage_of_paused(journal_reader& journal, const std::string& run_id, bool is_over) {
  const auto paused = journal.store().load_paused(run_id);
  if (!paused)
    return is_over
               ? std::string()
               : fmt::format("what it is paused with cannot be read: {}", journal.words_of(paused.error()));
  if (!*paused)
    return {};
  if ((*paused)->is_damaged)
    return "what it is paused with is damaged: its checksum does not fit";
  const auto read = from_stored(**paused);
  return read ? std::string() : fmt::format("what it is paused with is damaged: {}", read.error().detail);
}

/// The session's items, and what it is paused with if that is none of these runs.
result<void> check_session(session_store& store, const std::string& session_id,
                           const std::set<std::string>& runs) {
  const auto session = store.load(session_id);
  if (!session)
    return session.error();
  const bool has_own = *session && (*session)->paused && !runs.contains((*session)->paused->run_id);
  if (has_own)
    if (const auto read = from_stored(*(*session)->paused); !read)
      return read.error();
  return {};
}

/// How a run stands all of which can be read as a server would, but for what it is paused with; nothing if it
/// is not found.
result<std::optional<std::string>> check_run(session_store& store, const std::string& run_id) {
  const auto run = store.load_run(run_id);
  if (!run)
    return run.error();
  if (!*run)
    return std::optional<std::string>();
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
  if (auto read = each_event(store, run_id, [](const stored_event&) {}); !read)
    return read.error();
  return std::optional((*run)->status);
}

std::vector<flaw> flaws_of_runs(journal_reader& journal, const found_ids& runs) {
  std::vector<flaw> flaws;
  for (const auto& run_id : runs.ids)
    if (const auto damage = damage_of(journal, run_id); !damage.empty())
      flaws.push_back({run_id, "", fmt::format("{}", fmt::join(damage, "; "))});
  return flaws;
}

std::vector<flaw> flaws_of_sessions(journal_reader& journal, const found_ids& sessions,
                                    const found_ids& runs) {
  std::vector<flaw> flaws;
  const std::set<std::string> known(runs.ids.begin(), runs.ids.end());
  for (const auto& session_id : sessions.ids)
    if (const auto sound = check_session(journal.store(), session_id, known); !sound)
      flaws.push_back({"", session_id, journal.words_of(sound.error())});
  return flaws;
}

std::vector<flaw> flaws_of_file(journal_reader& journal, const found_ids& runs, const found_ids& sessions) {
  std::vector<flaw> flaws;
  for (auto& each : journal.check_file())
    flaws.push_back({"", "", std::move(each)});
  for (const auto& [what, found] : {std::pair{"runs", &runs}, std::pair{"sessions", &sessions}})
    if (!found->gap.empty())
      flaws.push_back({"", "", fmt::format("there may be {} that cannot be listed: {}", what, found->gap)});
  return flaws;
}

json to_json(const flaw& found) {
  json made = {{"run_id", found.run_id.empty() ? json(nullptr) : json(found.run_id)},
               {"detail", found.detail}};
  if (!found.session_id.empty())
    made["session_id"] = found.session_id;
  return made;
}

/// The detail of a failure, where that does not name what it is about.
std::string about(std::string_view what, const std::string& id, const std::string& detail) {
  return detail.find(id) != std::string::npos ? detail : fmt::format("{} \"{}\": {}", what, id, detail);
}

void print_flaws(const std::vector<flaw>& flaws) {
  std::size_t of_file = 0;
  for (const auto& [run_id, session_id, detail] : flaws) {
    if (!run_id.empty())
      complain("troupe: {}\n", printable(about_run(run_id, detail)));
    else if (!session_id.empty())
      complain("troupe: {}\n", printable(about("session", session_id, detail)));
    else if (++of_file <= most_file_findings)
      complain("troupe: the file: {}\n", printable(detail));
  }
  if (of_file > most_file_findings)
    complain("troupe: the file: {} findings more (--json prints all)\n", of_file - most_file_findings);
}

/// What helps where something is damaged.
void tell_what_to_do() {
  complain("troupe: keep a copy of the file before all else; `troupe journal export` prints what can be read "
           "of each run. What to do: docs/journal.md#damage\n");
}

} // namespace

result<void> each_event(session_store& store, const std::string& run_id,
                        const std::function<void(const stored_event&)>& take) {
  const events_bound at_once{defaults::events_read_at_once, defaults::run_log_bytes};
  for (std::uint64_t last = 0;;) {
    const auto events = store.load_events(run_id, last, at_once);
    if (!events)
      return events.error();
    if (events->empty())
      return {};
    for (const auto& each : *events)
      take(each);
    last = events->back().number;
  }
}

std::vector<std::string> damage_of(journal_reader& journal, const std::string& run_id) {
  std::vector<std::string> found;
  stored_run run;
  bool can_go_on = false;
  const auto sound = check_run(journal.store(), run_id);
  if (sound && *sound) {
    run.status = **sound;
  } else {
    const auto left = journal.remains(run_id);
    if (!left)
      return {journal.words_of(left.error())};
    // There is none, or it has been forgotten meanwhile.
    if (!*left)
      return {};
    run = (*left)->run;
    found = (*left)->damage;
    can_go_on = (*left)->is_request_damaged && run.status == "paused" && found.size() == 1;
    if (found.empty() && !sound)
      found.push_back(journal.words_of(sound.error()));
  }
  if (auto paused = damage_of_paused(journal, run_id, run.is_over()); !paused.empty())
    found.push_back(std::move(paused));
  else if (can_go_on)
    found.back() +=
        " (it is paused, and can be resumed without; should its server crash after that, it ends as "
        "failed)";
  return found;
}

std::string about_run(const std::string& run_id, const std::string& detail) {
  return about("run", run_id, detail);
}

int check_all(journal_reader& journal, bool as_json) {
  const auto runs = journal.runs();
  const auto sessions = journal.sessions();
  auto flaws = flaws_of_file(journal, runs, sessions);
  const auto of_runs = flaws_of_runs(journal, runs);
  flaws.insert(flaws.end(), of_runs.begin(), of_runs.end());
  const auto of_sessions = flaws_of_sessions(journal, sessions, runs);
  flaws.insert(flaws.end(), of_sessions.begin(), of_sessions.end());
  bool was_printed = false;
  if (as_json) {
    auto list = json::array();
    for (const auto& each : flaws)
      list.push_back(to_json(each));
    was_printed = print_json({{"runs", runs.ids.size()}, {"flaws", std::move(list)}});
  } else {
    print_flaws(flaws);
    if (!flaws.empty())
      tell_what_to_do();
    auto summary = fmt::format("{} runs, {} damaged", runs.ids.size(), of_runs.size());
    if (!of_sessions.empty())
      summary += fmt::format("; of {} sessions {} damaged", sessions.ids.size(), of_sessions.size());
    if (flaws.size() > of_runs.size() + of_sessions.size())
      summary += "; the file itself is damaged";
    was_printed = print(summary + "\n");
  }
  return flaws.empty() && was_printed ? exit_code::ok : exit_code::failed;
}

} // namespace troupe::cli
