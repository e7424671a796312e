#include "tests/libagent/session/store_cases.hpp"

#include <limits>

using namespace troupe;

TEMPLATE_TEST_CASE("an unknown session is nothing, not an error", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  CHECK_FALSE(is_there(*under_test.store, "s1"));
}

TEMPLATE_TEST_CASE("items come back in the order in which they were added", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  REQUIRE(store.append({add("s1", "triage", {said("one"), said("two")})}).has_value());
  REQUIRE(store.append({add("s1", "triage", {said("three")})}).has_value());
  CHECK(load(store, "s1").items == item_list{said("one"), said("two"), said("three")});
}

TEMPLATE_TEST_CASE("every kind of item survives unchanged", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  const auto items = item_list{
      user_message{"gr\xC3\xBC\xC3\x9F \"dich\"\n"},
      assistant_message{"triage", std::string{"zero\0byte", 9}},
      tool_call{"c1", "look", "not json {", "triage"},
      tool_output{
          "c1",
          {text_content{"found"}, image_content{"image/png", "AAAA"}, audio_content{"audio/wav", "BBBB"}},
          true},
      tool_output{"c2", {}, false},
      reasoning{"triage", "first, look", "anthropic", R"({"type":"thinking","signature":"\u00e9/+="})"},
      reasoning{"", "", "responses", "not json {"},
      user_message{""},
  };
  REQUIRE(under_test.store->append({add("s1", "triage", items)}).has_value());
  CHECK(load(*under_test.store, "s1").items == items);
}

TEMPLATE_TEST_CASE("the agent that answered last is kept", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  REQUIRE(store.append({add("s1", "triage", {said("one")})}).has_value());
  REQUIRE(store.append({add("s1", "cloudwatch", {said("two")})}).has_value());
  CHECK(load(store, "s1").agent == "cloudwatch");
  REQUIRE(store.append({add("s1", "", {said("three")})}).has_value());
  CHECK(load(store, "s1").agent == "cloudwatch");
}

TEMPLATE_TEST_CASE("a new session is made for anything that is to be kept, and for nothing else", "",
                   memory_case, sqlite_case) {
  struct row {
    const char* what;
    session_append added;
    bool makes;
  };
  const auto rows = std::vector<row>{
      {"nothing", add("s", "", {}), false},
      {"the end of a pause", unpause("s"), false},
      {"an agent", add("s", "triage", {}), true},
      {"an item", add("s", "", {said("x")}), true},
      {"usage", spend("s", "triage", "m", {1, 0, 0, 0, 0}), true},
      {"an approval", approve("s", {{"triage", "look"}}), true},
      {"a paused run", pause("s", "r"), true},
  };
  for (const auto& [what, added, makes] : rows) {
    INFO(what);
    auto under_test = TestType{};
    append(*under_test.store, {added});
    CHECK(is_there(*under_test.store, "s") == makes);
    CHECK(added.has_something_to_keep() == makes);
  }
}

TEMPLATE_TEST_CASE("adding nothing to a session leaves it as it was", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {add("s1", "triage", {said("one")})});
  append(store, {add("s1", "", {})});
  CHECK(load(store, "s1").agent == "triage");
  CHECK(load(store, "s1").items == item_list{said("one")});
}

TEMPLATE_TEST_CASE("one batch may add to several sessions, and twice to one", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  REQUIRE(
      store.append({add("s1", "a", {said("1")}), add("s2", "b", {said("2")}), add("s1", "c", {said("3")})})
          .has_value());
  CHECK(load(store, "s1").items == item_list{said("1"), said("3")});
  CHECK(load(store, "s1").agent == "c");
  CHECK(load(store, "s2").items == item_list{said("2")});
}

TEMPLATE_TEST_CASE("an empty batch changes nothing", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  CHECK(under_test.store->append({}).has_value());
}

TEMPLATE_TEST_CASE("ids that differ in case or by a prefix are different sessions", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  REQUIRE(store
              .append({add("id", "", {said("lower")}), add("ID", "", {said("upper")}),
                       add("id2", "", {said("more")})})
              .has_value());
  CHECK(load(store, "id").items == item_list{said("lower")});
  CHECK(load(store, "ID").items == item_list{said("upper")});
  CHECK(load(store, "id2").items == item_list{said("more")});
}

TEMPLATE_TEST_CASE("an erased session is gone and others stay", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  REQUIRE(store.append({add("s1", "a", {said("1")}), add("s2", "b", {said("2")})}).has_value());
  CHECK(store.erase("s1").value());
  CHECK_FALSE(is_there(store, "s1"));
  CHECK(load(store, "s2").items == item_list{said("2")});
  CHECK_FALSE(store.erase("s1").value());
}

TEMPLATE_TEST_CASE("a session that is made anew after its erasure has none of its old items", "", memory_case,
                   sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  REQUIRE(store.append({add("s1", "a", {said("old")})}).has_value());
  REQUIRE(store.erase("s1").has_value());
  REQUIRE(store.append({add("s1", "", {said("new")})}).has_value());
  CHECK(load(store, "s1").items == item_list{said("new")});
  CHECK(load(store, "s1").agent.empty());
}

TEMPLATE_TEST_CASE("usage adds up for each agent and model, in the order of their first call", "",
                   memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {spend("s1", "triage", "small", {1, 10, 20, 3, 4}),
                 spend("s2", "triage", "small", {7, 7, 7, 7, 7})});
  append(store,
         {spend("s1", "writer", "small", {1, 1, 1, 1, 1}), spend("s1", "triage", "large", {1, 5, 0, 0, 0})});
  append(store, {spend("s1", "triage", "small", {2, 100, 200, 30, 40})});
  CHECK(load(store, "s1").used.shares() ==
        std::vector<usage_share>{{"triage", "small", {3, 110, 220, 33, 44}},
                                 {"writer", "small", {1, 1, 1, 1, 1}},
                                 {"triage", "large", {1, 5, 0, 0, 0}}});
  CHECK(load(store, "s2").used.total() == usage{7, 7, 7, 7, 7});
}

TEMPLATE_TEST_CASE("one run's usage may have several shares", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto added = spend("s1", "triage", "small", {1, 10, 20, 0, 0});
  added.used.add("", "", {1, 0, 0, 0, 0});
  added.used.add("writer", "large", {2, 30, 40, 5, 6});
  append(*under_test.store, {added});
  CHECK(load(*under_test.store, "s1").used == added.used);
}

TEMPLATE_TEST_CASE("approvals unite", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  auto& store = *under_test.store;
  append(store, {approve("s1", {{"triage", "look"}, {"triage", "send"}})});
  append(store,
         {approve("s1", {{"triage", "send"}, {"writer", "send"}, {"", "\xC3\xA9'\""}}), add("s2", "a", {})});
  CHECK(load(store, "s1").approved ==
        approved_calls{{"triage", "look"}, {"triage", "send"}, {"writer", "send"}, {"", "\xC3\xA9'\""}});
  CHECK(load(store, "s2").approved.empty());
}

TEMPLATE_TEST_CASE("an item of 8 MiB fits", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  const auto large = std::string(std::size_t{8} << 20, 'x');
  REQUIRE(under_test.store->append({add("s1", "", {tool_output{"c", {text_content{large}}, false}})})
              .has_value());
  CHECK(load(*under_test.store, "s1").items == item_list{tool_output{"c", {text_content{large}}, false}});
}

TEST_CASE("a count beyond what SQLite can hold stays at the largest that it can") {
  auto under_test = sqlite_case{};
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  for (auto i = 0; i < 3; ++i) {
    append(*under_test.store, {spend("s1", "a", "m", {1, most, largest, 0, 0})});
    CHECK(load(*under_test.store, "s1").used.total() ==
          usage{static_cast<std::uint64_t>(i) + 1, largest, largest, 0, 0});
  }
}
