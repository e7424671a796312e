#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

std::string call_text(household& home, const std::string& tool, json arguments = json::object()) {
  return text_of(await(home.call("stub", tool, std::move(arguments))));
}

json report(household& home) {
  return parse_json(call_text(home, "report")).value();
}

/// Once the server has answered something later, it has read what was sent before.
void let_it_read(household& home) {
  REQUIRE(call_text(home, "echo", {{"text", "x"}}) == "x");
}

} // namespace

TEST_CASE("answers that come out of order find their calls") {
  household home({stub("out-of-order")});
  REQUIRE_FALSE(home.tools("stub").empty());
  auto first = home.call("stub", "echo", {{"text", "first"}});
  auto second = home.call("stub", "echo", {{"text", "second"}});
  CHECK(text_of(await(std::move(first))) == "first");
  CHECK(text_of(await(std::move(second))) == "second");
}

TEST_CASE("answers that come twice, or belong to nothing, harm nobody") {
  const auto* mode = GENERATE("twice", "wrong-id", "crlf", "invalid-utf8");
  INFO(mode);
  household home({stub(mode)});
  REQUIRE_FALSE(home.tools("stub").empty());
  for (int i = 0; i < 5; ++i)
    CHECK(call_text(home, "add", {{"a", i}, {"b", 1}}) == std::to_string(i + 1));
  CHECK(home.status("stub").restarts == 0);
  // Handshake, tool list, five calls: each answer had a line before it that is not UTF-8.
  CHECK(home.status("stub").stray_lines == (mode == std::string("invalid-utf8") ? 7 : 0));
}

TEST_CASE("a server's own requests are answered, its ids are its own") {
  household home({stub("chatty")});
  REQUIRE_FALSE(home.tools("stub").empty());
  // The server has the answers once it has read what came after them.
  let_it_read(home);
  const auto answers = report(home).at("answers");
  REQUIRE(answers.size() == 4);
  CHECK(answers.at("1").at("error").at("code") == -32601);
  CHECK(answers.at("2").at("result") == json::object());
  CHECK(answers.at("three").at("result") == json::object());
  CHECK(answers.at("4").at("error").at("code") == -32601);
}

TEST_CASE("a call that hangs times out, and the server is told") {
  auto server = stub("hang");
  server.call_timeout = 1s;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto begin = steady_clock::now();
  const auto failed = await(home.call("stub", "hang"));
  CHECK(failed.is_error);
  CHECK_THAT(text_of(failed), Catch::Contains("did not answer within"));
  CHECK(steady_clock::now() - begin >= 1s);
  CHECK(steady_clock::now() - begin < 20s);
  CHECK(report(home).at("cancelled").size() == 1);
}

TEST_CASE("a call that its caller gives up is cancelled on the wire, and makes room for the next") {
  auto server = stub("hang");
  server.max_concurrent_calls = 1;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  auto hanging = home.call("stub", "hang", json::object(), 7);
  auto next = home.call("stub", "echo", {{"text", "my turn"}});
  home.cancel("stub", 7);
  CHECK(await(std::move(hanging)).is_error);
  CHECK(text_of(await(std::move(next))) == "my turn");
  CHECK(report(home).at("cancelled").size() == 1);
}

TEST_CASE("progress keeps a call alive past its timeout") {
  auto server = stub("progress");
  server.call_timeout = 2s;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto begin = steady_clock::now();
  // A step takes 20 ms.
  const auto done = call_text(home, "slow", {{"steps", 150}});
  CHECK(done == "done after 150 steps");
  CHECK(steady_clock::now() - begin >= 3s);
}

TEST_CASE("progress without end ends at the hard cap") {
  auto server = stub("progress");
  server.call_timeout = 2s;
  server.max_call_timeout = 4s;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto begin = steady_clock::now();
  const auto failed = await(home.call("stub", "slow"));
  CHECK(failed.is_error);
  CHECK(steady_clock::now() - begin >= 4s);
  CHECK(steady_clock::now() - begin < 20s);
  CHECK(report(home).at("cancelled").size() == 1);
}

TEST_CASE("a server that dies in a call fails all calls at once and comes back") {
  auto server = stub("die");
  server.call_timeout = 10min;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto failed = await(home.call("stub", "die"));
  CHECK(failed.is_error);
  CHECK_THAT(text_of(failed), Catch::Contains("went away") && Catch::Contains("status 9"));
  const auto up = home.status_when("stub", [](const auto& now) { return now.state == mcp_state::ready; });
  CHECK(up.restarts == 1);
  CHECK_THAT(up.last_error, Catch::Contains("status 9"));
  let_it_read(home);
}

TEST_CASE("a server that closes its stdout and lives on is started anew") {
  auto server = stub("close-stdout");
  server.call_timeout = 10min;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  const watched_process mute(static_cast<pid_t>(home.status("stub").pid));
  CHECK(await(home.call("stub", "mute")).is_error);
  home.status_when("stub",
                   [](const auto& now) { return now.state == mcp_state::ready && now.restarts == 1; });
  CHECK(mute.has_ended());
  let_it_read(home);
}

TEST_CASE("a message within the bound arrives, one beyond it costs the connection") {
  auto server = stub("big");
  server.max_message_bytes = 1u << 20;
  server.call_timeout = 10min;
  household home({server});
  REQUIRE_FALSE(home.tools("stub").empty());
  CHECK(call_text(home, "big", {{"bytes", 1000000}}).size() == 1000000);
  const auto failed = await(home.call("stub", "big", {{"bytes", 3 << 20}}));
  CHECK(failed.is_error);
  CHECK_THAT(text_of(failed), Catch::Contains("more than 1048576 bytes"));
  const auto up = home.status_when("stub", [](const auto& now) { return now.state == mcp_state::ready; });
  CHECK(up.restarts == 1);
  CHECK_THAT(up.last_error, Catch::Contains("max_message_bytes"));
  let_it_read(home);
}

TEST_CASE("every kind of content has a form that a model can read") {
  household home({stub("contents")});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto rich = await(home.call("stub", "rich"));
  CHECK_FALSE(rich.is_error);
  const auto has = [&](const auto& holds) {
    return std::any_of(rich.parts.begin(), rich.parts.end(), holds);
  };
  CHECK(has([](const content& part) {
    const auto* image = std::get_if<image_content>(&part);
    return image != nullptr && image->media_type == "image/png";
  }));
  CHECK(has([](const content& part) {
    const auto* audio = std::get_if<audio_content>(&part);
    return audio != nullptr && audio->media_type == "audio/wav";
  }));
  for (const char* words :
       {"a text", "a note", "blob://1", "file:///tmp/x", "from_the_future", R"("answer":42)"})
    CHECK_THAT(text_of(rich), Catch::Contains(words));

  const auto failed = await(home.call("stub", "fail"));
  CHECK(failed == tool_result::failure("the disk is full"));
}
