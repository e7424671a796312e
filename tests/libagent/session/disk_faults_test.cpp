#include "tests/faults/scale.hpp"
#include "tests/libagent/session/failing_disk.hpp"
#include "tests/libagent/session/sqlite_peer.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <fmt/format.h>

#include <filesystem>

using namespace troupe;

namespace {

using fault = failing_disk::fault;

/// Among the tests, not each operation fails.
const std::size_t stride = testing::scaled(11, 1);

session_append change(const std::string& session, const std::string& run_id) {
  session_append added{session, "", {}};
  added.run = run_change{run_id};
  return added;
}

/// What two sessions go through, transaction by transaction.
std::vector<std::vector<session_append>> story() {
  std::vector<std::vector<session_append>> all;
  for (const auto* id : {"r1", "r2"}) {
    const auto session = fmt::format("s-{}", id);
    auto accepted = change(session, id);
    accepted.run->accepted = run_acceptance{"ada", R"({"prompt":"hi"})"};
    auto begun = change(session, id);
    begun.items = {said("hi")};
    begun.run->begins = true;
    auto noted = change(session, id);
    noted.run->records = {std::string(6'000, 'x'), "{2}"};
    noted.run->first_event = 1;
    noted.run->events = {"a", "b"};
    noted.run->last_event = 2;
    all.insert(all.end(), {{accepted}, {begun, noted}});
  }
  auto more = change("s-r1", "r1");
  more.run->records = {"{3}"};
  auto ended = change("s-r2", "r2");
  ended.agent = "a";
  ended.items = {assistant_message{"a", "bye"}};
  ended.used.add("a", "m", {1, 2, 3, 0, 0, 1});
  ended.run->ended = run_ending{"completed", R"({"result":"bye"})"};
  auto paused = pause("s-r1", "r1", R"({"state":1})");
  paused.run = run_change{"r1"};
  paused.run->ended = run_ending{"paused", ""};
  all.insert(all.end(), {{more, ended}, {paused}, {add("s3", "a", {said("alone")})}});
  return all;
}

/// All that a store has of it, as text.
std::string told(session_store& store) {
  std::string text;
  for (const auto* id : {"s-r1", "s-r2", "s3"}) {
    const auto found = store.load(id);
    REQUIRE(found.has_value());
    if (!*found)
      continue;
    text += fmt::format("{}: {} {} {} {}\n", id, (*found)->agent, dump_json(to_json((*found)->items)),
                        dump_json(to_json((*found)->used)), (*found)->paused ? (*found)->paused->state : "");
  }
  for (const std::string id : {"r1", "r2"}) {
    const auto found = store.load_run(id);
    INFO((found ? "" : found.error().detail));
    REQUIRE(found.has_value());
    if (!*found)
      continue;
    const auto& run = **found;
    text += fmt::format("{}: {} {} {} {} {}\n", id, run.status, fmt::join(run.records, "|"), run.request,
                        run.outcome, dump_json(to_json(run.items)));
    for (const auto& event : store.load_events(id, 0, 99).value())
      text += fmt::format("{}={} ", event.number, event.text);
  }
  return text;
}

/// What a store tells after each transaction, from none on.
const std::vector<std::string>& chapters() {
  static const auto made = [] {
    const temporary_folder folder;
    const auto store = open(folder / "s.db");
    std::vector<std::string> all{told(*store)};
    for (const auto& each : story()) {
      append(*store, each);
      all.push_back(told(*store));
    }
    return all;
  }();
  return made;
}

/// How many transactions were stored before the first that failed, and why that did.
struct outcome {
  std::size_t stored = 0;
  std::optional<error> failure{};
};
outcome write(session_store& store, std::size_t from = 0) {
  const auto all = story();
  for (auto i = from; i < all.size(); ++i)
    if (auto added = store.append(all[i]); !added)
      return {i, added.error()};
  return {all.size()};
}

} // namespace

TEST_CASE("a write that fails takes one transaction back, and the store goes on") {
  const auto what = GENERATE(fault::full, fault::broken, fault::cut);
  const auto& all = chapters();
  std::size_t failures = 0;
  for (std::size_t n = 1;; n += stride) {
    CAPTURE(n);
    const temporary_folder folder;
    failing_disk disk;
    auto store = open(folder / "s.db");
    disk.fail_at(n, what);
    const auto [stored, failure] = write(*store);
    if (!failure)
      break;
    ++failures;
    CHECK(failure->code == (what == fault::full ? errc::store_full : errc::unavailable));
    // Reading goes on while there is no room.
    CHECK(told(*store) == all[stored]);
    disk.repair();
    CHECK_FALSE(write(*store, stored).failure);
    CHECK(told(*store) == all.back());
    store.reset();
    CHECK(told(*open(folder / "s.db")) == all.back());
  }
  CHECK(failures > 5);
}

TEST_CASE("what was acknowledged outlives a power cut, and nothing is there by half") {
  const auto kept = GENERATE(durability::full, durability::batched);
  const auto& all = chapters();
  std::size_t cuts = 0;
  for (std::size_t n = 1;; n += stride) {
    const temporary_folder folder;
    const auto path = folder / "s.db";
    failing_disk disk;
    auto store = open_sqlite_store(path, kept).value();
    disk.fail_at(n, fault::power);
    const auto [stored, failure] = write(*store);
    if (!failure)
      break;
    ++cuts;
    store.reset();
    CAPTURE(n, stored);
    disk.power_cut(n);
    std::filesystem::remove(path + "-shm");
    const auto again = open(path);
    CHECK(read_journal(path).check_file().empty());
    const auto now = told(*again);
    const auto found = std::find(all.begin(), all.end(), now);
    REQUIRE(found != all.end());
    // The transaction that was under way may have come through.
    CHECK(found - all.begin() <= static_cast<std::ptrdiff_t>(stored) + 1);
    if (kept == durability::full)
      CHECK(found - all.begin() >= static_cast<std::ptrdiff_t>(stored));
    REQUIRE(again->adopt_runs().has_value());
    CHECK_FALSE(write(*again, static_cast<std::size_t>(found - all.begin())).failure);
    CHECK(told(*again) == all.back());
  }
  CHECK(cuts > 5);
}

TEST_CASE("a database that could not be made is made the next time") {
  const auto what = GENERATE(fault::full, fault::broken, fault::cut, fault::power);
  const auto& all = chapters();
  std::size_t failures = 0;
  for (std::size_t n = 1;; n += stride) {
    CAPTURE(n);
    const temporary_folder folder;
    const auto path = folder / "s.db";
    failing_disk disk;
    disk.fail_at(n, what);
    {
      const auto store = open_sqlite_store(path);
      if (store && disk.operations() < n)
        break;
      if (!store)
        CHECK(may_pass(store.error().code));
      ++failures;
    }
    if (what == fault::power) {
      disk.power_cut(n);
      std::filesystem::remove(path + "-shm");
    }
    disk.repair();
    const auto store = open(path);
    CHECK_FALSE(write(*store).failure);
    CHECK(told(*store) == all.back());
  }
  CHECK(failures > 1);
}

TEST_CASE("what cannot be read for now is not damaged") {
  const temporary_folder folder;
  failing_disk disk;
  {
    const auto store = open(folder / "s.db");
    REQUIRE_FALSE(write(*store).failure);
  }
  const auto store = open(folder / "s.db");
  disk.fail_at(1, fault::unreadable);
  const auto run = store->load_run("r1");
  const auto session = store->load("s3");
  disk.repair();
  REQUIRE_FALSE(run.has_value());
  CHECK(run.error().code == errc::unavailable);
  REQUIRE_FALSE(session.has_value());
  CHECK(session.error().code == errc::unavailable);
  CHECK(told(*store) == chapters().back());
}

TEST_CASE("damage in a record is reported with its run, and all others load") {
  const temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  for (const auto* id : {"r1", "r2", "r3"}) {
    auto begun = change("s", id);
    begun.run->accepted = run_acceptance{"ada", R"({"prompt":"hi"})"};
    begun.run->begins = true;
    auto noted = change("s", id);
    noted.run->records = {"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"};
    append(*store, {begun, noted});
  }
  other_program other(path);
  for (const std::string id : {"r1", "r2", "r3"})
    for (int record = 1; record <= 3; ++record)
      for (int byte = 1; byte <= 7; ++byte) {
        CAPTURE(id, record, byte);
        const auto place =
            fmt::format("WHERE sequence = {} AND run = (SELECT key FROM runs WHERE id = '{}')", record, id);
        const auto right = other.read("SELECT record FROM journal " + place);
        auto wrong = right;
        wrong[static_cast<std::size_t>(byte - 1)] ^= 1;
        other.run(fmt::format("UPDATE journal SET record = '{}' {}", wrong, place));
        const auto damaged = store->load_run(id);
        REQUIRE_FALSE(damaged.has_value());
        CHECK(damaged.error().code == errc::store_failed);
        CHECK_THAT(damaged.error().detail,
                   Catch::Contains(id) && Catch::Contains(fmt::format("record {}", record)));
        for (const std::string each : {"r1", "r2", "r3"})
          if (each != id)
            CHECK(store->load_run(each).has_value());
        other.run(fmt::format("UPDATE journal SET record = '{}' {}", right, place));
        CHECK(store->load_run(id).has_value());
      }
}
