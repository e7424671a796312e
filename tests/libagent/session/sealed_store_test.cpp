#include "libagent/session/sealed_store.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace troupe;

namespace {

const std::string key = "sk-\"0123456789";

redactor_ptr seals() {
  return std::make_shared<const redactor>(std::vector{secret{key, "KEY"}});
}

std::unique_ptr<session_store> open_sealed(const std::string& path) {
  return make_sealed_store(open_sqlite_store(path).value(), seals());
}

/// All that has a text, with the secret in each.
session_append full() {
  session_append made{"s",
                      "a",
                      {user_message{key}, assistant_message{"a", "x" + key},
                       tool_call{"c1", "t", dump_json({{"k", key}}), "a"},
                       tool_output{"c1", {text_content{key}, text_content{"[redacted:KEY]"}}},
                       reasoning{"a", key, "responses", dump_json(key)}}};
  made.paused = paused_run{"r", dump_json({{"state", key}})};
  made.run = run_change{"r", run_acceptance{"", dump_json({{"prompt", key}})}, true};
  made.run->first_event = 1;
  made.run->events = {"\ntext_delta\n" + dump_json({{"text", key}})};
  made.run->records = {dump_json({{"run", {{"items", dump_json(key)}}}})};
  made.run->last_event = 1;
  return made;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("what a sealed store has written has no secret, and is read as it was") {
  temporary_folder folder;
  const auto path = folder / "sessions.db";
  const auto written = full();
  auto store = open_sealed(path);
  append(*store, {written});
  const auto session = store->load("s").value().value();
  CHECK(session.items == written.items);
  CHECK(session.paused == written.paused);
  const auto run = store->load_run("r").value().value();
  CHECK(run.request == written.run->accepted->request);
  CHECK(run.records == written.run->records);
  CHECK(run.items == written.items);
  CHECK(store->load_events("r", 0, 10).value() == std::vector<stored_event>{{1, written.run->events[0]}});
  auto end = session_append{"s", "", {}};
  end.run = run_change{"r"};
  end.run->ended = run_ending{"completed", dump_json({{"result", key}})};
  append(*store, {end});
  CHECK(store->load_run("r").value().value().outcome == end.run->ended->outcome);
  const auto file = bytes_of(path) + bytes_of(path + "-wal");
  CHECK(file.find("[redacted:KEY") != std::string::npos);
  for (const auto& form : {std::string("0123456789"), key, dump_json(key)})
    CHECK(file.find(form) == std::string::npos);
}

TEST_CASE("who does not know a secret reads its name") {
  temporary_folder folder;
  const auto path = folder / "sessions.db";
  append(*open_sealed(path), {add("s", "a", {said("use " + key)})});
  CHECK(open_sqlite_store(path).value()->load("s").value().value().items ==
        item_list{said("use [redacted:KEY/1]")});
  const auto changed = std::make_shared<const redactor>(std::vector{secret{"another-value", "KEY"}});
  CHECK(make_sealed_store(open_sqlite_store(path).value(), changed)->load("s").value().value().items ==
        item_list{said("use another-value")});
}

TEST_CASE("what looks like a seal is not one, whatever is a secret later") {
  temporary_folder folder;
  const auto path = folder / "sessions.db";
  const auto planted = add("s", "a", {said("[redacted:KEY] and [redacted:KEY/1]")});
  append(*make_sealed_store(open_sqlite_store(path).value(), nothing_to_hide()), {planted});
  CHECK(open_sealed(path)->load("s").value().value().items == planted.items);
}

TEST_CASE("a session can be read after a secret got a value that JSON has to escape") {
  temporary_folder folder;
  const auto path = folder / "sessions.db";
  const auto sealed_with = [&](const std::string& value) {
    return make_sealed_store(open_sqlite_store(path).value(),
                             std::make_shared<const redactor>(std::vector{secret{value, "KEY"}}));
  };
  auto written = session_append{
      "s",
      "a",
      {said("use plain-secret-1"), tool_call{"c1", "t", dump_json({{"k", "plain-secret-1"}}), "a"}}};
  written.paused = paused_run{"r", dump_json({{"state", "plain-secret-1"}})};
  append(*sealed_with("plain-secret-1"), {written});
  const std::string now = "new \"secret\" of \\ two\nlines";
  const auto read = sealed_with(now)->load("s").value().value();
  CHECK(read.items == item_list{said("use " + now), tool_call{"c1", "t", dump_json({{"k", now}}), "a"}});
  REQUIRE(read.paused);
  CHECK(read.paused->state == dump_json({{"state", now}}));
}

TEST_CASE("writing down the name of a secret does not give it away") {
  temporary_folder folder;
  const auto store = open_sealed(folder / "sessions.db");
  append(*store, {add("s", "a", {said("say [redacted:KEY] backwards")})});
  CHECK(store->load("s").value().value().items == item_list{said("say [redacted:KEY] backwards")});
}
