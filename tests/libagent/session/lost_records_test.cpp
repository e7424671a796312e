#include "tests/libagent/session/old_databases.hpp"
#include "tests/libagent/session/run_cases.hpp"

#include <fmt/format.h>

#include <chrono>

using namespace troupe;

namespace {

session_append tell(const std::string& run_id, std::vector<std::string> events, std::uint64_t first = 1) {
  auto told = note(run_id, {});
  told.run->first_event = first;
  told.run->events = std::move(events);
  return told;
}

session_append take_void(const std::string& run_id, std::vector<std::uint64_t> events) {
  auto unsaid = note(run_id, {});
  unsaid.run->void_events = std::move(events);
  return unsaid;
}

/// What a server writes of a run whose session is not at hand.
session_append lose(const std::string& run_id) {
  auto lost = note(run_id, {});
  lost.run->ended = run_ending{"failed", R"({"error":"lost"})"};
  return lost;
}

session_append go(const std::string& run_id, bool is_new = false) {
  auto begun = begin(run_id);
  if (!is_new)
    begun.run->accepted.reset();
  return begun;
}

session_append roll_back(const std::string& run_id, std::size_t items) {
  auto ended = end(run_id, {});
  ended.run->ended->status = "cancelled";
  ended.takes_back = items;
  return ended;
}

/// What is wrong with a run as a server reads it, and as is said of what is left of it; empty if nothing is.
std::string flaw_of(const std::string& path, const std::string& run_id) {
  auto journal = read_journal(path);
  const auto run = journal.store().load_run(run_id);
  const auto events = journal.store().load_events(run_id, 0, 99);
  const auto left = journal.remains(run_id).value();
  return fmt::format("{}{}{}", run ? "" : run.error().detail, events ? "" : events.error().detail,
                     left ? fmt::format("{}", fmt::join(left->damage, "; ")) : "");
}

/// "r" is under way, "over" and "later" are not; they have two items each, but for "r", which has one.
void make_three(const std::string& path) {
  const auto store = open(path);
  append(*store, {begin("over"), tell("over", {"a", "b", "c"}), end("over", {said("done")})});
  append(*store, {begin("later"), tell("later", {"a"}), end("later", {said("done")})});
  append(*store, {begin("r"), note("r", {"{1}", "{2}", "{3}"}), tell("r", {"a", "b", "c"})});
}

} // namespace

TEST_CASE("what a run has lost at its end is damage that is named, and hurts the one run only") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  make_three(path);
  struct loss {
    const char* sql;
    const char* run_id;
    /// As a server finds it when it reads the run; empty where it does not need what is lost.
    const char* not_loaded;
    const char* not_told;
    const char* left;
  };
  const auto each = GENERATE(values<loss>({
      {"DELETE FROM journal WHERE sequence = 3", "r", "record 3 is missing", "",
       "of its records one is missing: 3"},
      {"DELETE FROM journal", "r", "record 1 is missing", "", "of its records some are missing: 1 to 3"},
      {"DELETE FROM run_events WHERE run = 3 AND id = 3", "r", "of its 3 events 1 are missing", "",
       "of its 3 events 1 are missing"},
      {"DELETE FROM run_events WHERE run = 1 AND id = 3", "over", "", "of its 3 events 1 are missing",
       "of its 3 events 1 are missing"},
      {"DELETE FROM run_events WHERE run = 1 AND id = 2", "over", "", "of its 3 events 1 are missing",
       "of its 3 events 1 are missing"},
      {"DELETE FROM run_events WHERE run = 1", "over", "", "of its 3 events 3 are missing",
       "of its 3 events 3 are missing"},
      {"DELETE FROM items WHERE sequence = 1", "over", "item (number 1) that cannot be read: it is missing",
       "", "of its session's items one is missing: 1"},
      {"DELETE FROM items WHERE sequence = 2", "over", "item (number 2) that cannot be read: it is missing",
       "", "of its session's items one is missing: 2"},
      {"DELETE FROM items WHERE sequence = 5", "r", "item (number 1) that cannot be read: it is missing", "",
       "of its session's items one is missing: 5"},
  }));
  CAPTURE(each.sql);
  for (const auto* id : {"over", "later", "r"})
    REQUIRE(flaw_of(path, id).empty());
  other_program{path}.run(each.sql);
  const auto store = open(path);
  const auto run = store->load_run(each.run_id);
  CHECK(run.has_value() == std::string_view(each.not_loaded).empty());
  if (!run) {
    CHECK(run.error().code == errc::store_failed);
    CHECK_THAT(run.error().detail, Catch::Contains(each.run_id) && Catch::Contains(each.not_loaded));
  }
  const auto told = store->load_events(each.run_id, 0, 99);
  CHECK(told.has_value() == std::string_view(each.not_told).empty());
  if (!told)
    CHECK_THAT(told.error().detail, Catch::Contains(each.run_id) && Catch::Contains(each.not_told));
  CHECK(read_journal(path).remains(each.run_id).value()->damage == std::vector<std::string>{each.left});
  for (const std::string id : {"over", "later", "r"})
    if (id != each.run_id)
      CHECK(flaw_of(path, id).empty());
}

TEST_CASE("events that are missing show when the last of them are read, however few are read at once") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  make_three(path);
  other_program{path}.run("DELETE FROM run_events WHERE run = 1 AND id = 3");
  const auto store = open(path);
  CHECK(store->load_events("over", 0, 1).value().size() == 1);
  CHECK(store->load_events("over", 0, 2).value().size() == 2);
  CHECK(store->load_events("over", 0, {9, 1}).value().size() == 1);
  CHECK_FALSE(store->load_events("over", 2, 9).has_value());
}

TEST_CASE("what took the place of a session's lost items does not hide that they are") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  {
    const auto store = open(path);
    append(*store, {begin("r"), end("r", {said("1"), said("2")})});
    other_program{path}.run("DELETE FROM items WHERE sequence > 1");
    append(*store, {begin("next"), end("next", {said("3")})});
  }
  CHECK_THAT(flaw_of(path, "r"), Catch::Contains("2 to 3"));
  CHECK(flaw_of(path, "next").empty());
}

TEST_CASE("a session that lacks an item among its others cannot be read, which says so") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {add("s", "a", {said("1"), said("2"), said("3")}), add("t", "a", {said("1")})});
  const auto number = GENERATE(1, 2);
  other_program{path}.run(fmt::format("DELETE FROM items WHERE session = 1 AND sequence = {}", number));
  const auto found = store->load("s");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == errc::store_failed);
  CHECK_THAT(found.error().detail, Catch::Contains(fmt::format("\"s\" holds an item (number {})", number)) &&
                                       Catch::Contains("missing"));
  CHECK(load(*store, "t").items.size() == 1);
}

TEST_CASE("nothing that is taken away in order is called damage") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  struct story {
    const char* name;
    std::vector<session_append> parts;
  };
  const auto damaged_end = [] {
    auto ended = lose("r");
    ended.run->ended->keeps_records = true;
    return ended;
  };
  auto resumed_end = end("r", {said("done")});
  resumed_end.unpauses = true;
  auto paused_roll_back = roll_back("r", 1);
  paused_roll_back.unpauses = true;
  const auto steps = note("r", {"{1}", "{2}"});
  const std::vector<story> stories{
      {"it ends", {begin("r"), steps, tell("r", {"a"}), end("r", {said("done")})}},
      {"it waits", {accept("r")}},
      {"it waits and is cancelled", {add("s", "a", {said("0")}), accept("r"), lose("r"), begin("next")}},
      {"it begins later", {accept("r"), add("s", "a", {said("0")}), begin("r"), end("r", {said("done")})}},
      {"its items are taken back", {begin("r"), steps, roll_back("r", 1)}},
      {"its items are taken back, and another begins", {begin("r"), roll_back("r", 1), begin("next")}},
      {"it pauses", {begin("r"), steps, tell("r", {"a"}), pause_run("r")}},
      {"it pauses and goes on", {begin("r"), steps, pause_run("r"), tell("r", {"a"}), note("r", {"{3}"})}},
      {"it pauses twice and ends", {begin("r"), steps, pause_run("r"), steps, pause_run("r"), resumed_end}},
      {"it pauses and is taken back", {begin("r"), pause_run("r"), paused_roll_back, begin("next")}},
      {"events are void", {begin("r"), tell("r", {"a", "b", "c"}), take_void("r", {2, 3, 7})}},
      {"an event is told again", {begin("r"), tell("r", {"a", "b"}), tell("r", {"b", "c"}, 2)}},
      {"a void event is told again",
       {begin("r"), tell("r", {"a", "b"}), take_void("r", {2}), tell("r", {"b"}, 2), end("r", {})}},
      {"it is told something after its end", {begin("r"), end("r", {}), tell("r", {"a", "b"})}},
      {"it ends twice", {begin("r"), end("r", {said("done")}), steps, tell("r", {"a"}), lose("r")}},
      {"it is lost, and another begins", {begin("r"), steps, lose("r"), begin("next"), end("next", {})}},
      {"it is lost after another began", {begin("r"), begin("next"), end("next", {said("1")}), lose("r")}},
      {"another goes before it ends",
       {begin("r"), begin("next"), end("next", {said("1")}), end("r", {said("2")})}},
      {"another goes along and is taken back",
       {begin("r"), begin("next"), end("r", {}), roll_back("next", 1)}},
      {"one that came later begins first, and is taken back",
       {accept("r"), accept("next"), go("next"), go("r"), end("next", {}), roll_back("r", 1)}},
      {"one that came later goes on, and is taken back",
       {accept("next"), go("r", true), go("next"), end("r", {}), roll_back("next", 1)}},
      {"its records stay", {begin("r"), steps, damaged_end()}},
      {"its id comes again", {begin("r"), tell("r", {"a"}), steps, end("r", {}), begin("r")}},
  };
  const auto& [name, parts] = stories[GENERATE(range<std::size_t>(0, 23))];
  REQUIRE(stories.size() == 23);
  CAPTURE(name);
  const bool is_one_transaction = GENERATE(false, true);
  {
    const auto store = open(path);
    if (is_one_transaction)
      append(*store, parts);
    else
      for (const auto& each : parts)
        append(*store, {each});
  }
  CHECK(flaw_of(path, "r").empty());
  CHECK(flaw_of(path, "next").empty());
  // Somebody else goes on with it.
  const auto other = open(path);
  REQUIRE(other->adopt_runs().has_value());
  if (load_run(*other, "r").status == "running") {
    append(*other, {tell("r", {"x"}, 9), take_void("r", {1}), note("r", {"{9}"})});
    CHECK(flaw_of(path, "r").empty());
    append(*other, {end("r", {said("done")})});
    CHECK(flaw_of(path, "r").empty());
  }
}

TEST_CASE("runs that are forgotten or erased are missed by nobody") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  make_three(path);
  const auto store = open(path);
  const auto [by_time, by_size] = GENERATE(table<bool, bool>({{true, false}, {false, true}, {false, false}}));
  if (by_time)
    other_program{path}.run("UPDATE runs SET changed = changed - 100 WHERE id = 'over'");
  if (by_time || by_size)
    REQUIRE(store->purge({std::chrono::seconds(50), by_size ? 20u : 1u << 20}).has_value());
  else
    REQUIRE(store->erase("s").value());
  CHECK_FALSE(store->load_run("over").value());
  CHECK(store->load_run("later").value().has_value() == (by_time || by_size));
  auto journal = read_journal(path);
  for (const auto& id : journal.runs().ids)
    CHECK(flaw_of(path, id).empty());
  CHECK(journal.check_file().empty());
}

TEST_CASE("a database of version 5 is counted as it is, but for what its processes may still write to") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  make_version_5(path);
  const auto store = open(path);
  other_program other{path};
  const auto counts = [&](const std::string& id) {
    return other.read(
        "SELECT coalesce(records, 'unknown') || ' ' || coalesce(events, 'unknown') || ' ' || items "
        "FROM runs WHERE id = '" +
        id + "'");
  };
  CHECK(other.read("PRAGMA user_version") == "6");
  CHECK(counts("r1") == "0 0 2");
  CHECK(counts("r2") == "0 2 1");
  CHECK(counts("r3") == "unknown unknown 0");
  CHECK(load_run(*store, "r2").items == item_list{said("three")});
  other.run("DELETE FROM run_events WHERE run = 2 AND id = 3");
  CHECK_THAT(flaw_of(path, "r2"), Catch::Contains("of its 2 events 1 are missing"));
  // Its process is gone: from its first write on it is known what it has.
  REQUIRE(store->adopt_runs().value().size() == 1);
  append(*store, {note("r3", {"{2}"})});
  CHECK(counts("r3") == "2 2 0");
}

TEST_CASE("a process of the older version that goes on with a run or takes it over leaves it uncounted") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  other_program old{path};
  old.run("INSERT INTO processes(id, started) VALUES(90, 1)");
  append(*store, {begin("r"), tell("r", {"a", "b"})});
  const bool is_paused = GENERATE(false, true);
  if (is_paused)
    append(*store, {pause_run("r")});
  // As it did.
  old.run(is_paused ? "UPDATE runs SET status = 'running', process = 90 WHERE id = 'r' AND status = 'paused'"
                    : "UPDATE runs SET process = 90 WHERE id = 'r'");
  old.run("DELETE FROM run_events WHERE id = 2");
  CHECK(flaw_of(path, "r").empty());
  const auto next = open(path);
  REQUIRE(next->adopt_runs().value().size() == 1);
  append(*next, {tell("r", {"c"}, 3)});
  CHECK(flaw_of(path, "r").empty());
  old.run("DELETE FROM run_events WHERE id = 3");
  CHECK_FALSE(flaw_of(path, "r").empty());
}

TEST_CASE("a status that there is not is damage of its run") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  make_three(path);
  other_program{path}.run("UPDATE runs SET status = 'runninh' WHERE id = 'r'");
  const auto store = open(path);
  for (const auto& reason : {store->load_run("r").error(), store->load_head("r").error()}) {
    CHECK(reason.code == errc::store_failed);
    CHECK_THAT(reason.detail, Catch::Contains("run \"r\": its status is damaged"));
  }
  CHECK(flaw_of(path, "over").empty());
}

TEST_CASE("a run that has added nothing has none of the items of the run after it") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  auto silent = begin("silent");
  silent.items.clear();
  append(*store, {silent, begin("loud"), end("loud", {said("done")})});
  CHECK(load_run(*store, "silent").items.empty());
  CHECK(load_run(*store, "loud").items.size() == 2);
}
