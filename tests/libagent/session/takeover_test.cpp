#include "libagent/session/process_lock.hpp"
#include "tests/libagent/session/run_cases.hpp"
#include "tests/libagent/session/sqlite_peer.hpp"

#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;

namespace {

std::optional<errc> refusal(session_store& store, const session_append& added) {
  const auto written = store.append({added});
  return written ? std::nullopt : std::optional(written.error().code);
}

/// Does something in a process of its own, which then ends without a word.
template <class Task>
void in_another_process(Task task) {
  const auto child = fork();
  if (child == 0) {
    task();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

} // namespace

TEST_CASE("what a process that is gone has left unfinished is taken over once") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  in_another_process([&] {
    auto store = open_sqlite_store(path).value();
    (void)store->append({accept("w")});
    (void)store->append({begin("r"), note("r", {"{1}"})});
    (void)store->append({begin("over"), end("over", {})});
  });
  const auto first = open(path);
  const auto second = open(path);
  const auto adopted = first->adopt_runs().value();
  REQUIRE(adopted.size() == 2);
  CHECK(adopted[0].run_id == "r");
  CHECK(adopted[1].run_id == "w");
  CHECK(adopted[0].session_id == "s");
  CHECK(second->adopt_runs().value().empty());
}

TEST_CASE("only those of what is left are taken over that fit the filter, and the others stay") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  in_another_process([&] {
    auto store = open_sqlite_store(path).value();
    // Those that wait were accepted before the one that is under way.
    for (const std::string session : {"a", "b"})
      for (const std::string name : {"waits", "runs", "last"}) {
        auto accepted = accept(session + name);
        accepted.session_id = session;
        (void)store->append({accepted});
      }
    for (const std::string session : {"a", "b"}) {
      session_append begun{session, {}, {}};
      begun.run = run_change{session + "runs"};
      begun.run->begins = true;
      (void)store->append({begun});
    }
    (void)store->append({begin("over"), end("over", {})});
  });
  struct example {
    orphan_filter wanted;
    std::vector<std::string> taken;
  };
  const std::vector<std::string> all{"aruns", "bruns", "awaits", "alast", "bwaits", "blast"};
  const auto each = GENERATE_COPY(
      example{{}, all}, example{{"a", ""}, {"aruns", "awaits", "alast"}}, example{{"none", ""}, {}},
      example{{"", "aruns"}, {"aruns"}}, example{{"", "bwaits"}, {"bruns", "bwaits"}},
      example{{"", "blast"}, {"bruns", "bwaits", "blast"}}, example{{"", "over"}, {}},
      example{{"", "none"}, {}}, example{{"a", "bruns"}, {}});
  const auto ids = [](const std::vector<orphaned_run>& runs) {
    std::vector<std::string> named;
    for (const auto& run : runs)
      named.push_back(run.run_id);
    return named;
  };
  const auto first = open(path);
  CHECK(ids(first->adopt_runs(each.wanted).value()) == each.taken);
  auto rest = all;
  for (const auto& taken : each.taken)
    std::erase(rest, taken);
  CHECK(ids(open(path)->adopt_runs().value()) == rest);
}

TEST_CASE("what stands before a run whose process lives is left alone where that run is asked for") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  in_another_process([&] {
    auto store = open_sqlite_store(path).value();
    (void)store->append({begin("r")});
  });
  const auto alive = open(path);
  append(*alive, {accept("w")});
  const auto other = open(path);
  CHECK(other->adopt_runs({"", "w"}).value().empty());
  CHECK(other->adopt_runs().value().size() == 1);
}

TEST_CASE("a run of a process that lives is nobody else's") {
  temporary_folder folder;
  const auto alive = open(folder / "s.db");
  append(*alive, {begin("r")});
  CHECK(open(folder / "s.db")->adopt_runs().value().empty());
}

TEST_CASE("a store that takes another's place in its process goes on with its runs, and nobody else does") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto seat = std::make_shared<process_seat>();
  auto first = open_sqlite_store(path, durability::full, seat).value();
  append(*first, {begin("r"), note("r", {"{1}"})});
  first.reset();
  const auto other = open(path);
  CHECK(other->adopt_runs().value().empty());
  const auto second = open_sqlite_store(path, durability::full, seat).value();
  append(*second, {note("r", {"{2}"}), accept("w")});
  CHECK(load_run(*second, "r").records.size() == 2);
  CHECK(other->adopt_runs().value().empty());
}

TEST_CASE("a run id that another process has under way is refused, and its run stays as it is") {
  temporary_folder folder;
  const auto ours = open(folder / "s.db");
  const auto theirs = open(folder / "s.db");
  const bool has_begun = GENERATE(false, true);
  append(*theirs, {has_begun ? begin("r") : accept("r")});
  auto told = note("r", {});
  told.run->first_event = 1;
  told.run->events = {"a"};
  for (const auto& each : {accept("r"), begin("r"), note("r", {"{1}"}), end("r", {}), told})
    CHECK(refusal(*ours, each) == errc::conflict);
  const auto run = load_run(*ours, "r");
  CHECK(run.status == (has_begun ? "running" : "waiting"));
  CHECK(run.records.empty());
  CHECK(run.last_event == 0);
  append(*theirs, {end("r", {})});
  append(*ours, {accept("r")});
  // Its own may come again: it was refused.
  append(*ours, {accept("r", "{2}")});
  CHECK(load_run(*ours, "r").request == "{2}");
}

TEST_CASE("of two processes that go on with a paused run one does") {
  temporary_folder folder;
  const auto ours = open(folder / "s.db");
  const auto theirs = open(folder / "s.db");
  const auto [they_pause, they_go_on] =
      GENERATE(table<bool, bool>({{false, true}, {true, false}, {false, false}}));
  auto& going_on = they_go_on ? *theirs : *ours;
  auto& late = they_go_on ? *ours : *theirs;
  append(they_pause ? *theirs : *ours, {begin("r"), pause_run("r")});
  // Both have the run at hand.
  auto told = note("r", {});
  told.run->first_event = 1;
  told.run->events = {"a"};
  append(*ours, {told});
  append(*theirs, {told});
  const bool is_ended = GENERATE(false, true);
  append(going_on, {is_ended ? end("r", {}) : note("r", {"{1}"})});
  CHECK(refusal(late, note("r", {"{2}"})) == errc::conflict);
  CHECK(refusal(late, end("r", {})) == errc::conflict);
  const auto run = load_run(*ours, "r");
  CHECK(run.status == (is_ended ? "completed" : "running"));
  CHECK(run.records.size() == (is_ended ? 0 : 1));
}
