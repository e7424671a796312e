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
