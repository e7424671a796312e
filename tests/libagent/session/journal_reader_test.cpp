#include "tests/libagent/session/failing_disk.hpp"
#include "tests/libagent/session/journal_files.hpp"
#include "tests/libagent/session/old_databases.hpp"

#include <filesystem>
#include <map>

using namespace troupe;

namespace {

/// All files of the folder that the path is in that hold something, and what.
std::map<std::string, std::string> files_beside(const std::string& path) {
  std::map<std::string, std::string> found;
  for (const auto& each : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()))
    if (auto bytes = bytes_of(each.path()); !bytes.empty())
      found[each.path().filename()] = std::move(bytes);
  return found;
}

/// A file as it is left where a server has just crashed: its log holds all, and the log's index is gone.
void make_crashed(const std::string& path, const std::string& work) {
  const auto store = open(work);
  append(*store, {begin("s", "r")});
  std::filesystem::copy(work, path);
  std::filesystem::copy(work + "-wal", path + "-wal");
}

} // namespace

TEST_CASE("a journal is read where there is no room for the log's index, and nothing is written") {
  temporary_folder work;
  temporary_folder folder;
  const auto path = folder / "a ?#%41.db";
  const bool has_log = GENERATE(false, true);
  CAPTURE(has_log);
  make_crashed(path, work / "s.db");
  if (!has_log)
    (void)open(path);
  REQUIRE(std::filesystem::exists(path + "-wal") == has_log);
  std::filesystem::remove(path + "-processes");
  const auto before = files_beside(path);
  failing_disk disk;
  disk.fail_at(0, failing_disk::fault::no_index);
  {
    auto journal = read_journal(path);
    CHECK(journal.runs().ids == std::vector<std::string>{"r"});
    CHECK(journal.store().load_run("r").value()->status == "running");
    CHECK(journal.check_file().empty());
    CHECK_FALSE(journal.store().append({begin("s", "r2")}).has_value());
    CHECK(files_beside(path) == before);
  }
  CHECK(files_beside(path) == before);
}

TEST_CASE("a journal that can only be read alone is not read beside others, nor do others come to it") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  failing_disk disk;
  {
    const auto store = open(path);
    append(*store, {begin("s", "r")});
    disk.fail_at(0, failing_disk::fault::no_index);
    CHECK_THAT(reason_not_read(path), Catch::Contains("somebody has") && Catch::Contains("stop that server"));
    disk.repair();
  }
  disk.fail_at(0, failing_disk::fault::no_index);
  {
    auto journal = read_journal(path);
    CHECK(journal.runs().ids.size() == 1);
    sqlite3* other = nullptr;
    disk.repair();
    REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
    CHECK(sqlite3_exec(other, "SELECT count(*) FROM runs", nullptr, nullptr, nullptr) == SQLITE_BUSY);
    sqlite3_close(other);
  }
  CHECK(open_sqlite_store(path).has_value());
}

TEST_CASE("a journal is read beside a server, and no process is numbered for it") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  {
    const auto store = open(path);
    append(*store, {begin("s", "r")});
    auto journal = read_journal(path);
    CHECK(journal.runs().ids.size() == 1);
    append(*store, {begin("s", "r2")});
    CHECK(journal.runs().ids.size() == 2);
    CHECK_FALSE(journal.store().erase("s").has_value());
  }
  CHECK(other_program{path}.read("SELECT count(*) FROM processes") == "1");
}

TEST_CASE("a journal of an older version is brought up to date to be read, or why it cannot be is told") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  make_version_4(path);
  failing_disk disk;
  disk.fail_at(0, failing_disk::fault::no_index);
  CHECK_THAT(reason_not_read(path), Catch::Contains("older version") && Catch::Contains("copy it"));
  disk.repair();
  CHECK_FALSE(read_journal(path).runs().ids.empty());
}

TEST_CASE("what cannot be opened says why") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  std::filesystem::create_directory(path);
  CHECK_THAT(reason_not_read(path), Catch::Contains("directory"));
  write(folder / "t.db", std::string(8192, 'x'));
  CHECK_THAT(reason_not_read(folder / "t.db"), Catch::Contains("not a database"));
  // As a server leaves it that finds no room.
  write(folder / "e.db", "");
  CHECK_THAT(reason_not_read(folder / "e.db"), Catch::Contains("it is empty") && !Catch::Contains("older"));
  CHECK(bytes_of(folder / "e.db").empty());
}
