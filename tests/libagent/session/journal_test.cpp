#include "libagent/session/process_lock.hpp"
#include "libagent/session/sqlite_database.hpp"
#include "tests/libagent/session/failing_disk.hpp"
#include "tests/libagent/session/run_cases.hpp"
#include "tests/libagent/session/sqlite_peer.hpp"

using namespace troupe;

TEST_CASE("a journal knows how a run stands, from its acceptance to its end") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {accept("r")});
  auto run = load_run(*store, "r");
  CHECK(run.status == "waiting");
  CHECK(run.owner == "ada");
  CHECK(run.key_hash == "hash");
  CHECK(run.request == R"({"prompt":"hi"})");
  CHECK(run.items.empty());

  append(*store, {add("s", "a", {said("before")})});
  append(*store, {begin("r"), note("r", {"{1}", "{2}"})});
  append(*store, {note("r", {"{3}"})});
  run = load_run(*store, "r");
  CHECK(run.status == "running");
  CHECK(run.records == std::vector<std::string>{"{1}", "{2}", "{3}"});
  CHECK(run.items == item_list{said("hi")});

  append(*store, {end("r", {said("done")}), add("s", "a", {said("after")})});
  run = load_run(*store, "r");
  CHECK(run.status == "completed");
  CHECK(run.records.empty());
  CHECK(run.request.empty());
  CHECK(run.outcome == R"({"result":"x"})");
  CHECK(run.items == item_list{said("hi"), said("done")});
}

TEST_CASE("how a run has ended stays, whatever is written of it later") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {begin("r"), end("r", {said("done")})});
  auto late = note("r", {});
  late.run->ended = run_ending{"failed", R"({"error":"lost"})"};
  append(*store, {late});
  auto again = note("r", {});
  again.run->begins = true;
  append(*store, {again});
  const auto run = load_run(*store, "r");
  CHECK(run.status == "completed");
  CHECK(run.outcome == R"({"result":"x"})");
  CHECK(run.items == item_list{said("hi"), said("done")});
  // The same id again, after a refusal.
  append(*store, {begin("r")});
  CHECK(load_run(*store, "r").status == "running");
}

TEST_CASE("a paused run that goes on is under way again with its first step") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {begin("r"), note("r", {"{1}"})});
  append(*store, {pause_run("r")});
  CHECK(load_run(*store, "r").status == "paused");
  CHECK(load_run(*store, "r").records.empty());
  append(*store, {note("r", {"{2}"})});
  CHECK(load_run(*store, "r").status == "running");
}

TEST_CASE("events keep their numbers, and those that are void are gone") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {begin("r")});
  auto told = note("r", {"{1}"});
  told.run->first_event = 1;
  told.run->events = {"a", "b", "c"};
  told.run->last_event = 3;
  append(*store, {told});
  CHECK(load_run(*store, "r").last_event == 3);
  CHECK(load_run(*store, "r").events_before == std::vector<std::uint64_t>{3});
  auto unsaid = note("r", {});
  unsaid.run->void_events = {2};
  append(*store, {unsaid});
  CHECK(store->load_events("r", 0, 9).value() == std::vector<stored_event>{{1, "a"}, {3, "c"}});
  CHECK(store->load_events("r", 1, 1).value() == std::vector<stored_event>{{3, "c"}});
}

TEST_CASE("a database that somebody else has locked is not reachable for now, whatever is in it") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  auto ours = sqlite::database::open(path, 0).value();
  other_program other{path};
  other.run("BEGIN IMMEDIATE");
  const auto begun = sqlite::transaction::begin(ours);
  REQUIRE_FALSE(begun.has_value());
  CHECK(begun.error().code == errc::unavailable);
  other.run("ROLLBACK");
  CHECK(sqlite::transaction::begin(ours).has_value());
  CHECK(ours.execute("nonsense").error().code == errc::store_failed);
}

TEST_CASE("damage is found, named, and hurts the one run only") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  auto store = open(path);
  append(*store, {begin("r1"), note("r1", {"{1}", "{2}", "{3}"})});
  append(*store, {begin("r2"), note("r2", {"{1}"})});
  const auto [sql, why] = GENERATE(table<std::string, std::string>({
      {"UPDATE journal SET record = '{9}' WHERE run = 1 AND sequence = 2", "record 2 is damaged"},
      {"UPDATE journal SET checksum = checksum + 1 WHERE run = 1 AND sequence = 3", "record 3 is damaged"},
      {"DELETE FROM journal WHERE run = 1 AND sequence = 2", "record 2 is missing"},
      {"UPDATE journal SET run = 3 WHERE run = 1 AND sequence = 1", "record 1 is missing"},
      {"UPDATE runs SET request = '{}' WHERE key = 1", "its request is damaged"},
  }));
  other_program{path}.run(sql);
  const auto found = store->load_run("r1");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == errc::store_failed);
  CHECK_THAT(found.error().detail, Catch::Contains("r1") && Catch::Contains(why));
  CHECK(load_run(*store, "r2").records.size() == 1);
}

TEST_CASE("what is over is forgotten when its time or its room is over, what is not is kept") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {begin("old"), end("old", {})});
  append(*store, {begin("new"), end("new", {})});
  append(*store, {begin("open")});
  other_program{path}.run("UPDATE runs SET changed = changed - 100 WHERE id IN ('old', 'open')");
  REQUIRE(store->purge({std::chrono::seconds(50), 1u << 20}).has_value());
  CHECK_FALSE(store->load_run("old").value().has_value());
  CHECK(store->load_run("new").value().has_value());
  REQUIRE(store->purge({std::chrono::seconds(50), 1}).has_value());
  CHECK_FALSE(store->load_run("new").value().has_value());
  CHECK(store->load_run("open").value().has_value());
}

TEST_CASE("runs are forgotten so many at once, for their time as for their room") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  for (const auto* id : {"1", "2", "3", "4", "5"})
    append(*store, {begin(id), end(id, {})});
  const bool is_old = GENERATE(false, true);
  if (is_old)
    other_program{path}.run("UPDATE runs SET changed = changed - 100");
  const retention kept{std::chrono::seconds(50), is_old ? 1u << 20 : 0, 2};
  const auto left = [&] { return read_journal(path).runs().ids.size(); };
  CHECK(store->purge(kept).value());
  CHECK(left() == 3);
  CHECK(store->purge(kept).value());
  CHECK(left() == 1);
  CHECK_FALSE(store->purge(kept).value());
  CHECK(left() == 0);
}

TEST_CASE("what is forgotten at once is one transaction") {
  std::size_t failures = 0;
  for (std::size_t n = 1;; ++n) {
    CAPTURE(n);
    temporary_folder folder;
    failing_disk disk;
    const auto path = folder / "s.db";
    const auto store = open(path);
    for (const auto* id : {"1", "2", "3", "4", "5"})
      append(*store, {begin(id), end(id, {})});
    disk.fail_at(n, failing_disk::fault::broken);
    const auto purged = store->purge({std::chrono::hours(1), 0});
    disk.repair();
    CHECK(read_journal(path).runs().ids.size() == (purged ? 0 : 5));
    if (purged)
      break;
    ++failures;
  }
  CHECK(failures > 0);
}

TEST_CASE("with its session a run is forgotten, and what still comes of it is not kept") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {begin("r"), note("r", {"{1}"})});
  CHECK(store->erase("s").value());
  CHECK_FALSE(store->load_run("r").value().has_value());
  append(*store, {note("r", {"{2}"})});
  CHECK_FALSE(store->load_run("r").value().has_value());
}

TEST_CASE("items of a session can be taken back") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {add("s", "a", {said("1"), said("2"), said("3")})});
  auto change = add("s", "a", {said("4")});
  change.takes_back = 2;
  append(*store, {change});
  CHECK(load(*store, "s").items == item_list{said("1"), said("4")});
}

TEST_CASE("without durability there is no journal") {
  temporary_folder folder;
  const auto store = open_sqlite_store(folder / "s.db", durability::off).value();
  CHECK_FALSE(store->has_journal());
  append(*store, {begin("r")});
  CHECK_FALSE(store->load_run("r").value().has_value());
  CHECK(load(*store, "s").items == item_list{said("hi")});
}

TEST_CASE("a process holds its number until it ends") {
  temporary_folder folder;
  const auto path = folder / "locks";
  auto mine = process_lock::open(path).value();
  REQUIRE(mine.take(1).has_value());
  CHECK(mine.is_held(1));
  CHECK_FALSE(mine.is_held(2));
  {
    auto other = process_lock::open(path).value();
    CHECK_FALSE(other.take(1).has_value());
    REQUIRE(other.take(2).has_value());
    CHECK(mine.is_held(2));
  }
  CHECK_FALSE(mine.is_held(2));
}
