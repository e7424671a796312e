#include "libagent/run/paused_json.hpp"
#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;
using Catch::Matchers::Contains;

namespace {

/// Version 1 as it was first released. It must stay readable: runs wait for weeks.
constexpr auto golden = R"({
  "troupe_run": 1,
  "agent": "desk",
  "turns": 3,
  "items": [
    {"type": "message", "role": "user", "content": "refund me"},
    {"type": "function_call", "call_id": "c1", "name": "refund", "arguments": "{\"n\": 5}", "agent": "desk"},
    {"type": "function_call", "call_id": "c2", "name": "helper", "arguments": "{\"input\":\"?\"}", "agent": "desk"},
    {"type": "function_call", "call_id": "c3", "name": "look", "arguments": "{", "agent": "desk"}
  ],
  "calls": [
    {"call_id": "c1", "tool": "refund", "kind": "tool", "name": "refund", "waits": true, "arguments": {"n": 5},
     "schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    {"call_id": "c2", "tool": "helper", "kind": "agent", "name": "helper", "waits": true,
     "arguments": {"input": "?"},
     "run": {"troupe_run": 1, "agent": "helper", "turns": 1,
             "items": [{"type": "message", "role": "user", "content": "?"}],
             "calls": [{"call_id": "x1", "tool": "transfer_to_ops", "kind": "handoff", "name": "ops", "waits": true,
                        "arguments": {}, "schema": {"type": "object"}}],
             "usage": [], "approved": [], "tool_users": [], "notes": [], "repaired": false,
             "team": {"input": "", "next_member": 0, "round": 1, "judging": false, "outputs": []}}},
    {"call_id": "c3", "tool": "look", "kind": "tool", "name": "look", "waits": false,
     "output": {"type": "function_call_output", "call_id": "c3", "is_error": true, "output": [
       {"type": "text", "text": "a"}, {"type": "image", "media_type": "image/png", "data": "QQ=="}]}}
  ],
  "usage": [{"agent": "desk", "model": "m", "requests": 3, "input_tokens": 30, "output_tokens": 15,
             "cached_tokens": 4, "reasoning_tokens": 2, "total_tokens": 45}],
  "approved": [{"agent": "desk", "tool": "look"}],
  "tool_users": ["desk"],
  "notes": [{"before": 1, "item": {"type": "message", "role": "user", "content": "mend it"}}],
  "repaired": true,
  "context": {"user": "Ann"},
  "seen": {"items": [{"type": "message", "role": "user", "content": "in short"}], "from": 1},
  "team": {"input": "i", "next_member": 1, "round": 2, "judging": true, "outputs": [{"agent": "x", "output": "1"}]}
})";

json stored() {
  return json::parse(golden);
}

std::string refusal(const json& value) {
  const auto read = paused_from_json(value);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == errc::malformed);
  CHECK_THAT(read.error().detail, Catch::Matchers::StartsWith("a paused run cannot be read: "));
  return read.error().detail;
}

json with(const char* place, json value) {
  auto changed = stored();
  changed[json::json_pointer(place)] = std::move(value);
  return changed;
}

} // namespace

TEST_CASE("a paused run of version 1 is read in every part, and written with what is new since") {
  const auto run = paused_from_json(stored()).value();
  CHECK(run.at == phase::paused);
  CHECK(run.agent->name == "desk");
  CHECK(run.turns == 3);
  CHECK(story(run.fresh) == "U:refund me C:refund C:helper C:look");
  CHECK(run.used.total() == usage{3, 30, 15, 4, 2});
  CHECK(run.always_approved.contains({"desk", "look"}));
  CHECK(run.tool_users.contains("desk"));
  REQUIRE(run.notes.size() == 1);
  CHECK(run.notes[0].before == 1);
  CHECK(run.is_repaired);
  CHECK(*run.context == json{{"user", "Ann"}});
  CHECK(run.is_filtered);
  CHECK(story(*run.seen_past) == "U:in short");
  CHECK(run.seen_from == 1);
  CHECK(run.team.next_member == 1);
  CHECK(run.team.round == 2);
  CHECK(run.team.judging);
  CHECK(run.team.outputs == std::vector<std::pair<std::string, std::string>>{{"x", "1"}});
  REQUIRE(run.open_calls.size() == 3);
  CHECK_FALSE(run.open_calls[0].schema.validate({{"n", "x"}}).has_value());
  CHECK(run.open_calls[2].result->is_error);
  CHECK(run.open_calls[2].result->parts.size() == 2);
  const auto waits = interruptions(run);
  REQUIRE(waits.size() == 2);
  CHECK(waits[0].id == "3.0");
  CHECK(waits[1].id == "3.1/1.0");
  CHECK(waits[1].what == interruption::kind::handoff);
  CHECK(paused_to_json(run) == with("/usage/0/tool_calls", 0));
}

TEST_CASE("a paused run is read from the value that was written, not only from its text") {
  const auto written = paused_to_json(paused_from_json(stored()).value());
  CHECK(paused_from_json(written).has_value());
}

TEST_CASE("what is not there is left out and read as such") {
  auto value = stored();
  value.erase("context");
  value.erase("seen");
  const auto run = paused_from_json(value).value();
  CHECK_FALSE(run.context);
  CHECK_FALSE(run.is_filtered);
  CHECK(paused_to_json(run).at("calls") == value.at("calls"));
}

TEST_CASE("a member that is missing is named, one of the wrong type is refused") {
  const auto place = GENERATE(
      "/troupe_run", "/agent", "/turns", "/items", "/calls", "/usage", "/approved", "/tool_users", "/notes",
      "/repaired", "/team", "/calls/0/call_id", "/calls/0/tool", "/calls/0/kind", "/calls/0/name",
      "/calls/0/waits", "/calls/0/arguments", "/calls/0/schema", "/calls/2/output", "/calls/1/run/calls",
      "/calls/1/run/team/round", "/approved/0/agent", "/approved/0/tool", "/notes/0/before", "/notes/0/item",
      "/seen/items", "/seen/from", "/team/input", "/team/next_member", "/team/round", "/team/judging",
      "/team/outputs", "/team/outputs/0/agent", "/team/outputs/0/output");
  CAPTURE(place);
  const json::json_pointer pointer(place);
  auto without = stored();
  without.at(pointer.parent_pointer()).erase(pointer.back());
  const auto detail = refusal(without);
  CHECK_THAT(detail, Contains("'" + pointer.back() + "' is missing") || Contains("usage"));
  const auto is_object = stored().at(pointer).is_object();
  for (const auto& wrong : {json(), is_object ? json("x") : json::object(), json(-1), json(1.5)})
    refusal(with(place, wrong));
}

TEST_CASE("what cannot be is refused with the reason") {
  struct {
    json value;
    const char* part;
  } const rows[] = {
      {json(), "'troupe_run' is missing"},
      {json::array(), "'troupe_run' is missing"},
      {with("/troupe_run", 2), "it is of version 2; known is 1"},
      {with("/troupe_run", 0), "it is of version 0; known is 1"},
      {with("/turns", std::uint64_t(1) << 32), "'turns' is too large"},
      {with("/context", json::array()), "'context' is no object"},
      {with("/seen", json::array()), "'items' is missing"},
      {with("/seen/from", 5), "'from' is past the items"},
      {with("/notes/0/before", 5), "'before' is past the items"},
      {with("/tool_users/0", 7), "'tool_users' holds what is no text"},
      {with("/items/0/type", "song"), "an item of unknown type 'song'"},
      {with("/items/0", 7), "an item"},
      {with("/calls/0", 7), "'call_id' is missing"},
      {with("/calls/0/kind", "robot"), "'robot' is no kind of call"},
      {with("/calls/0/schema", json{{"type", 7}}), "schema"},
      {with("/calls/1/run", 7), "'troupe_run' is missing"},
      {with("/calls/1/run/troupe_run", 3), "it is of version 3"},
      {with("/calls/2/output", stored().at("/items/0"_json_pointer)), "the output of a call is another item"},
      {with("/calls", json::array()), "it waits for nothing"},
      {with("/calls", json::array({stored().at("/calls/2"_json_pointer)})), "it waits for nothing"},
  };
  for (const auto& r : rows)
    CHECK_THAT(refusal(r.value), Contains(r.part));
}

TEST_CASE("a call keeps its tool's owner") {
  const auto value = with("/calls/0/owner", "srv");
  const auto run = paused_from_json(value).value();
  CHECK(run.open_calls[0].owner == "srv");
  CHECK_FALSE(run.open_calls[1].owner.has_value());
  CHECK(paused_to_json(run).at("calls") == value.at("calls"));
}
