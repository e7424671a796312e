#include "tests/libagent/mcp/client_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::mcp;
using namespace troupe::mcp::testing;
using name_list = std::vector<std::string>;

TEST_CASE("all pages of a tool list are followed before the session is ready") {
  auto session = greeted();
  auto out = session.on_line(response(2, page({tool("a")}, "two")));
  CHECK(all<ready>(out).empty());
  CHECK(only_sent(out) ==
        json{{"jsonrpc", "2.0"}, {"id", 3}, {"method", "tools/list"}, {"params", {{"cursor", "two"}}}});
  out = session.on_line(response(3, page({}, "three")));
  CHECK(only_sent(out)["params"]["cursor"] == "three");
  out = session.on_line(response(4, page({tool("b"), tool("c")})));
  CHECK(names(only<ready>(out).tools) == name_list{"a", "b", "c"});
}

TEST_CASE("a cursor that is null or empty ends the list") {
  auto session = greeted();
  const json cursor = GENERATE(json(nullptr), json(""));
  CHECK(names(only<ready>(session.on_line(response(2, page({tool("a")}, cursor)))).tools) == name_list{"a"});
}

TEST_CASE("a tool list that cannot be read breaks a session that starts") {
  client_options options;
  options.max_pages = 3;
  auto session = greeted(options);
  SECTION("because a cursor comes again") {
    session.on_line(response(2, page({tool("a")}, "x")));
    CHECK_THAT(only<broken>(session.on_line(response(3, page({tool("b")}, "x")))).reason.detail,
               Catch::Contains("cursor"));
  }
  SECTION("because it has too many pages") {
    session.on_line(response(2, page({}, "1")));
    CHECK(sent(session.on_line(response(3, page({}, "2")))).size() == 1);
    CHECK_THAT(only<broken>(session.on_line(response(4, page({}, "3")))).reason.detail,
               Catch::Contains("3 pages"));
  }
  SECTION("because there is none") {
    const json answer = GENERATE(json(nullptr), json::object(), json{{"tools", 5}}, json{{"tools", nullptr}});
    CHECK_THAT(only<broken>(session.on_line(response(2, answer))).reason.detail, Catch::Contains("tools"));
  }
  SECTION("because the server fails") {
    CHECK_THAT(only<broken>(session.on_line(error_response(2, -32603, "oh no"))).reason.detail,
               Catch::Contains("oh no (code -32603)"));
  }
  CHECK_FALSE(session.is_ready());
}

TEST_CASE("the last page allowed may end the list") {
  client_options options;
  options.max_pages = 2;
  auto session = greeted(options);
  session.on_line(response(2, page({tool("a")}, "1")));
  CHECK(names(only<ready>(session.on_line(response(3, page({tool("b")})))).tools) == name_list{"a", "b"});
}

TEST_CASE("a changed list is fetched again and replaces the old one") {
  auto session = ready_with({tool("a")});
  CHECK(only_sent(session.on_line(notification("notifications/tools/list_changed")))["method"] ==
        "tools/list");
  CHECK(session.is_ready());
  const auto out = session.on_line(response(3, page({tool("b")})));
  CHECK(names(only<tools_changed>(out).tools) == name_list{"b"});
  CHECK(all<ready>(out).empty());
}

TEST_CASE("changes during a listing lead to one more listing after it") {
  auto session = greeted();
  for (int i = 0; i < 3; ++i)
    CHECK(session.on_line(notification("notifications/tools/list_changed")).empty());
  const auto out = session.on_line(response(2, page({tool("a")})));
  CHECK(names(only<ready>(out).tools) == name_list{"a"});
  CHECK(only_sent(out)["id"] == 3);
  const auto after = session.on_line(response(3, page({tool("b")})));
  CHECK(names(only<tools_changed>(after).tools) == name_list{"b"});
  CHECK(sent(after).empty());
}

TEST_CASE("a later list that cannot be read leaves the old one and the session") {
  auto session = ready_with({tool("a")});
  session.on_line(notification("notifications/tools/list_changed"));
  session.on_line(response(3, page({}, "x")));
  const std::string line = GENERATE(response(4, page({tool("b")}, "x")), response(4, json{{"tools", 1}}),
                                    error_response(4, -32603, "later"), error_response(4, -32601, "gone"));
  const auto out = session.on_line(line);
  CHECK(all<broken>(out).empty());
  CHECK(all<tools_changed>(out).empty());
  CHECK(only<server_log>(out).level == "warning");
  CHECK(session.is_ready());
  CHECK(only_sent(session.on_line(notification("notifications/tools/list_changed")))["id"] == 5);
}

TEST_CASE("a later listing that takes too long is given up, and its late answer ignored") {
  auto session = ready_with({tool("a")});
  const auto changed = notification("notifications/tools/list_changed");
  const auto number = only<listing_begun>(session.on_line(changed)).number;
  CHECK(session.give_up_listing(number + 1, "late").empty());
  SECTION("on its first page") {
    const auto out = session.give_up_listing(number, "late");
    CHECK(only_sent(out)["method"] == "notifications/cancelled");
    CHECK(only_sent(out)["params"]["requestId"] == 3);
    CHECK_THAT(only<server_log>(out).text,
               Catch::Contains("the old tool list stays") && Catch::Contains("late"));
    CHECK(all<tools_changed>(session.on_line(response(3, page({tool("b")})))).empty());
  }
  SECTION("on a later page") {
    session.on_line(response(3, page({tool("b")}, "x")));
    CHECK(only_sent(session.give_up_listing(number, "late"))["params"]["requestId"] == 4);
  }
  CHECK(session.is_ready());
  CHECK(session.give_up_listing(number, "late").empty());
  CHECK(only<listing_begun>(session.on_line(changed)).number == number + 1);
}

TEST_CASE("a change that came during a listing that is given up leads to another") {
  auto session = ready_with({tool("a")});
  const auto changed = notification("notifications/tools/list_changed");
  const auto number = only<listing_begun>(session.on_line(changed)).number;
  CHECK(session.on_line(changed).empty());
  const auto out = session.give_up_listing(number, "late");
  CHECK(only<listing_begun>(out).number == number + 1);
  CHECK(sent(out).back()["method"] == "tools/list");
  CHECK(names(only<tools_changed>(session.on_line(response(4, page({tool("b")})))).tools) == name_list{"b"});
}

TEST_CASE("a listing that is done, or the one of the start, cannot be given up") {
  auto starting = greeted();
  CHECK(starting.give_up_listing(1, "late").empty());
  CHECK(all<listing_begun>(starting.on_line(response(2, page({tool("a")})))).empty());
  CHECK(starting.is_ready());
  const auto changed = starting.on_line(notification("notifications/tools/list_changed"));
  starting.on_line(response(3, page({tool("b")})));
  CHECK(starting.give_up_listing(only<listing_begun>(changed).number, "late").empty());
}

TEST_CASE("tools that cannot be used are left out with a word in the log") {
  const json bad = GENERATE(json(5), json{{"name", 5}}, json{{"name", ""}}, json::object(),
                            json{{"name", "x"}, {"inputSchema", "text"}},
                            json{{"name", "x"}, {"inputSchema", {{"type", "string"}}}},
                            json{{"name", "x"}, {"inputSchema", {{"type", "object"}, {"properties", 5}}}});
  auto session = greeted();
  const auto out = session.on_line(response(2, page({bad, tool("good")})));
  CHECK(names(only<ready>(out).tools) == name_list{"good"});
  CHECK(only<server_log>(out).level == "warning");
}

TEST_CASE("an input schema is of type object, given or not") {
  auto session = greeted();
  const auto out = session.on_line(
      response(2, page({json{{"name", "none"}}, json{{"name", "null"}, {"inputSchema", nullptr}},
                        json{{"name", "untyped"}, {"inputSchema", {{"required", {"a"}}}}}})));
  const auto tools = only<ready>(out).tools;
  REQUIRE(tools->size() == 3);
  for (const auto& each : *tools)
    CHECK(each.input.document()["type"] == "object");
  CHECK(tools->at(0).input.validate(json{{"any", 1}}).has_value());
  CHECK_FALSE(tools->at(2).input.validate(json::object()).has_value());
}

TEST_CASE("of tools with the same name the first counts") {
  auto second = tool("a");
  second["description"] = "another";
  auto session = greeted();
  const auto out = session.on_line(response(2, page({tool("a"), second})));
  const auto tools = only<ready>(out).tools;
  REQUIRE(tools->size() == 1);
  CHECK(tools->front().description == "does a");
  CHECK_THAT(only<server_log>(out).text, Catch::Contains("'a'"));
}

TEST_CASE("only allowed tools that are not blocked are kept") {
  client_options options;
  options.blocked_tools = {"b"};
  auto session = greeted(options);
  CHECK(names(only<ready>(session.on_line(response(2, page({tool("a"), tool("b"), tool("c")})))).tools) ==
        name_list{"a", "c"});

  options.allowed_tools = {"a", "b"};
  session = greeted(options);
  CHECK(names(only<ready>(session.on_line(response(2, page({tool("a"), tool("b"), tool("c")})))).tools) ==
        name_list{"a"});

  options.allowed_tools = name_list{};
  session = greeted(options);
  CHECK(only<ready>(session.on_line(response(2, page({tool("a")})))).tools->empty());
}
