#include "tests/actors/http/front_fixture.hpp"

#include "actors/http/server.hpp"
#include "actors/metrics/metrics.hpp"
#include "libagent/auth/api_key.hpp"
#include "libagent/core/json.hpp"
#include "tests/actors/io/await.hpp"
#include "tests/actors/io/tcp_server.hpp"
#include "tests/libagent/auth/token_maker.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <ctime>
#include <future>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

config::server_options with_keys() {
  auto options = front_fixture::quick_options();
  options.auth.keys = {{"ops", auth::hash_of_key("ops-key"), true}, {"app", auth::hash_of_key("app-key")}};
  options.auth.keys[1].agents = {"helper"};
  options.cors.origins = {"https://app.example"};
  return options;
}

struct guarded_front : front_fixture {
  guarded_front() : front_fixture(with_keys()) {}

  raw_answer ask(const std::string& headers, const char* path = "/api/v1/agents") {
    return raw_client(port()).ask(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, headers));
  }
};

const signer& maker() {
  static const auto made = signer::ec();
  return made;
}

std::string bearer(const std::string& kid = "k", const char* subject = "ada") {
  const auto token = maker().token(
      json{{"alg", "ES256"}, {"kid", kid}},
      json{{"iss", "me"}, {"aud", "troupe"}, {"sub", subject}, {"exp", std::time(nullptr) + 600}});
  return "Authorization: Bearer " + token + "\r\n";
}

/// Serves the maker's public key, once it may.
struct key_server {
  std::promise<void> may_answer;
  std::shared_future<void> allowed{may_answer.get_future()};
  std::string answer = test::ok_answer(key_set_of({maker().jwk("k")}));
  test::watched<int> asked;
  test::tcp_server server{[this](test::peer& client) {
    while (client.read_request()) {
      asked.change([](int& count) { ++count; });
      allowed.wait();
      client.write(answer);
    }
  }};
};

struct token_front : key_server, front_fixture {
  token_front() : front_fixture(options(server.url())) {}
  static config::server_options options(const std::string& url) {
    auto made = quick_options();
    made.auth.jwt = config::jwt_options{url, "me", {"troupe"}};
    return made;
  }
  std::string request(const std::string& headers) {
    return "GET /api/v1/agents HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
  }
};

} // namespace

TEST_CASE_METHOD(guarded_front, "a key opens the server, and nothing else does") {
  CHECK(ask("Authorization: Bearer ops-key\r\n").status == 200);
  CHECK(ask("X-Api-Key: ops-key\r\n").status == 200);
  CHECK(ask("x-api-key: ops-key\r\n", "/api/v1/mcp").status == 200);
  CHECK(ask("X-Api-Key: app-key\r\n", "/api/v1/mcp").status == 403);
  CHECK(ask("", "/health").status == 200);
  const auto refused = ask("");
  CHECK(refused.status == 401);
  CHECK(refused.headers.at("www-authenticate") == R"(Bearer realm="troupe")");
  CHECK(json::parse(refused.body).at("detail").at("code") == "unauthenticated");
  CHECK(ask("Authorization: Bearer wrong\r\n").status == 401);
  CHECK(ask("Authorization: Bearer ops-key\r\nX-Api-Key: ops-key\r\n").status == 401);
  CHECK(ask("X-Api-Key: ops-key\r\nX-Api-Key: wrong\r\n").status == 400);
}

TEST_CASE_METHOD(guarded_front, "a connection belongs to nobody: each request says who asks") {
  raw_client client(port());
  const auto with = [](const char* key) {
    return "GET /api/v1/agents HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: " + std::string(key) + "\r\n\r\n";
  };
  client.send(with("ops-key") + get("/api/v1/agents") + with("app-key"));
  CHECK(json::parse(client.receive().body).at("agents").size() == 2);
  CHECK(client.receive().status == 401);
  CHECK(json::parse(client.receive().body).at("agents") == json::array({"helper"}));
}

TEST_CASE_METHOD(guarded_front, "a body that is not let in is not looked at") {
  raw_client client(port());
  CHECK(client.ask(post_chat("not JSON")).status == 401);
  CHECK(client.ask(post_chat("not JSON", "X-Api-Key: ops-key\r\n")).status == 400);
}

TEST_CASE_METHOD(guarded_front, "who is not let in is refused before the body, in turn, and is not invited") {
  const auto head = [](const std::string& headers) {
    return "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + headers +
           "\r\n";
  };
  for (const std::string length :
       {"Content-Length: 4000\r\n", "Content-Length: 4000\r\nExpect: 100-continue\r\n",
        "Transfer-Encoding: chunked\r\n"}) {
    CAPTURE(length);
    raw_client client(port());
    client.send("GET /api/v1/agents HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ops-key\r\n\r\n" +
                head(length + "Origin: https://app.example\r\n"));
    CHECK(client.receive().status == 200);
    const auto refused = client.receive();
    CHECK(refused.status == 401);
    CHECK(refused.headers.at("connection") == "close");
    CHECK(refused.headers.at("access-control-allow-origin") == "https://app.example");
    client.close_sending_side();
    CHECK(client.closed_by_peer());
  }
  raw_client nowhere(port());
  CHECK(nowhere.ask("GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n").status == 413);
  raw_client known(port());
  const std::string body = R"({"prompt":"x"})";
  known.send(head("Expect: 100-continue\r\nX-Api-Key: ops-key\r\nContent-Length: 14\r\n"));
  CHECK(known.receive().status == 100);
  CHECK(known.ask(body).status == 200);
}

TEST_CASE_METHOD(token_front, "a body whose sender is not known before keys are fetched is read") {
  CHECK(asked.becomes([](int count) { return count == 1; }));
  raw_client client(port());
  client.send(
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 14\r\n" +
      bearer() + "\r\n");
  CHECK(client.receive().status == 100);
  may_answer.set_value();
  CHECK(client.ask(R"({"prompt":"x"})").status == 200);
  raw_client other(port());
  CHECK(other
            .ask("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n" +
                 bearer("unknown") + "\r\n")
            .status == 401);
}

TEST_CASE_METHOD(guarded_front, "an agent that a key must not ask is refused, and nobody hears of it") {
  raw_client client(port());
  CHECK(client.ask(post_chat(R"({"prompt":"x","agent":"triage"})", "X-Api-Key: app-key\r\n")).status == 403);
  const auto answer = client.ask(post_chat(R"({"prompt":"x"})", "X-Api-Key: app-key\r\n"));
  CHECK(answer.status == 200);
}

TEST_CASE_METHOD(guarded_front, "a page of a listed origin may read all answers, streams and refusals too") {
  const std::string origin = "Origin: https://app.example\r\n";
  const auto allowed = [](const raw_answer& answer) {
    const auto found = answer.headers.find("access-control-allow-origin");
    return found != answer.headers.end() && found->second == "https://app.example";
  };
  CHECK(allowed(ask(origin + "X-Api-Key: ops-key\r\n")));
  CHECK(allowed(ask(origin)));
  CHECK(ask("X-Api-Key: ops-key\r\n").headers.count("access-control-allow-origin") == 0);
  CHECK(ask("Origin: https://evil.example\r\nX-Api-Key: ops-key\r\n").status == 403);
  raw_client client(port());
  CHECK(allowed(client.ask(post_chat(R"({"prompt":"x"})", origin + "X-Api-Key: ops-key\r\n"))));
  client.send(post_chat(R"({"prompt":"told x","stream":true})", origin + "X-Api-Key: ops-key\r\n"));
  CHECK(allowed(client.receive_head()));
}

TEST_CASE_METHOD(guarded_front, "a browser's question is answered") {
  const auto answer = raw_client(port()).ask("OPTIONS /api/v1/chat HTTP/1.1\r\nHost: localhost\r\n"
                                             "Origin: https://app.example\r\n"
                                             "Access-Control-Request-Method: POST\r\n"
                                             "Access-Control-Request-Headers: authorization\r\n\r\n");
  CHECK(answer.status == 204);
  CHECK(answer.headers.at("access-control-allow-origin") == "https://app.example");
  CHECK(answer.headers.at("access-control-allow-methods").find("POST") != std::string::npos);
}

TEST_CASE_METHOD(front_fixture, "without keys a server does not listen beyond loopback") {
  auto options = quick_options();
  options.host = "0.0.0.0";
  const auto outcome = port_of(spawn(options));
  REQUIRE(outcome.has_error());
  CHECK(outcome.error().code == errc::invalid_config);
  options.auth = with_keys().auth;
  CHECK(port_of(spawn(options)).has_value());
}

TEST_CASE_METHOD(token_front, "tokens are good once their keys have come, and wait for them") {
  CHECK(asked.becomes([](int count) { return count == 1; }));
  raw_client first(port());
  raw_client second(port());
  first.send(request(bearer()));
  second.send(request(bearer()) + request(""));
  raw_client other(port());
  CHECK(other.ask(request("")).status == 401);
  may_answer.set_value();
  CHECK(first.receive().status == 200);
  CHECK(second.receive().status == 200);
  CHECK(second.receive().status == 401);
  const auto refused = other.ask(request(bearer("unknown")));
  CHECK(refused.status == 401);
  CHECK(refused.headers.at("www-authenticate") == R"(Bearer realm="troupe", error="invalid_token")");
  CHECK(asked.get() == 1);
}

TEST_CASE_METHOD(token_front, "without their keys no token is good, and it is worth another try") {
  answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
  may_answer.set_value();
  const auto refused = raw_client(port()).ask(request(bearer()));
  CHECK(refused.status == 503);
  CHECK(refused.headers.count("retry-after") == 1);
  CHECK(raw_client(port()).ask(request("")).status == 401);
}

TEST_CASE_METHOD(token_front, "stopping answers those who wait for keys") {
  CHECK(asked.becomes([](int count) { return count == 1; }));
  raw_client client(port());
  client.send(request(bearer()));
  raw_client other(port());
  CHECK(other.ask(request("")).status == 401);
  stop(0ms);
  CHECK(client.receive().status == 503);
  may_answer.set_value();
}

TEST_CASE_METHOD(token_front, "the reactor may go down while keys are fetched and waited for") {
  CHECK(asked.becomes([](int count) { return count == 1; }));
  raw_client client(port());
  client.send(request(bearer()));
  raw_client other(port());
  CHECK(other.ask(request("")).status == 401);
  reactor.reset();
  CHECK(client.closed_by_peer());
  may_answer.set_value();
}

TEST_CASE("who asks is told with each call") {
  io::reactor reactor;
  auto options = with_keys();
  std::promise<result<std::uint16_t>> opened;
  std::promise<void> closed;
  test::watched<std::vector<caller>> callers;
  http::server* answering = nullptr;
  http::server::handlers events;
  events.on_opened = [&](result<std::uint16_t> port) { opened.set_value(std::move(port)); };
  events.on_call = [&](http::request_id id, const http::call&, caller who) {
    callers.change([&](auto& all) { all.push_back(std::move(who)); });
    answering->reply(id, http::succeed({{"ok", true}}));
    return true;
  };
  events.on_closed = [&] { closed.set_value(); };
  key_server tokens;
  tokens.may_answer.set_value();
  options.auth.jwt = config::jwt_options{tokens.server.url(), "me", {"troupe"}};
  {
    http::server server(reactor, options, 15s,
                        std::make_shared<const http::api>(options, std::vector<std::string>{"a"}),
                        metrics::make(), nullptr, events);
    answering = &server;
    raw_client client(test::await(opened).value());
    const auto path = "GET /api/v1/sessions/s HTTP/1.1\r\nHost: localhost\r\n";
    for (const std::string& shown :
         {std::string("X-Api-Key: ops-key\r\n"), std::string("X-Api-Key: app-key\r\n"), bearer("k", "ops")})
      CHECK(client.ask(path + shown + "\r\n").status == 200);
  }
  test::await(closed);
  const auto all = callers.get();
  REQUIRE(all.size() == 3);
  CHECK(all[0].subject == "ops");
  CHECK(all[0].is_operator);
  CHECK(all[1].subject == "app");
  CHECK_FALSE(all[1].is_operator);
  CHECK(all[2].subject == "jwt:ops");
  CHECK_FALSE(all[2].is_operator);
}
