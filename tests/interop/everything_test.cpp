#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using namespace troupe::test;

namespace {

config::mcp_server_options everything() {
  return reference_server("everything", {"stdio"});
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

TEST_CASE("everything comes up and says what it is") {
  household home({everything()});
  const auto tools = home.tools("everything");
  for (const char* name : {"echo", "get-sum", "get-tiny-image", "trigger-long-running-operation"})
    CHECK(contains(tools, name));

  const auto status = home.status("everything");
  CHECK(status.state == mcp_state::ready);
  CHECK(status.pid > 0);
  CHECK(status.protocol_version == "2025-11-25");
  CHECK(status.server_name == "mcp-servers/everything");
  CHECK_FALSE(status.server_version.empty());
  CHECK(status.tools == tools);
  CHECK(status.restarts == 0);
  CHECK(status.last_error.empty());
}

TEST_CASE("only tools that are allowed and not blocked are offered") {
  auto server = everything();
  server.allowed_tools = {"echo", "get-sum", "get-env"};
  server.blocked_tools = {"get-env"};
  household home({server});
  CHECK(home.tools("everything") == std::vector<std::string>{"echo", "get-sum"});
}

TEST_CASE("everything's texts, images, structured contents and errors come through") {
  household home({everything()});
  REQUIRE(home.tools("everything").size() > 10);

  const auto echo = await(home.call("everything", "echo", {{"message", "Grüße, 你好 \"x\"\n\\"}}));
  CHECK(echo == tool_result::text("Echo: Grüße, 你好 \"x\"\n\\"));
  CHECK(text_of(await(home.call("everything", "get-sum", {{"a", 2}, {"b", 40.5}}))) ==
        "The sum of 2 and 40.5 is 42.5.");

  const auto image = await(home.call("everything", "get-tiny-image"));
  CHECK_FALSE(image.is_error);
  const auto picture = std::find_if(image.parts.begin(), image.parts.end(), [](const content& part) {
    return std::holds_alternative<image_content>(part);
  });
  REQUIRE(picture != image.parts.end());
  CHECK(std::get<image_content>(*picture).media_type == "image/png");
  CHECK(std::get<image_content>(*picture).data.starts_with("iVBORw0KGgo"));

  const auto weather = await(home.call("everything", "get-structured-content", {{"location", "Chicago"}}));
  CHECK_FALSE(weather.is_error);
  // Text and structured content say the same, so the model reads it once.
  REQUIRE(weather.parts.size() == 1);
  CHECK(parse_json(text_of(weather))->contains("temperature"));

  const auto wrong = await(home.call("everything", "get-sum", {{"a", "two"}, {"b", 2}}));
  CHECK(wrong.is_error);
  CHECK_THAT(text_of(wrong), Catch::Contains("a") && Catch::Contains("number"));
  const auto unknown = await(home.call("everything", "no-such-tool"));
  CHECK(unknown.is_error);
  CHECK_THAT(text_of(unknown), Catch::Contains("no-such-tool"));
}

TEST_CASE("a server gets the variables of its own and none of the others") {
  auto server = everything();
  server.env = {{"OF_ITS_OWN", "for the server"}};
  ::setenv("OF_NOBODY_ELSE", "for Troupe", 1);
  household home({server});
  REQUIRE_FALSE(home.tools("everything").empty());
  const auto env = parse_json(text_of(await(home.call("everything", "get-env")))).value();
  CHECK(env.at("OF_ITS_OWN") == "for the server");
  CHECK(env.contains("PATH"));
  CHECK_FALSE(env.contains("OF_NOBODY_ELSE"));
}

TEST_CASE("8 MiB go to everything and come back") {
  auto server = everything();
  server.call_timeout = std::chrono::minutes(10);
  household home({server});
  REQUIRE_FALSE(home.tools("everything").empty());
  std::string message(8u << 20, ' ');
  for (std::size_t i = 0; i < message.size(); ++i)
    message[i] = static_cast<char>('a' + i * 7 % 26);
  const auto echo = await(home.call("everything", "echo", {{"message", message}}));
  CHECK_FALSE(echo.is_error);
  // Compared as a whole first: nobody wants to read 8 MiB of difference.
  const auto text = text_of(echo);
  CHECK(text.size() == message.size() + 6);
  CHECK((text == "Echo: " + message));
}

TEST_CASE("200 calls at once each get the answer of their own") {
  household home({everything()});
  REQUIRE_FALSE(home.tools("everything").empty());
  std::vector<std::future<tool_result>> calls;
  for (int i = 0; i < 200; ++i)
    calls.push_back(home.call("everything", "get-sum", {{"a", i}, {"b", 1000}}));
  for (int i = 0; i < 200; ++i) {
    const auto expected =
        "The sum of " + std::to_string(i) + " and 1000 is " + std::to_string(1000 + i) + ".";
    REQUIRE(text_of(await(std::move(calls[i]))) == expected);
  }
}
