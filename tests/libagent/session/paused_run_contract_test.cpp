#include "tests/libagent/session/store_cases.hpp"

using namespace troupe;

namespace {

std::optional<std::string> session_of(session_store& store, std::string_view run_id) {
  const auto found = store.session_of(run_id);
  REQUIRE(found.has_value());
  return *found;
}

} // namespace

TEMPLATE_TEST_CASE("a paused run is kept with its session, and found by its id", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {pause("s1", "r1", R"({"version":1})"), pause("s2", "r2"), add("s3", "a", {})});
  CHECK(load(store, "s1").paused == paused_run{"r1", R"({"version":1})"});
  CHECK_FALSE(load(store, "s3").paused);
  CHECK(session_of(store, "r1") == "s1");
  CHECK(session_of(store, "r2") == "s2");
  CHECK_FALSE(session_of(store, "r3"));
  CHECK_FALSE(session_of(store, "s1"));
}

TEMPLATE_TEST_CASE("what an append says about a pause takes effect whatever was before", "", memory_case,
                   sqlite_case) {
  struct row {
    const char* what;
    std::optional<std::string> before;
    bool unpauses;
    std::optional<std::string> paused;
    std::optional<std::string> after;
  };
  const auto rows = std::vector<row>{
      {"nothing said, none there", {}, false, {}, {}},
      {"nothing said, one there", "r1", false, {}, "r1"},
      {"a first pause", {}, false, "r1", "r1"},
      {"another run in its place", "r1", false, "r2", "r2"},
      {"over, none there", {}, true, {}, {}},
      {"over", "r1", true, {}, {}},
      {"on, and paused again", "r1", true, "r1", "r1"},
      {"over, and another paused", "r1", true, "r2", "r2"},
      {"over, none there, and paused", {}, true, "r1", "r1"},
  };
  const auto items = GENERATE(item_list{}, item_list{said("more")});
  for (const auto& [what, before, unpauses, paused, after] : rows) {
    INFO(what << ", items: " << items.size());
    auto under_test = TestType{};
    auto& store = *under_test.store;
    append(store, {add("s1", "a", {said("first")})});
    if (before)
      append(store, {pause("s1", *before, "old")});
    auto added = paused ? pause("s1", *paused, "new") : session_append{"s1", "", {}};
    added.unpauses = unpauses;
    added.items = items;
    append(store, {added});
    const auto held = load(store, "s1").paused;
    const auto state = paused ? "new" : "old";
    CHECK(held == (after ? std::optional{paused_run{*after, state}} : std::nullopt));
    for (const auto* run_id : {"r1", "r2"})
      CHECK(session_of(store, run_id) == (after == run_id ? std::optional<std::string>{"s1"} : std::nullopt));
    CHECK(load(store, "s1").items.size() == 1 + items.size());
  }
}

TEMPLATE_TEST_CASE("one batch may pause, go on and pause again", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {pause("s1", "r1", "1"), unpause("s1"), pause("s1", "r2", "2"), pause("s2", "r1", "3")});
  CHECK(load(store, "s1").paused == paused_run{"r2", "2"});
  CHECK(session_of(store, "r1") == "s2");
}

TEMPLATE_TEST_CASE("the end of a pause in a session that is not there harms nobody", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {pause("s1", "r1")});
  append(store, {unpause("s2"), unpause("S1"), unpause("s")});
  CHECK(session_of(store, "r1") == "s1");
}

TEMPLATE_TEST_CASE("a run that is paused in another session is forgotten in the first", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {pause("s1", "r1", "1"), pause("s2", "r2", "2")});
  append(store, {pause("s2", "r1", "3")});
  CHECK_FALSE(load(store, "s1").paused);
  CHECK(load(store, "s2").paused == paused_run{"r1", "3"});
  CHECK(session_of(store, "r1") == "s2");
  CHECK_FALSE(session_of(store, "r2"));
}

TEMPLATE_TEST_CASE("an erased session takes all that belongs to it along", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  const auto all_of = [](const std::string& id, const std::string& run_id) {
    auto added = pause(id, run_id);
    added.agent = "a";
    added.items = {said("x")};
    added.used.add("a", "m", {1, 2, 3, 4, 5, 6});
    added.approved = {{"a", "look"}};
    return added;
  };
  append(store, {all_of("s1", "r1"), all_of("s2", "r2")});
  CHECK(store.erase("s2").value());
  CHECK_FALSE(session_of(store, "r2"));
  append(store, {add("s2", "b", {}), add("s3", "b", {})});
  for (const auto* id : {"s2", "s3"}) {
    const auto anew = load(store, id);
    CHECK(anew.items.empty());
    CHECK(anew.used.shares().empty());
    CHECK(anew.approved.empty());
    CHECK_FALSE(anew.paused);
  }
  const auto kept = load(store, "s1");
  CHECK(kept.items.size() == 1);
  CHECK(kept.used.total() == usage{1, 2, 3, 4, 5, 6});
  CHECK(kept.approved.size() == 1);
  CHECK(session_of(store, "r1") == "s1");
}

TEMPLATE_TEST_CASE("run ids and states are any bytes at all", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  const auto ids = std::vector<std::string>{
      "",         " ",    "'; DROP TABLE paused_runs; --",
      "%",        "_",    std::string{"a\0b", 3},
      "a",        "A",    "a ",
      "\xC3\xA9", "\xFF", std::string(4096, 'x'),
      "?1",       "1",    "01",
      "1.0",
  };
  for (const auto& id : ids)
    append(store, {pause("s-" + std::to_string(&id - ids.data()), id, id)});
  for (const auto& id : ids) {
    const auto session = "s-" + std::to_string(&id - ids.data());
    INFO(session);
    CHECK(session_of(store, id) == session);
    CHECK(load(store, session).paused == paused_run{id, id});
  }
}

TEMPLATE_TEST_CASE("session ids at the limits of what is allowed hold a paused run", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  const auto ids = std::vector<std::string>{"!", "~", "'\"`;--", "0", "00", "NULL", std::string(128, '\\')};
  for (const auto& id : ids)
    append(store, {pause(id, "run of " + id)});
  for (const auto& id : ids)
    CHECK(session_of(store, "run of " + id) == id);
}

TEMPLATE_TEST_CASE("a paused state of 1 MiB comes back whole, beside a long history", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  auto state = std::string{};
  while (state.size() < std::size_t{1} << 20)
    state += "{\"n\":" + std::to_string(state.size()) + "}\n";
  auto added = pause("s1", "r1", state);
  added.items = item_list(1000, said("x"));
  append(store, {added});
  const auto record = load(store, "s1");
  REQUIRE(record.paused.has_value());
  CHECK((record.paused->state == state));
  CHECK(record.items.size() == 1000);
  append(store, {pause("s1", "r1", "{}")});
  CHECK(load(store, "s1").paused == paused_run{"r1", "{}"});
}
