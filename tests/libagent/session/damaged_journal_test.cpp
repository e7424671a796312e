#include "libagent/session/sealed_store.hpp"
#include "tests/libagent/session/journal_files.hpp"

#include <algorithm>
#include <map>

using namespace troupe;

namespace {

constexpr std::size_t page_size = 4096;

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

} // namespace

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
TEST_CASE("a file whose end is missing says so, and is read as far as it goes") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto ids = fill(*open(path), 60);
  std::map<std::string, std::string> whole;
  for (const auto& id : ids)
    whole[id] = told(*read_journal(path).store().load_run(id).value());
  const auto bytes = bytes_of(path);
  const auto pages = bytes.size() / page_size;
  std::size_t unopened = 0;
  std::size_t runs_whole = 0;
  for (std::size_t left = 1; left < pages; ++left) {
    CAPTURE(left, pages);
    write(path, bytes.substr(0, left * page_size));
    auto journal = read_damaged(path);
    if (!journal) {
      ++unopened;
      continue;
    }
    REQUIRE_FALSE(journal->check_file().empty());
    CHECK(journal->check_file().front() ==
          fmt::format("its end is missing: it has {} of {} pages", left, pages));
    const auto found = journal->runs();
    CAPTURE(found.gap, fmt::format("{}", fmt::join(found.ids, " ")));
    CHECK((found.ids == ids || !found.gap.empty()));
    for (const auto& id : found.ids) {
      const auto run = journal->store().load_run(id);
      const auto remains = journal->remains(id);
      REQUIRE((remains && *remains));
      if (run && *run) {
        CHECK(told(**run) == whole[id]);
        ++runs_whole;
      } else {
        CHECK_FALSE((*remains)->damage.empty());
      }
    }
  }
  // The first pages are of tables that hold nothing.
  CHECK(unopened < pages * 2 / 3);
  CHECK(runs_whole > ids.size());
}

TEST_CASE("damage of the list of tables is called that, and all that does not need what is damaged is read") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto ids = fill(*open(path), 1);
  struct damage {
    const char* sql;
    bool is_readable;
    bool is_whole;
  };
  const auto [sql, is_readable, is_whole] = GENERATE(values<damage>({
      {"SET sql = 'CREATE TRIGGER x' WHERE name = 'run_sized'", true, true},
      {"SET sql = replace(sql, 'ON', 'NO') WHERE name = 'runs_by_session'", true, true},
      {"SET sql = replace(sql, 'bytes', 'bites') WHERE name = 'journal_size'", true, true},
      {"SET sql = replace(sql, 'CREATE', 'CRATE') WHERE name = 'processes'", true, true},
      {"SET sql = replace(sql, 'session I', 'ression I') WHERE name = 'runs'", true, false},
      {"SET sql = replace(sql, 'record ', 'rekord ') WHERE name = 'journal'", true, false},
      {"SET sql = replace(sql, 'CREATE', 'CRATE') WHERE name = 'run_events'", true, false},
      {"SET sql = replace(sql, 'CREATE', 'CRATE') WHERE name = 'runs'", false, false},
  }));
  CAPTURE(sql);
  other_program{path}.run(fmt::format("PRAGMA writable_schema = ON; UPDATE sqlite_schema {}", sql));
  CHECK_THAT(reason_not_opened(path), Catch::Contains("docs/journal.md#damage"));
  if (!is_readable) {
    CHECK_THAT(reason_not_read(path),
               Catch::Contains("list of tables is damaged") && Catch::Contains("docs/journal.md#damage"));
    return;
  }
  auto journal = read_journal(path);
  REQUIRE_FALSE(journal.check_file().empty());
  CHECK_THAT(journal.check_file().front(), Catch::Contains("its list of tables is damaged: "));
  CHECK(journal.runs().ids == ids);
  for (const auto& id : ids) {
    CHECK((journal.store().load_run(id) && journal.store().load_events(id, 0, 9)) == is_whole);
    const auto left = journal.remains(id).value().value();
    CHECK(left.damage.empty() == is_whole);
    if (!is_whole)
      CHECK_THAT(left.damage.front(), Catch::Contains("its list of tables is damaged"));
  }
}

TEST_CASE("a number of a record that is damaged is not taken for so many records") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  (void)fill(*open(path), 1);
  const auto [number, records] = GENERATE(table<std::int64_t, std::size_t>(
      {{900, 900}, {1'004, 2}, {1'000'000'000'000'000, 2}, {-1, 2}, {0, 2}}));
  CAPTURE(number);
  other_program{path}.run(fmt::format("UPDATE journal SET sequence = {} WHERE sequence = 3", number));
  const auto left = read_journal(path).remains(id_of(0)).value().value();
  CHECK(left.run.records.size() == records);
  REQUIRE(left.damage.size() == 2);
  CHECK_THAT(left.damage[0],
             Catch::Contains(fmt::format("one is damaged, checksums do not fit: {}", number)));
  CHECK_THAT(left.damage[1], Catch::Contains("missing: 3"));
}

TEST_CASE("events that a damaged page has out of order are said to be, and read no further") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  {
    const auto store = open(path);
    auto begun = begin("s", "r");
    begun.run->first_event = 2;
    begun.run->events = {"event two", "event three", "event four"};
    append(*store, {begun});
  }
  auto bytes = bytes_of(path);
  // The number of an event stands right before its text.
  const auto last = bytes.find("\x04"
                               "event four");
  REQUIRE(last != std::string::npos);
  bytes[last] = 3;
  write(path, bytes);
  const auto read = open(path)->load_events("r", 0, 9);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == errc::store_failed);
  CHECK_THAT(read.error().detail, Catch::Contains("\"r\"") && Catch::Contains("its events are out of order"));
}
