#include "tests/libagent/session/sqlite_peer.hpp"
#include "tests/libagent/session/step_counter.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <limits>

using namespace troupe;

namespace {

session_append begin(const std::string& run_id) {
  session_append added{"s", "", {said("hi")}};
  added.run = run_change{run_id, run_acceptance{"ada", R"({"prompt":"hi"})", "hash"}};
  added.run->begins = true;
  return added;
}

session_append end(const std::string& run_id, std::string outcome = "{}") {
  session_append added{"s", "a", {said("done")}};
  added.run = run_change{run_id};
  added.run->ended = run_ending{"completed", std::move(outcome)};
  return added;
}

session_append tell(const std::string& run_id, std::vector<std::string> events, std::uint64_t first = 1) {
  session_append added;
  added.run = run_change{run_id};
  added.run->first_event = first;
  added.run->events = std::move(events);
  return added;
}

session_append pause_run(const std::string& run_id, const std::string& state) {
  auto paused = pause("s", run_id, state);
  paused.run = run_change{run_id};
  paused.run->ended = run_ending{"paused", ""};
  return paused;
}

run_head load_head(session_store& store, const std::string& run_id) {
  auto found = store.load_head(run_id);
  INFO((found ? "" : found.error().detail));
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  return std::move(**found);
}

std::vector<std::uint64_t> numbers(session_store& store, std::uint64_t after, events_bound most) {
  std::vector<std::uint64_t> read;
  for (const auto& each : store.load_events("r", after, most).value())
    read.push_back(each.number);
  return read;
}

} // namespace

TEST_CASE("a run's head tells how it stands, and nothing else of it is read") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {begin("r")});
  auto noted = tell("r", {"one", "two"});
  noted.run->records = {"{1}"};
  append(*store, {noted});
  // Whatever of these is read is found to be damaged.
  other_program{path}.run("UPDATE journal SET record = 'x'; UPDATE items SET item = 'x'; "
                          "UPDATE runs SET request = 'x'; UPDATE run_events SET event = 'x'");
  CHECK(store->load_run("r").error().code == errc::store_failed);
  auto head = load_head(*store, "r");
  CHECK(head.session_id == "s");
  CHECK(head.owner == "ada");
  CHECK(head.status == "running");
  CHECK(head.key_hash == "hash");
  CHECK(head.last_event == 2);
  CHECK_FALSE(head.is_over());
  CHECK(head.outcome.empty());
  append(*store, {end("r", R"({"result":"x"})")});
  head = load_head(*store, "r");
  CHECK(head.is_over());
  CHECK(head.outcome == R"({"result":"x"})");
  other_program{path}.run("UPDATE runs SET outcome = '{}'");
  CHECK_THAT(store->load_head("r").error().detail, Catch::Contains("its outcome is damaged"));
  CHECK_FALSE(store->load_head("unknown").value());
}

TEST_CASE("events are read up to a number and up to a size, one at least") {
  temporary_folder folder;
  const auto store = open(folder / "s.db");
  append(*store, {begin("r"), tell("r", {"12345", "12345", "123456789012345", "1", "1", "1"})});
  using list = std::vector<std::uint64_t>;
  CHECK(numbers(*store, 0, 9) == list{1, 2, 3, 4, 5, 6});
  CHECK(numbers(*store, 0, {9, 10}) == list{1, 2});
  CHECK(numbers(*store, 0, {9, 9}) == list{1});
  CHECK(numbers(*store, 2, {9, 10}) == list{3});
  CHECK(numbers(*store, 2, {9, 0}) == list{3});
  CHECK(numbers(*store, 3, {2, 10}) == list{4, 5});
  CHECK(numbers(*store, 6, {9, 10}).empty());
}

TEST_CASE("damage of what a run is paused with is found, and leaves its session whole") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {begin("r"), pause_run("r", R"({"a":1})")});
  CHECK_FALSE(load(*store, "s").paused->is_damaged);
  CHECK_FALSE(store->load_paused("r").value()->is_damaged);
  const auto* damage =
      GENERATE("UPDATE paused_runs SET state = '{\"a\":2}'", "UPDATE paused_runs SET checksum = checksum + 1",
               "UPDATE paused_runs SET run_id = 'r2'");
  other_program{path}.run(damage);
  const auto found = load(*store, "s");
  REQUIRE(found.paused);
  CHECK(found.paused->is_damaged);
  CHECK(found.items == item_list{said("hi")});
  CHECK(store->load_paused(found.paused->run_id).value()->is_damaged);
}

TEST_CASE("what a damaged run was paused with is put by until the run is forgotten") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {begin("r"), pause_run("r", "{1}")});
  other_program{path}.run("UPDATE paused_runs SET state = '{2}'");
  auto over = unpause("s");
  over.run = run_change{"r"};
  over.run->ended = run_ending{"failed", "{}", true};
  append(*store, {over});
  CHECK_FALSE(load(*store, "s").paused);
  CHECK_FALSE(store->session_of("r").value());
  append(*store, {begin("r2"), pause_run("r2", "{3}")});
  CHECK(load(*store, "s").paused == paused_run{"r2", "{3}"});
  CHECK(store->load_paused("r").value() == paused_run{"r", "{2}", true});
  const bool with_session = GENERATE(false, true);
  if (with_session)
    CHECK(store->erase("s").value());
  else
    REQUIRE(store->purge({std::chrono::hours(1), 0}).has_value());
  CHECK_FALSE(store->load_paused("r").value());
}

TEST_CASE("damage of a session's items is found and named") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {add("s", "a", {said("one"), said("two")}), add("t", "a", {said("three")})});
  const auto damage =
      GENERATE(as<std::string>(), "UPDATE items SET item = replace(item, 'two', 'owt') WHERE sequence = 2",
               "UPDATE items SET checksum = checksum + 1 WHERE sequence = 2",
               "UPDATE items SET sequence = 5 WHERE sequence = 2");
  other_program{path}.run(damage);
  const auto found = store->load("s");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == errc::store_failed);
  CHECK_THAT(found.error().detail, Catch::Contains("\"s\"") && Catch::Contains("number 2"));
  CHECK(load(*store, "t").items.size() == 1);
}

TEST_CASE("what is written by a process of the older version has no checksums, and is read") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  append(*store, {begin("r")});
  other_program{path}.run(
      R"(INSERT INTO items(session, sequence, item) VALUES(1, 2, '{"content":"b","role":"user","type":"message"}');
         INSERT INTO paused_runs(session, run_id, state) VALUES(1, 'r', '{}');)");
  const auto found = load(*store, "s");
  CHECK(found.items == item_list{said("hi"), said("b")});
  CHECK(found.paused == paused_run{"r", "{}"});
}

TEST_CASE("only what is over counts as room that is taken, whoever has ended or erased it") {
  temporary_folder folder;
  const auto path = folder / "s.db";
  const auto store = open(path);
  const auto other = open(path);
  const auto room = [&] { return other_program{path}.read("SELECT bytes FROM journal_size"); };
  const auto counted = [&] {
    return other_program{path}.read("SELECT coalesce(sum(bytes), 0) FROM runs WHERE status IN "
                                    "('completed', 'failed', 'cancelled')");
  };
  append(*store, {begin("open"), tell("open", {std::string(1000, 'x')})});
  append(*store, {begin("paused"), tell("paused", {std::string(1000, 'x')}), pause_run("paused", "{}")});
  CHECK(room() == "0");
  append(*store, {begin("r1"), tell("r1", {"12345678"}), end("r1")});
  CHECK(room() == "10");
  append(*other, {begin("r2"), tell("r2", {"12345678"}), end("r2")});
  CHECK(room() == "20");
  // What it is told after its end.
  append(*store, {tell("r1", {"12345678"}, 2)});
  CHECK(room() == "28");
  REQUIRE(store->purge({std::chrono::hours(1), 28}).has_value());
  CHECK(store->load_run("r1").value());
  REQUIRE(store->purge({std::chrono::hours(1), 27}).has_value());
  CHECK_FALSE(store->load_run("r1").value());
  CHECK(room() == "10");
  // The same id again.
  append(*other, {begin("r2")});
  CHECK(room() == "0");
  append(*other, {tell("r2", {"1234"}), end("r2")});
  CHECK(room() == "6");
  CHECK(room() == counted());
  CHECK(store->erase("s").value());
  CHECK(room() == "0");
}

TEST_CASE("what it costs to forget does not depend on how much is kept") {
  temporary_folder folder;
  const step_counter counter;
  const auto store = open(folder / "s.db");
  const retention kept{std::chrono::hours(1), std::numeric_limits<std::size_t>::max() / 4, 5};
  const auto cost = [&](const retention& wanted) {
    counter.take();
    REQUIRE(store->purge(wanted).has_value());
    return counter.take();
  };
  const auto fill = [&](int from, int to) {
    for (int i = from; i < to; ++i)
      append(*store, {begin(std::to_string(i)), end(std::to_string(i))});
  };
  fill(0, 20);
  const auto idle_cost = cost(kept);
  const auto busy_cost = cost({kept.time, 0, 5});
  CHECK(idle_cost > 0);
  CHECK(busy_cost > idle_cost);
  fill(20, 400);
  CHECK(cost(kept) <= idle_cost + 20);
  CHECK(cost({kept.time, 0, 5}) <= busy_cost + 50);
}
