#include "tests/libagent/session/store_cases.hpp"

using namespace troupe;

TEST_CASE("the memory store forgets the session that was used least recently") {
  const auto store = make_memory_store({2});
  REQUIRE(store->append({add("s1", "", {said("1")})}).has_value());
  REQUIRE(store->append({add("s2", "", {said("2")})}).has_value());
  REQUIRE(is_there(*store, "s1"));
  REQUIRE(store->append({add("s3", "", {said("3")})}).has_value());
  CHECK(is_there(*store, "s1"));
  CHECK_FALSE(is_there(*store, "s2"));
  CHECK(is_there(*store, "s3"));
}

TEST_CASE("adding to a session of the memory store counts as use") {
  const auto store = make_memory_store({2});
  append(*store, {add("s1", "a", {}), add("s2", "a", {}), add("s1", "", {})});
  append(*store, {add("s3", "a", {})});
  CHECK(is_there(*store, "s1"));
  CHECK_FALSE(is_there(*store, "s2"));
}

TEST_CASE("the memory store passes over paused sessions as long as it can") {
  const auto store = make_memory_store({3});
  append(*store, {pause("p1", "r1"), pause("p2", "r2"), add("s1", "a", {}), add("s2", "a", {})});
  CHECK_FALSE(is_there(*store, "s1"));
  append(*store, {add("s3", "a", {})});
  CHECK_FALSE(is_there(*store, "s2"));
  CHECK(is_there(*store, "s3"));
  CHECK(store->session_of("r1").value() == "p1");
  CHECK(store->session_of("r2").value() == "p2");
}

TEST_CASE("of paused sessions only, the memory store forgets the one used least recently, and its run") {
  const auto store = make_memory_store({2});
  append(*store, {pause("p1", "r1"), pause("p2", "r2")});
  REQUIRE(is_there(*store, "p1"));
  SECTION("for another paused one") {
    append(*store, {pause("p3", "r3")});
  }
  SECTION("for one that is not paused, which has just been stored") {
    append(*store, {add("s1", "a", {said("x")})});
    CHECK(is_there(*store, "s1"));
  }
  CHECK(is_there(*store, "p1"));
  CHECK_FALSE(is_there(*store, "p2"));
  CHECK_FALSE(store->session_of("r2").value());
}

TEST_CASE("a session of the memory store whose pause is over may be forgotten again") {
  const auto store = make_memory_store({2});
  append(*store, {pause("p1", "r1"), add("s1", "a", {})});
  append(*store, {unpause("p1"), add("s1", "a", {}), add("s2", "a", {})});
  CHECK_FALSE(is_there(*store, "p1"));
  CHECK(is_there(*store, "s1"));
  CHECK(is_there(*store, "s2"));
}

TEST_CASE("a memory store with room for none keeps none") {
  const auto store = make_memory_store({0});
  append(*store, {add("s1", "a", {}), pause("p1", "r1")});
  CHECK_FALSE(is_there(*store, "s1"));
  CHECK_FALSE(is_there(*store, "p1"));
  CHECK_FALSE(store->session_of("r1").value());
}
