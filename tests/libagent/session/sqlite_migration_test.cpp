#include "libagent/session/sealed_store.hpp"
#include "tests/libagent/session/old_databases.hpp"
#include "tests/libagent/session/store_cases.hpp"

using namespace troupe;

TEST_CASE("a database of version 1 keeps its sessions and takes what is new") {
  const auto folder = temporary_folder{};
  make_version_1(folder / "s.db");
  const auto store = open(folder / "s.db");
  CHECK(other_program{folder / "s.db"}.read("PRAGMA user_version") == "6");

  const auto before = load(*store, "s1");
  CHECK(before.agent == "triage");
  CHECK(before.items == item_list{said("one"), assistant_message{"triage", "two"}});
  CHECK(before.used.shares().empty());
  CHECK(before.approved.empty());
  CHECK_FALSE(before.paused);
  CHECK(load(*store, "s2").items.empty());

  auto added = pause("s1", "r1", "state");
  added.items = {said("three")};
  added.used.add("triage", "small", {1, 2, 3, 4, 5, 6});
  added.approved = {{"triage", "look"}};
  append(*store, {added});
  const auto after = load(*open(folder / "s.db"), "s1");
  CHECK(after.agent == "triage");
  CHECK(after.items == item_list{said("one"), assistant_message{"triage", "two"}, said("three")});
  CHECK(after.used == added.used);
  CHECK(after.approved == added.approved);
  CHECK(after.paused == added.paused);
  CHECK(store->session_of("r1").value() == "s1");
  CHECK(store->erase("s1").value());
  CHECK(store->erase("s2").value());
}

TEST_CASE("a database of version 2 or 3 keeps its sessions and paused runs, which go on in its journal") {
  const auto [version, tool_calls] = GENERATE(table<int, std::uint64_t>({{2, 0}, {3, 6}}));
  CAPTURE(version);
  const auto folder = temporary_folder{};
  const auto path = folder / "s.db";
  (version == 2 ? make_version_2 : make_version_3)(path);
  const auto store = open(path);
  CHECK(other_program{path}.read("PRAGMA user_version") == "6");
  const auto before = load(*store, "s1");
  CHECK(before.items == item_list{said("one"), assistant_message{"triage", "two"}});
  CHECK(before.used.total() == usage{1, 20, 30, 4, 5, tool_calls});
  CHECK(before.approved == approved_calls{{"triage", "look"}});
  CHECK(before.paused == paused_run{"r1", R"({"kept":true})"});
  CHECK(before.owner.empty());
  CHECK(store->session_of("r1").value() == "s1");
  CHECK(store->adopt_runs().value().empty());
  CHECK(read_journal(path).runs().ids.empty());

  // The journal does not know a run from before its time; its end counts for its session all the same.
  auto ended = unpause("s1");
  ended.agent = "triage";
  ended.items = {said("three")};
  ended.run = run_change{"r1"};
  ended.run->records = {"{}"};
  ended.run->ended = run_ending{"completed", "{}"};
  append(*store, {ended});
  CHECK_FALSE(store->load_run("r1").value());
  auto next = add("s1", "triage", {said("four")});
  next.run = run_change{"r2", run_acceptance{"ada", "{}"}};
  next.run->begins = true;
  append(*store, {next});
  const auto after = load(*open(path), "s1");
  CHECK_FALSE(after.paused);
  CHECK(after.items.size() == 4);
  CHECK(store->load_run("r2").value()->items == item_list{said("four")});
  CHECK(store->erase("s1").value());
  CHECK(read_journal(path).runs().ids.empty());
}

TEST_CASE("a database of version 4 keeps its runs, what is paused is summed, and what is over is counted") {
  const auto folder = temporary_folder{};
  const auto path = folder / "s.db";
  make_version_4(path);
  const auto store = open(path);
  CHECK(other_program{path}.read("PRAGMA user_version") == "6");
  CHECK(other_program{path}.read("SELECT bytes FROM journal_size") == "11");
  const auto before = load(*store, "s1");
  CHECK(before.items.size() == 2);
  CHECK(before.paused == paused_run{"r1", R"({"kept":true})"});
  CHECK(store->load_run("r2").value()->outcome == R"({"result":"x"})");
  other_program{path}.run("UPDATE paused_runs SET state = '{}'");
  CHECK(load(*store, "s1").paused->is_damaged);
  append(*store, {add("s1", "triage", {said("three")})});
  other_program{path}.run("UPDATE items SET item = replace(item, 'two', 'owt')");
  CHECK(load(*store, "s1").items.size() == 3);
  other_program{path}.run("UPDATE items SET item = replace(item, 'three', 'eerht')");
  CHECK(store->load("s1").error().code == errc::store_failed);
}

TEST_CASE("what looks like a seal in a database from before there were any is not one") {
  const auto folder = temporary_folder{};
  const auto path = folder / "s.db";
  make_version_3(path);
  other_program{path}.run(R"(UPDATE items SET item = replace(item, '"one"', '"[redacted:KEY]"');
                             UPDATE paused_runs SET state = '{"kept":"[redacted:KEY]"}')");
  const auto known = std::make_shared<const redactor>(std::vector{secret{"some-secret", "KEY"}});
  const auto found = make_sealed_store(open(path), known)->load("s1").value().value();
  CHECK(found.items.front() == said("[redacted:KEY]"));
  CHECK(found.paused->state == R"({"kept":"[redacted:KEY]"})");
}

TEST_CASE("a migration that fails leaves the database as the older version made it") {
  const auto folder = temporary_folder{};
  make_version_1(folder / "s.db");
  auto other = other_program{folder / "s.db"};
  const auto objects = other.read("SELECT count(*) + 1 FROM sqlite_schema");
  // The last of the tables that the migration makes.
  other.run("CREATE TABLE paused_runs(mine TEXT)");
  CHECK_THAT(reason_not_opened(folder / "s.db"), Catch::Contains("paused_runs"));
  CHECK(other.read("PRAGMA user_version") == "1");
  CHECK(other.read("SELECT count(*) FROM sqlite_schema") == objects);

  other.run("DROP TABLE paused_runs");
  CHECK(load(*open(folder / "s.db"), "s1").items.size() == 2);
}

TEST_CASE("a session that version 1 erases from a migrated database leaves nothing to the next one") {
  const auto folder = temporary_folder{};
  make_version_1(folder / "s.db");
  const auto store = open(folder / "s.db");
  auto added = pause("s2", "r2");
  added.used.add("a", "m", {1, 1, 1, 1, 1});
  added.approved = {{"a", "look"}};
  append(*store, {added});
  other_program{folder / "s.db"}.run(
      "DELETE FROM items WHERE session = (SELECT key FROM sessions WHERE id = 's2'); "
      "DELETE FROM sessions WHERE id = 's2'");
  append(*store, {add("s3", "a", {})});
  const auto next = load(*store, "s3");
  CHECK(next.used.shares().empty());
  CHECK(next.approved.empty());
  CHECK_FALSE(next.paused);
  CHECK_FALSE(store->session_of("r2").value());
}
