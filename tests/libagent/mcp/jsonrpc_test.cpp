#include "libagent/mcp/jsonrpc.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::mcp;

TEST_CASE("the four kinds of messages are told apart") {
  const auto kind = [](const char* text) { return classify(json::parse(text)).index(); };
  CHECK(kind(R"({"jsonrpc":"2.0","id":1,"method":"m"})") == rpc_message(rpc_request{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","id":"1","method":"m","params":{}})") == rpc_message(rpc_request{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","method":"m","params":null})") == rpc_message(rpc_notification{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","id":1,"result":null})") == rpc_message(rpc_response{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","id":1,"result":{},"error":null})") == rpc_message(rpc_response{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","id":null,"error":{}})") == rpc_message(rpc_error{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","id":1,"method":"m","params":5})") == rpc_message(rpc_invalid{}).index());
  CHECK(kind(R"({"jsonrpc":2.0,"id":1,"method":"m"})") == rpc_message(rpc_invalid{}).index());
  CHECK(kind(R"({"jsonrpc":"2.0","id":[1],"method":"m"})") == rpc_message(rpc_invalid{}).index());
}

TEST_CASE("the parts of a message come out of it") {
  const auto asked = std::get<rpc_request>(
      classify(json{{"jsonrpc", "2.0"}, {"id", "x"}, {"method", "m"}, {"params", {{"a", 1}}}}));
  CHECK(asked.id == "x");
  CHECK(asked.method == "m");
  CHECK(asked.params == json{{"a", 1}});
  const auto thrown = std::get<rpc_error>(classify(
      json{{"jsonrpc", "2.0"}, {"id", 4}, {"error", {{"code", -5}, {"message", "no"}, {"data", {1}}}}}));
  CHECK(thrown.id == 4);
  CHECK(thrown.code == -5);
  CHECK(thrown.message == "no");
  CHECK(thrown.data == json::array({1}));
}

TEST_CASE("texts of messages are JSON of one line") {
  CHECK(json::parse(encode_request(3, "m")) == json{{"jsonrpc", "2.0"}, {"id", 3}, {"method", "m"}});
  CHECK(json::parse(encode_request(3, "m", "{}"))["params"] == json::object());
  CHECK(json::parse(encode_notification("n", "[1]")) ==
        json{{"jsonrpc", "2.0"}, {"method", "n"}, {"params", {1}}});
  CHECK(json::parse(encode_response("a\nb", "{}")) ==
        json{{"jsonrpc", "2.0"}, {"id", "a\nb"}, {"result", json::object()}});
  const auto text = encode_error(nullptr, rpc_code::parse_error, "line\n\"two\" \xff");
  CHECK(text.find('\n') == std::string::npos);
  CHECK(json::parse(text)["error"]["code"] == -32700);
}
