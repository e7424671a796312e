#include "libagent/mcp/server_session.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace troupe;
using namespace troupe::mcp;

namespace {

std::vector<served_tool> stub_tools() {
  served_tool add;
  add.spec.name = "add";
  add.spec.description = "adds";
  add.spec.input =
      json_schema::compile(
          {{"type", "object"}, {"properties", {{"a", {{"type", "integer"}}}}}, {"required", {"a"}}})
          .value();
  add.output_schema = json{{"type", "object"}};
  add.read_only = true;
  add.run = [](const json& arguments) {
    return tool_result::text(json{{"sum", arguments["a"].get<int>() + 1}}.dump());
  };
  served_tool fails;
  fails.spec.name = "fails";
  fails.run = [](const json&) -> tool_result { throw std::runtime_error("boom"); };
  served_tool picture;
  picture.spec.name = "picture";
  picture.run = [](const json&) { return tool_result{{image_content{"image/png", "AAAA"}}, false}; };
  return {add, fails, picture};
}

/// A server and its client's end.
struct fixture {
  server_session session{{"stub", "1.0", "Ask away."}, stub_tools()};

  json ask(const json& message) { return ask_text(message.dump()); }
  json ask_text(const std::string& line) {
    const auto lines = session.on_line(line);
    REQUIRE(lines.size() == 1);
    REQUIRE(lines.front().find('\n') == std::string::npos);
    return json::parse(lines.front());
  }
  json request(const json& id, const std::string& method, const json& params = json::object()) {
    return ask({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
  }
  json initialize(const std::string& version = "2025-11-25") {
    return request(0, "initialize",
                   {{"protocolVersion", version},
                    {"capabilities", json::object()},
                    {"clientInfo", {{"name", "c"}, {"version", "1"}}}});
  }
  json call(const std::string& name, const json& arguments) {
    return request(1, "tools/call", {{"name", name}, {"arguments", arguments}});
  }
};

} // namespace

TEST_CASE_METHOD(fixture,
                 "initialize answers with the client's revision where it is known, else the newest") {
  const auto [wanted, agreed] = GENERATE(table<std::string, std::string>({{"2025-11-25", "2025-11-25"},
                                                                          {"2025-06-18", "2025-06-18"},
                                                                          {"2025-03-26", "2025-03-26"},
                                                                          {"2024-11-05", "2024-11-05"},
                                                                          {"2019-01-01", "2025-11-25"},
                                                                          {"", "2025-11-25"}}));
  const auto answer = initialize(wanted);
  CHECK(answer["result"]["protocolVersion"] == agreed);
  CHECK(answer["result"]["serverInfo"] == json{{"name", "stub"}, {"version", "1.0"}});
  CHECK(answer["result"]["capabilities"] == json{{"tools", json::object()}});
  CHECK(answer["result"]["instructions"] == "Ask away.");
  CHECK(session.on_line(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").empty());
}

TEST_CASE_METHOD(fixture, "before initialize there is only ping") {
  CHECK(request(5, "ping") == json{{"jsonrpc", "2.0"}, {"id", 5}, {"result", json::object()}});
  CHECK(request(6, "tools/list")["error"]["code"] == -32600);
  CHECK(call("add", {{"a", 1}})["error"]["code"] == -32600);
  CHECK(request(7, "server/discover")["error"]["code"] == -32601);
  CHECK(request(8, "initialize")["error"]["code"] == -32602);
  CHECK(request(9, "tools/list")["error"]["code"] == -32600);
}

TEST_CASE_METHOD(fixture, "the tools are listed on one page") {
  initialize();
  const auto tools = request("list", "tools/list")["result"]["tools"];
  REQUIRE(tools.size() == 3);
  CHECK(tools[0]["name"] == "add");
  CHECK(tools[0]["description"] == "adds");
  CHECK(tools[0]["inputSchema"]["required"] == json::array({"a"}));
  CHECK(tools[0]["outputSchema"] == json{{"type", "object"}});
  CHECK(tools[0]["annotations"]["readOnlyHint"] == true);
  CHECK(tools[1]["inputSchema"]["type"] == "object");
  CHECK_FALSE(tools[1].contains("outputSchema"));
  CHECK(request(2, "tools/list", {{"cursor", "what"}})["error"]["code"] == -32602);
}

TEST_CASE_METHOD(fixture, "a call gives text and the same as structured content") {
  initialize();
  const auto given = call("add", {{"a", 41}})["result"];
  CHECK(given["content"] == json::array({{{"type", "text"}, {"text", "{\"sum\":42}"}}}));
  CHECK(given["structuredContent"] == json{{"sum", 42}});
  CHECK(given["isError"] == false);
  const auto picture = call("picture", nullptr)["result"];
  CHECK(picture["content"] ==
        json::array({{{"type", "image"}, {"data", "AAAA"}, {"mimeType", "image/png"}}}));
  CHECK_FALSE(picture.contains("structuredContent"));
}

TEST_CASE_METHOD(fixture, "arguments that break the schema and tools that throw give error results") {
  initialize();
  for (const auto& arguments : {json::object(), json{{"a", "x"}}, json(nullptr)}) {
    const auto given = call("add", arguments)["result"];
    CHECK(given["isError"] == true);
    CHECK_THAT(given["content"][0]["text"].get<std::string>(), Catch::Contains("Invalid arguments"));
  }
  const auto thrown = call("fails", json::object())["result"];
  CHECK(thrown["isError"] == true);
  CHECK_THAT(thrown["content"][0]["text"].get<std::string>(), Catch::Contains("boom"));
}

TEST_CASE_METHOD(fixture, "calls that are no calls are errors of the protocol") {
  initialize();
  CHECK(call("no_such", json::object())["error"]["code"] == -32602);
  CHECK(call("add", json::array())["error"]["code"] == -32602);
  CHECK(request(1, "tools/call")["error"]["code"] == -32602);
  CHECK(request(1, "tools/call", {{"name", 5}})["error"]["code"] == -32602);
  CHECK(request(1, "tools/call", json::array())["error"]["code"] == -32602);
  CHECK(request(1, "resources/list")["error"]["code"] == -32601);
}

TEST_CASE_METHOD(fixture, "what is not JSON is a parse error, what is no message an invalid request") {
  for (const std::string line : {"hello", "{", "{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}", "\xef\xbb"}) {
    const auto answer = ask_text(line);
    CHECK(answer["error"]["code"] == -32700);
    CHECK(answer["id"].is_null());
  }
  CHECK(ask_text(std::string(200000, '['))["error"]["code"] == -32700);
  for (const std::string line : {"{}", "5", "null", "[]", R"({"jsonrpc":"2.0","id":null,"method":"ping"})"}) {
    const auto answer = ask_text(line);
    CHECK(answer["error"]["code"] == -32600);
    CHECK(answer["id"].is_null());
  }
  CHECK(ask_text(R"({"jsonrpc":"2.0","id":7,"method":5})")["id"] == 7);
  CHECK(ask_text(R"({"jsonrpc":"2.0","id":"7"})")["error"]["code"] == -32600);
}

TEST_CASE_METHOD(fixture, "notifications, answers and blank lines get no answer") {
  initialize();
  for (const std::string line :
       {"", "\r", R"({"jsonrpc":"2.0","method":"no/such"})", R"({"jsonrpc":"2.0","id":1,"result":{}})",
        R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}})",
        R"({"jsonrpc":"2.0","method":"ping"})"})
    CHECK(session.on_line(line).empty());
  CHECK(ask_text("{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa9\",\"method\":\"ping\"}\r")["id"] == "\xc3\xa9");
}

TEST_CASE_METHOD(fixture, "batches are for the one revision that has them") {
  const std::string batch =
      R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"n"},7,)"
      R"({"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}])";
  CHECK(ask_text(batch)["error"]["code"] == -32600);
  initialize("2025-06-18");
  CHECK(ask_text(batch)["error"]["code"] == -32600);
  initialize("2025-03-26");
  const auto answers = ask_text(batch);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0] == json{{"jsonrpc", "2.0"}, {"id", 1}, {"result", json::object()}});
  CHECK(answers[1]["error"]["code"] == -32600);
  CHECK(answers[2]["error"]["code"] == -32600);
  CHECK(ask_text("[]")["error"]["code"] == -32600);
  CHECK(session.on_line(R"([{"jsonrpc":"2.0","method":"n"}])").empty());
}
