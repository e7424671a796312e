#include "actors/http/door.hpp"

#include "actors/http/binding.hpp"
#include "actors/http/routes.hpp"
#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using namespace troupe::http;
using namespace std::chrono_literals;

namespace {

const door::times noon{std::chrono::system_clock::time_point(1'000'000'000s),
                       std::chrono::steady_clock::time_point(1h)};

config::server_options open_server() {
  return {};
}

config::server_options guarded_server() {
  config::server_options options;
  options.auth.keys = {{"ops", auth::hash_of_key("ops-key"), true}, {"app", auth::hash_of_key("app-key")}};
  options.auth.keys[1].requests_per_minute = 2;
  return options;
}

single_header header(std::string_view value) {
  return {value, 1};
}

visitor asks(std::string_view target, std::string_view method = "GET") {
  visitor from{method, target};
  from.host = header("localhost:8000");
  return from;
}

visitor shows(std::string_view key, std::string_view target) {
  auto from = asks(target);
  from.api_key = header(key);
  return from;
}

/// The status of a refusal; 0 if it is let in.
unsigned status_of(door& at, const visitor& from) {
  const auto entered = at.admit(from, nullptr, noon);
  const auto* refusal = std::get_if<answer>(&entered);
  return refusal == nullptr ? 0 : refusal->status;
}

unsigned status_of(const config::server_options& options, const visitor& from) {
  door made(options);
  return status_of(made, from);
}

/// The same for a request whose body has not come.
unsigned status_before_body(door& at, const visitor& from) {
  const auto seen = at.look(from, nullptr, noon);
  const auto* refusal = std::get_if<answer>(&seen);
  return refusal == nullptr ? 0 : refusal->status;
}

answer refusal_of(door& at, const visitor& from) {
  return std::get<answer>(at.admit(from, nullptr, noon));
}

std::string value_of(const header_lines& headers, std::string_view name) {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& each) { return each.first == name; });
  return found == headers.end() ? "" : found->second;
}

visitor from_host(std::string_view host) {
  auto from = asks("/health");
  from.host = header(host);
  return from;
}

visitor from_page(std::string_view origin, std::string_view host = "localhost:8000") {
  auto from = from_host(host);
  from.origin = header(origin);
  return from;
}

} // namespace

TEST_CASE("on loopback, only names of this machine and those that are allowed are answered") {
  auto options = open_server();
  options.host = "127.0.0.5";
  options.allowed_hosts = {"agents.example"};
  for (const char* ours : {"localhost", "localhost:8000", "LOCALHOST.", "agents.localhost", "127.0.0.1:9",
                           "127.0.0.5", "[::1]:8000", "agents.example", "Agents.Example:8443"}) {
    CAPTURE(ours);
    CHECK(status_of(options, from_host(ours)) == 0);
  }
  for (const char* other : {"evil.example", "evil.example:8000", "agents.example.evil", "xagents.example",
                            "localhost.evil.example", "10.0.0.1", "0.0.0.0", "[::2]"}) {
    CAPTURE(other);
    CHECK(status_of(options, from_host(other)) == 421);
  }
  for (const char* broken :
       {"", "a b", "local/host", "user@localhost", "localhost:x", "localhost,evil.example"}) {
    CAPTURE(broken);
    CHECK(status_of(options, from_host(broken)) == 400);
  }
}

TEST_CASE("elsewhere any name is answered, unless names are given") {
  auto options = guarded_server();
  options.host = "0.0.0.0";
  CHECK(status_of(options, from_host("whatever.example")) == 0);
  options.allowed_hosts = {"agents.example"};
  CHECK(status_of(options, from_host("agents.example")) == 0);
  CHECK(status_of(options, from_host("whatever.example")) == 421);
}

TEST_CASE("a request names its host once, by HTTP/1.1 at least") {
  auto without = asks("/health");
  without.host = {};
  CHECK(status_of(open_server(), without) == 400);
  without.may_lack_host = true;
  CHECK(status_of(open_server(), without) == 0);
  auto twice = asks("/health");
  twice.host.count = 2;
  CHECK(status_of(open_server(), twice) == 400);
}

TEST_CASE("the host of an absolute target counts too") {
  CHECK(status_of(open_server(), asks("http://localhost/health")) == 0);
  CHECK(status_of(open_server(), asks("http://evil.example/health")) == 421);
  CHECK(status_of(open_server(), asks("https://evil.example/health")) == 421);
  CHECK(status_of(open_server(), asks("http:///health")) == 400);
  CHECK(status_of(open_server(), asks("http://localhost@evil.example/health")) == 400);
}

TEST_CASE("who is refused for the host learns what to do, and no more of a name than fits") {
  door made(open_server());
  const auto body = refusal_of(made, from_host("evil.example")).body;
  CHECK(body.find("allowed_hosts") != std::string::npos);
  CHECK(body.find("evil.example") != std::string::npos);
  CHECK(refusal_of(made, from_host(std::string(10'000, 'x'))).body.size() < 1000);
}

TEST_CASE("pages of other origins may not ask unless they are listed") {
  auto options = open_server();
  options.allowed_hosts = {"agents.example"};
  CHECK(status_of(options, from_page("http://localhost:8000")) == 0);
  CHECK(status_of(options, from_page("https://agents.example", "agents.example")) == 0);
  CHECK(status_of(options, from_page("https://agents.example", "agents.example:443")) == 0);
  for (const char* other : {"https://evil.example", "http://localhost:3000", "http://127.0.0.1:8000", "null",
                            "", "file://", "http://localhost:8000.evil.example", "http://localhost:8000/x"}) {
    CAPTURE(other);
    CHECK(status_of(options, from_page(other)) == 403);
  }
  options.cors.origins = {"https://app.example"};
  CHECK(status_of(options, from_page("https://app.example")) == 0);
  CHECK(status_of(options, from_page("http://app.example")) == 403);
  CHECK(status_of(options, from_page("https://app.example.evil")) == 403);
  auto twice = from_page("https://app.example");
  twice.origin.count = 2;
  CHECK(status_of(options, twice) == 400);
}

TEST_CASE("a browser is told that the page may read the answer, and caches that it depends") {
  auto options = open_server();
  options.cors.origins = {"https://app.example"};
  const auto listed = door(options).cors_headers(from_page("https://app.example"));
  CHECK(value_of(listed, "Access-Control-Allow-Origin") == "https://app.example");
  CHECK(value_of(listed, "Access-Control-Allow-Credentials").empty());
  CHECK(value_of(listed, "Vary") == "Origin");
  const auto other = door(options).cors_headers(from_page("https://evil.example"));
  CHECK(value_of(other, "Access-Control-Allow-Origin").empty());
  CHECK(value_of(other, "Vary") == "Origin");
  options.cors.credentials = true;
  CHECK(value_of(door(options).cors_headers(from_page("https://app.example")),
                 "Access-Control-Allow-Credentials") == "true");
  CHECK(door(open_server()).cors_headers(from_page("https://app.example")).empty());
}

TEST_CASE("any origin never comes with credentials, even where code asks for both") {
  auto options = open_server();
  options.cors = {{"*"}, true};
  const auto headers = door(options).cors_headers(from_page("https://any.example"));
  CHECK(value_of(headers, "Access-Control-Allow-Origin") == "*");
  CHECK(value_of(headers, "Access-Control-Allow-Credentials").empty());
}

TEST_CASE("a browser's question is answered without credentials, for listed origins only") {
  auto options = guarded_server();
  options.cors.origins = {"https://app.example"};
  door made(options);
  auto question = from_page("https://app.example");
  question.method = "OPTIONS";
  question.target = "/api/v1/chat";
  question.asked_method = header("POST");
  const auto granted = refusal_of(made, question);
  CHECK(granted.status == 204);
  CHECK(value_of(granted.headers, "Access-Control-Allow-Methods").find("POST") != std::string::npos);
  CHECK(value_of(granted.headers, "Access-Control-Allow-Headers").find("Authorization") != std::string::npos);
  question.target = "/nothing";
  CHECK(refusal_of(made, question).status == 401);
  question.target = "/api/v1/chat";
  question.origin = header("https://evil.example");
  CHECK(refusal_of(made, question).status == 403);
  question.origin = {};
  CHECK(refusal_of(made, question).status == 401);
}

TEST_CASE("once there is a key, nothing but /health is answered without one") {
  door made(guarded_server());
  CHECK(status_of(made, asks("/health")) == 0);
  CHECK(status_of(made, asks("/health", "HEAD")) == 0);
  for (const auto& each : routes())
    if (each.what != endpoint::health) {
      CAPTURE(each.path);
      CHECK(status_of(made, asks(each.path, each.method)) == 401);
    }
  for (const char* other : {"/", "/nothing", "/health/", "/healthx", "//health", "/api/v1/../../health", "*"})
    CHECK(status_of(made, asks(other)) == 401);
  CHECK(status_of(made, asks("/health", "POST")) == 401);
  CHECK(status_of(made, asks("*", "OPTIONS")) == 401);
}

TEST_CASE("who is not known is told how to say who they are") {
  door made(guarded_server());
  const auto nothing = refusal_of(made, asks("/api/v1/agents"));
  CHECK(value_of(nothing.headers, "WWW-Authenticate") == R"(Bearer realm="troupe")");
  CHECK(json::parse(nothing.body).at("detail").at("code") == "unauthenticated");
  const auto wrong = refusal_of(made, shows("x", "/api/v1/agents"));
  CHECK(wrong.status == 401);
  CHECK(value_of(wrong.headers, "WWW-Authenticate") == R"(Bearer realm="troupe", error="invalid_token")");
  CHECK(wrong.body.find("app") == std::string::npos);
}

TEST_CASE("credentials are given once") {
  door made(guarded_server());
  auto twice = shows("ops-key", "/api/v1/agents");
  twice.api_key.count = 2;
  CHECK(status_of(made, twice) == 400);
  auto bearers = asks("/api/v1/agents");
  bearers.authorization = {"Bearer ops-key", 2};
  CHECK(status_of(made, bearers) == 400);
}

TEST_CASE("routes are for users or for operators") {
  door made(guarded_server());
  CHECK(status_of(made, shows("ops-key", "/api/v1/mcp")) == 0);
  CHECK(status_of(made, shows("ops-key", "/metrics")) == 0);
  CHECK(status_of(made, shows("ops-key", "/api/v1/agents")) == 0);
  CHECK(status_of(made, shows("app-key", "/api/v1/agents")) == 0);
  const auto refused = refusal_of(made, shows("app-key", "/api/v1/mcp"));
  CHECK(refused.status == 403);
  CHECK(json::parse(refused.body).at("detail").at("code") == "forbidden");
  // A door of its own, since the key may only ask twice.
  door other(guarded_server());
  CHECK(status_of(other, shows("app-key", "/metrics")) == 403);
  CHECK(status_of(open_server(), asks("/api/v1/mcp")) == 0);
}

TEST_CASE("a key that asks too often is told when to come back") {
  door made(guarded_server());
  CHECK(status_of(made, shows("app-key", "/api/v1/agents")) == 0);
  CHECK(status_of(made, shows("app-key", "/api/v1/agents")) == 0);
  const auto refused = refusal_of(made, shows("app-key", "/api/v1/agents"));
  CHECK(refused.status == 429);
  CHECK(value_of(refused.headers, "Retry-After") == "30");
  CHECK(std::count_if(refused.headers.begin(), refused.headers.end(),
                      [](const auto& each) { return each.first == "Retry-After"; }) == 1);
  CHECK(json::parse(refused.body).at("detail").at("code") == "rate_limited");
  CHECK(status_of(made, shows("ops-key", "/api/v1/agents")) == 0);
  CHECK(status_of(made, asks("/health")) == 0);
}

TEST_CASE("a token waits for keys, and is refused for good where none come") {
  auto options = open_server();
  options.auth.jwt = config::jwt_options{"https://id.example/k", "me", {"troupe"}};
  door made(options);
  auto from = asks("/api/v1/agents");
  from.authorization = header("Bearer a.b.c");
  CHECK(std::holds_alternative<auth::keys_wanted>(made.admit(from, nullptr, noon)));
  CHECK(door::refuse_token(true).status == 401);
  CHECK(door::refuse_token(false).status == 503);
  CHECK(value_of(door::refuse_token(false).headers, "Retry-After") == "1");
}

TEST_CASE("a server listens beyond loopback only if it is guarded, or told that anybody may ask") {
  auto options = open_server();
  for (const char* near : {"127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost"}) {
    options.host = near;
    CHECK(may_listen(options).has_value());
    CHECK(warning_of(options).empty());
  }
  for (const char* far : {"0.0.0.0", "::", "[::]", "192.168.1.2", "::ffff:10.0.0.1"}) {
    CAPTURE(far);
    options = open_server();
    options.host = far;
    REQUIRE(may_listen(options).has_error());
    CHECK(may_listen(options).error().detail.find("troupe key new") != std::string::npos);
    CHECK(may_listen(options).error().detail.find("--insecure") != std::string::npos);
    options.insecure = true;
    CHECK(may_listen(options).has_value());
    CHECK(warning_of(options).find("anybody") != std::string::npos);
    options = guarded_server();
    options.host = far;
    CHECK(may_listen(options).has_value());
    CHECK(warning_of(options).find("without TLS") != std::string::npos);
    options.tls = config::tls_options{"c", "k"};
    CHECK(warning_of(options).empty());
  }
}

TEST_CASE("a body is wanted of who may come in, and looking counts for no rate") {
  door guarded(guarded_server());
  for (int i = 0; i < 3; ++i)
    CHECK(status_before_body(guarded, shows("app-key", "/api/v1/chat")) == 0);
  CHECK(status_of(guarded, shows("app-key", "/api/v1/chat")) == 0);
  CHECK(status_of(guarded, shows("app-key", "/api/v1/chat")) == 0);
  CHECK(status_of(guarded, shows("app-key", "/api/v1/chat")) == 429);
  CHECK(status_before_body(guarded, asks("/api/v1/chat")) == 401);
  CHECK(status_before_body(guarded, asks("/health")) == 413);
  auto evil = shows("app-key", "/api/v1/chat");
  evil.host = header("evil.example");
  CHECK(status_before_body(guarded, evil) == 421);
  door open(open_server());
  CHECK(status_before_body(open, asks("/api/v1/chat")) == 0);
  CHECK(status_before_body(open, asks("/health")) == 0);
}
