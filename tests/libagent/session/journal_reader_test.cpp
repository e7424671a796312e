#include "libagent/session/journal_reader.hpp"
#include "libagent/session/sealed_store.hpp"
#include "tests/libagent/session/failing_disk.hpp"
#include "tests/libagent/session/old_databases.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

using namespace troupe;

namespace {

constexpr std::size_t page_size = 4096;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// All files of the folder that the path is in that hold something, and what.
std::map<std::string, std::string> files_beside(const std::string& path) {
  std::map<std::string, std::string> found;
  for (const auto& each : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()))
    if (auto bytes = bytes_of(each.path()); !bytes.empty())
      found[each.path().filename()] = std::move(bytes);
  return found;
}

session_append begin(const std::string& session, const std::string& run_id) {
  session_append added{session, "", {said("hi from " + run_id + std::string(300, '.'))}};
  added.run = run_change{run_id, run_acceptance{"ada", R"({"prompt":"hi"})", "hash"}};
  added.run->begins = true;
  added.run->first_event = 1;
  for (int i = 1; i <= 3; ++i)
    added.run->events.push_back(fmt::format("\ntext_delta\n\"event {} of {}\"", i, run_id));
  added.run->records = {R"({"step":1})", R"({"step":2})", R"({"step":3})"};
  return added;
}

session_append end(const std::string& session, const std::string& run_id) {
  session_append added{session, "a", {said("done" + std::string(300, '.'))}};
  added.run = run_change{run_id};
  added.run->ended = run_ending{"completed", fmt::format(R"({{"result":"{}"}})", run_id)};
  return added;
}

std::string id_of(int number) {
  return fmt::format("run_{:03}", number);
}

/// Runs of several sessions, each tenth of which is under way.
std::vector<std::string> fill(session_store& store, int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) {
    const auto session = fmt::format("s{}", i % 7);
    ids.push_back(id_of(i));
    append(store, {begin(session, ids.back())});
    if (i % 10 != 0)
      append(store, {end(session, ids.back())});
  }
  return ids;
}

std::string reason_not_read(const std::string& path) {
  const auto opened = journal_reader::open(path, nothing_to_hide());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == errc::store_failed);
  CHECK_THAT(opened.error().detail, Catch::Contains(path));
  return opened.error().detail;
}

/// The journal, but for where the damage is such that not one table can be found.
std::optional<journal_reader> read_damaged(const std::string& path) {
  auto opened = journal_reader::open(path, nothing_to_hide());
  if (opened)
    return std::move(*opened);
  CHECK_THAT(opened.error().detail, Catch::Contains("list of tables is damaged"));
  return std::nullopt;
}

/// All of a run but its events, as text.
std::string told(const stored_run& run) {
  return fmt::format("{} {} {} {} {} {}", run.session_id, run.status, run.request, run.outcome,
                     fmt::join(run.records, "|"), dump_json(to_json(run.items)));
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
}

TEST_CASE("whichever page is damaged, all runs are named, and each is whole or says what it lacks") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto ids = fill(*open(path), 60);
  std::map<std::string, std::string> whole;
  {
    auto journal = read_journal(path);
    for (const auto& id : ids)
      whole[id] = told(*journal.store().load_run(id).value());
    REQUIRE(journal.runs().ids == ids);
    REQUIRE(journal.runs().gap.empty());
  }
  const auto bytes = bytes_of(path);
  std::size_t unopened = 0;
  std::size_t runs_hit = 0;
  std::size_t runs_left = 0;
  for (std::size_t page = 1; page < bytes.size() / page_size; ++page) {
    CAPTURE(page);
    auto damaged = bytes;
    damaged.replace(page * page_size, page_size, page_size, '\xff');
    write(path, damaged);
    auto opened = read_damaged(path);
    if (!opened) {
      ++unopened;
      continue;
    }
    auto& journal = *opened;
    const auto found = journal.runs();
    CHECK(found.ids == ids);
    CHECK(found.gap.empty());
    for (const auto& id : found.ids) {
      if (const auto run = journal.store().load_run(id); run && *run) {
        CHECK(told(**run) == whole[id]);
        continue;
      }
      const auto left = journal.remains(id);
      REQUIRE(left.has_value());
      REQUIRE(left->has_value());
      CAPTURE(id);
      CHECK_FALSE((*left)->damage.empty());
      ++runs_hit;
      runs_left += (*left)->run.request.empty() && (*left)->run.outcome.empty() ? 0 : 1;
    }
  }
  CHECK(unopened < 4);
  CHECK(runs_hit > ids.size());
  CHECK(runs_left > runs_hit / 2);
}

TEST_CASE("bytes that change anywhere in the file do not keep a run from being named") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto ids = fill(*open(path), 60);
  const auto bytes = bytes_of(path);
  for (std::size_t page = 1; page < bytes.size() / page_size; ++page) {
    CAPTURE(page);
    auto damaged = bytes;
    const auto at = page * page_size + page_size - 700;
    std::transform(damaged.begin() + static_cast<std::ptrdiff_t>(at),
                   damaged.begin() + static_cast<std::ptrdiff_t>(at + 40),
                   damaged.begin() + static_cast<std::ptrdiff_t>(at),
                   [](char each) { return static_cast<char>(each ^ 0x15); });
    write(path, damaged);
    auto opened = read_damaged(path);
    if (!opened)
      continue;
    auto& journal = *opened;
    const auto found = journal.runs().ids;
    for (const auto& id : ids)
      CHECK(std::find(found.begin(), found.end(), id) != found.end());
    for (const auto& id : found)
      (void)journal.remains(id);
  }
}

TEST_CASE("what is left of a run is read past what is damaged, and unsealed") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto seals = std::make_shared<const redactor>(std::vector{secret{"sk-0123456789", "KEY"}});
  {
    auto store = make_sealed_store(open_sqlite_store(path).value(), seals);
    auto begun = begin("s", "r");
    begun.run->accepted->request = R"({"prompt":"sk-0123456789"})";
    append(*store, {begun});
  }
  struct damage {
    const char* sql;
    std::vector<const char*> said;
  };
  const auto [sql, said] = GENERATE(values<damage>({
      {"UPDATE runs SET request_sum = 1", {"its request is damaged"}},
      {"UPDATE journal SET record = 'x' WHERE sequence = 2", {"its records one is damaged", ": 2"}},
      {"DELETE FROM journal WHERE sequence = 2", {"records one is missing: 2"}},
      {"UPDATE run_events SET checksum = 1", {"events some are damaged", ": 1 to 3"}},
      {"UPDATE items SET item = '{', checksum = NULL", {"session's items 1 cannot be understood"}},
      {"UPDATE runs SET outcome = 'x'", {"its outcome is damaged"}},
      {"PRAGMA foreign_keys = OFF; UPDATE runs SET session = 9", {"which session is its own cannot be read"}},
  }));
  CAPTURE(sql);
  other_program{path}.run(sql);
  auto journal = read_journal(path, seals);
  const auto left = journal.remains("r").value().value();
  REQUIRE(left.damage.size() == 1);
  for (const auto* each : said)
    CHECK_THAT(left.damage[0], Catch::Contains(each));
  CHECK(left.is_request_damaged == (std::string_view(sql).find("request") != std::string_view::npos));
  CHECK(left.run.status == "running");
  CHECK(left.run.request == R"({"prompt":"sk-0123456789"})");
  CHECK(left.run.records.size() == 3);
  CHECK(left.run.records[2] == R"({"step":3})");
  CHECK(left.events.size() == 3);
  CHECK_FALSE(journal.remains("r2").value());
}
