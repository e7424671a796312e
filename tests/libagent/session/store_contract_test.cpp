#include "libagent/session/store.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

struct memory_case {
  std::unique_ptr<session_store> store = make_memory_store();
};

struct sqlite_case {
  temporary_folder folder;
  std::unique_ptr<session_store> store = open_sqlite_store(folder / "sessions.db").value();
};

session_append add(std::string id, std::string agent, item_list items) {
  return {std::move(id), std::move(agent), std::move(items)};
}

item said(std::string text) {
  return user_message{std::move(text)};
}

session_record load(session_store& store, std::string_view id) {
  auto found = store.load(id);
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  return std::move(**found);
}

bool is_there(session_store& store, std::string_view id) {
  auto found = store.load(id);
  REQUIRE(found.has_value());
  return found->has_value();
}

} // namespace

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

TEMPLATE_TEST_CASE("a session without items exists", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  REQUIRE(under_test.store->append({add("s1", "", {})}).has_value());
  const auto record = load(*under_test.store, "s1");
  CHECK(record.items.empty());
  CHECK(record.agent.empty());
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

TEMPLATE_TEST_CASE("an item of 8 MiB fits", "", memory_case, sqlite_case) {
  auto under_test = TestType{};
  const auto large = std::string(std::size_t{8} << 20, 'x');
  REQUIRE(under_test.store->append({add("s1", "", {tool_output{"c", {text_content{large}}, false}})})
              .has_value());
  CHECK(load(*under_test.store, "s1").items == item_list{tool_output{"c", {text_content{large}}, false}});
}

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
  REQUIRE(store->append({add("s1", "", {}), add("s2", "", {}), add("s1", "", {})}).has_value());
  REQUIRE(store->append({add("s3", "", {})}).has_value());
  CHECK(is_there(*store, "s1"));
  CHECK_FALSE(is_there(*store, "s2"));
}
