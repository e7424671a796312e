#include "libagent/session/store.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <sqlite3.h>

#include <array>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;

namespace {

item said(std::string text) {
  return user_message{std::move(text)};
}

/// A connection of somebody else's.
class other_program {
public:
  explicit other_program(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK);
  }
  ~other_program() { sqlite3_close(handle_); }
  other_program(const other_program&) = delete;
  other_program& operator=(const other_program&) = delete;

  void run(const std::string& sql) {
    INFO(sql);
    REQUIRE(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }

  std::string read(const std::string& sql) {
    auto value = std::string{};
    const auto keep = [](void* to, int, char** columns, char**) {
      *static_cast<std::string*>(to) = columns[0] ? columns[0] : "";
      return 0;
    };
    REQUIRE(sqlite3_exec(handle_, sql.c_str(), keep, &value, nullptr) == SQLITE_OK);
    return value;
  }

private:
  sqlite3* handle_ = nullptr;
};

std::unique_ptr<session_store> open(const std::string& path) {
  auto opened = open_sqlite_store(path);
  INFO((opened ? "" : opened.error().detail));
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

std::string reason_not_opened(const std::string& path) {
  const auto opened = open_sqlite_store(path);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == errc::store_failed);
  CHECK_THAT(opened.error().detail, Catch::Contains(path));
  return opened.error().detail;
}

/// Adds one item many times, in a process of its own. Exit status 0 means that all went well.
pid_t start_writer(const std::string& path, const std::string& name, int count) {
  const auto child = fork();
  if (child != 0)
    return child;
  auto opened = open_sqlite_store(path);
  auto ok = opened.has_value();
  for (auto i = 0; ok && i < count; ++i)
    ok = (*opened)->append({{"shared", name, {said(name + std::to_string(i))}}}).has_value();
  _exit(ok ? 0 : 1);
}

} // namespace

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
  CHECK(other.read("PRAGMA user_version") == "1");
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
  CHECK_THAT(reason_not_opened(folder / "s.db"), Catch::Contains("newer version") && Catch::Contains("999"));
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

TEST_CASE("processes that open a new database at once and write to one session lose nothing") {
  const auto folder = temporary_folder{};
  constexpr auto appends = 25;
  auto writers = std::array<pid_t, 4>{};
  for (auto i = 0u; i < writers.size(); ++i)
    writers[i] = start_writer(folder / "s.db", std::string(1, static_cast<char>('a' + i)), appends);
  for (const auto writer : writers) {
    auto status = 0;
    REQUIRE(waitpid(writer, &status, 0) == writer);
    CHECK(status == 0);
  }
  const auto record = open(folder / "s.db")->load("shared").value();
  REQUIRE(record.has_value());
  CHECK(record->items.size() == writers.size() * appends);
  auto own = item_list{};
  for (const auto& entry : record->items)
    if (std::get<user_message>(entry).text.starts_with("a"))
      own.push_back(entry);
  REQUIRE(own.size() == appends);
  CHECK(own.front() == said("a0"));
  CHECK(own.back() == said("a24"));
}
