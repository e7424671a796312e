#include "tests/libagent/session/sqlite_peer.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <filesystem>
#include <fstream>

using namespace troupe;

TEST_CASE("sessions outlive the store that wrote them") {
  const auto folder = temporary_folder{};
  REQUIRE(open(folder / "s.db")->append({{"s1", "triage", {said("hello")}}}).has_value());
  const auto record = open(folder / "s.db")->load("s1").value();
  REQUIRE(record.has_value());
  CHECK(record->agent == "triage");
  CHECK(record->items == item_list{said("hello")});
}

TEST_CASE("a new database is in WAL mode and carries Troupe's mark and the schema's version") {
  const auto folder = temporary_folder{};
  open(folder / "s.db");
  auto other = other_program{folder / "s.db"};
  CHECK(other.read("PRAGMA journal_mode") == "wal");
  CHECK(other.read("PRAGMA application_id") == std::to_string(0x54727065));
  CHECK(other.read("PRAGMA user_version") == "6");
}

TEST_CASE("a new database and its log are for their owner alone") {
  using std::filesystem::perms;
  const auto folder = temporary_folder{};
  const auto store = open(folder / "s.db");
  REQUIRE(store->append({{"s1", "triage", {said("a")}}}).has_value());
  for (const char* name : {"s.db", "s.db-wal", "s.db-shm"}) {
    CAPTURE(name);
    CHECK(std::filesystem::status(folder / name).permissions() == (perms::owner_read | perms::owner_write));
  }
}

TEST_CASE("what was appended is visible to another connection at once") {
  const auto folder = temporary_folder{};
  const auto store = open(folder / "s.db");
  REQUIRE(store->append({{"s1", "triage", {said("a"), said("b")}}}).has_value());
  auto other = other_program{folder / "s.db"};
  CHECK(other.read("SELECT count(*) FROM items") == "2");
}

TEST_CASE("a batch that fails half way leaves nothing behind, and the store works on") {
  const auto folder = temporary_folder{};
  const auto store = open(folder / "s.db");
  auto other = other_program{folder / "s.db"};
  other.run("CREATE TRIGGER refuse BEFORE INSERT ON items WHEN NEW.item LIKE '%poison%' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END");
  const auto failed = store->append({{"s1", "a", {said("good")}}, {"s2", "a", {said("poison")}}});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == errc::store_failed);
  CHECK_THAT(failed.error().detail, Catch::Contains("refused"));
  // It may be told to clients.
  CHECK_THAT(failed.error().detail, !Catch::Contains("s.db"));
  CHECK_FALSE(store->load("s1").value().has_value());
  CHECK(store->append({{"s1", "a", {said("good")}}}).has_value());
  CHECK(store->load("s1").value().has_value());
}

TEST_CASE("the error for a missing folder names it") {
  const auto folder = temporary_folder{};
  CHECK_THAT(reason_not_opened(folder / "absent/s.db"),
             Catch::Contains("no folder \"" + (folder / "absent") + "\""));
}

TEST_CASE("a folder is no database") {
  const auto folder = temporary_folder{};
  CHECK_THAT(reason_not_opened(folder / "."), Catch::Contains("folder, not a file"));
}

TEST_CASE("a file that is no database is refused and left as it was") {
  const auto folder = temporary_folder{};
  const auto text = std::string(4096, 'x');
  std::ofstream{folder / "s.db"} << text;
  CHECK_THAT(reason_not_opened(folder / "s.db"), Catch::Contains("not a database"));
  auto now = std::string{};
  std::getline(std::ifstream{folder / "s.db"}, now);
  CHECK(now == text);
}

TEST_CASE("another program's database is refused and left as it was") {
  const auto folder = temporary_folder{};
  auto other = other_program{folder / "s.db"};
  other.run("CREATE TABLE recipes(name TEXT)");
  CHECK_THAT(reason_not_opened(folder / "s.db"), Catch::Contains("another program"));
  CHECK(other.read("PRAGMA journal_mode") == "delete");
  CHECK(other.read("SELECT count(*) FROM sqlite_schema") == "1");
}

TEST_CASE("a database of a newer version is refused") {
  const auto folder = temporary_folder{};
  open(folder / "s.db");
  other_program{folder / "s.db"}.run("PRAGMA user_version = 999");
  CHECK_THAT(reason_not_opened(folder / "s.db"),
             Catch::Contains("newer version") && Catch::Contains("999") && Catch::Contains("s.db"));
}

TEST_CASE("an item that cannot be read fails the load and names session and item") {
  const auto folder = temporary_folder{};
  const auto store = open(folder / "s.db");
  REQUIRE(store->append({{"s1", "a", {said("one"), said("two")}}, {"s2", "a", {said("fine")}}}).has_value());
  const auto broken = GENERATE("{", "{\"type\":\"riddle\"}");
  other_program{folder / "s.db"}.run(std::string{"UPDATE items SET item = '"} + broken +
                                     "' WHERE item LIKE '%two%'");
  const auto loaded = store->load("s1");
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == errc::store_failed);
  CHECK_THAT(loaded.error().detail, Catch::Contains("\"s1\"") && Catch::Contains("number 2"));
  CHECK(store->load("s2").value().has_value());
}

TEST_CASE("a batch that fails changes neither usage, approvals nor pauses") {
  const auto folder = temporary_folder{};
  const auto store = open(folder / "s.db");
  append(*store, {pause("s1", "r1", "1"), spend("s1", "a", "m", {1, 1, 1, 1, 1})});
  other_program{folder / "s.db"}.run("CREATE TRIGGER refuse BEFORE INSERT ON paused_runs "
                                     "WHEN NEW.state = 'poison' BEGIN SELECT RAISE(ABORT, 'refused'); END");
  auto added = unpause("s1");
  added.used.add("a", "m", {1, 1, 1, 1, 1});
  added.approved = {{"a", "look"}};
  REQUIRE_FALSE(store->append({added, pause("s2", "r2", "poison")}).has_value());
  const auto record = load(*store, "s1");
  CHECK(record.paused == paused_run{"r1", "1"});
  CHECK(record.used.total() == usage{1, 1, 1, 1, 1});
  CHECK(record.approved.empty());
  CHECK_FALSE(is_there(*store, "s2"));
}

TEST_CASE("an erased session leaves no row behind") {
  const auto folder = temporary_folder{};
  const auto store = open(folder / "s.db");
  auto added = pause("s1", "r1");
  added.items = {said("x")};
  added.used.add("a", "m", {1, 1, 1, 1, 1});
  added.approved = {{"a", "look"}};
  append(*store, {added});
  auto other = other_program{folder / "s.db"};
  const auto rows = "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM items) + "
                    "(SELECT count(*) FROM session_usage) + (SELECT count(*) FROM session_approvals) + "
                    "(SELECT count(*) FROM paused_runs)";
  REQUIRE(other.read(rows) == "5");
  SECTION("by the store") {
    REQUIRE(store->erase("s1").value());
  }
  SECTION("by hand") {
    other.run("DELETE FROM sessions");
  }
  CHECK(other.read(rows) == "0");
}
