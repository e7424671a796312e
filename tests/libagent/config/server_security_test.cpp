#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

const std::string digits(64, 'a');
const std::string hash = "sha256:" + digits;

std::string in_server(const std::string& text) {
  return minimal + "server: {" + text + "}\n";
}

load_result read_server_with(const std::string& text) {
  return read(in_server(text), {{"SECRET", "trp_secret"}});
}

/// What is wrong with the value, without its place.
std::string error(const std::string& text) {
  const auto all = error_of(in_server(text), {{"SECRET", "trp_secret"}});
  return all.empty() ? all : all.substr(all.find(": ") + 2);
}

std::string key(const std::string& more) {
  return "auth: {keys: [{name: ops, hash: '" + hash + "'" + more + "}]}";
}

std::string jwt(const std::string& more) {
  return "auth: {jwt: {jwks: keys.json, issuer: me, audience: troupe" + more + "}}";
}

} // namespace

TEST_CASE("a server is open, on loopback and without TLS, unless the file says else") {
  const auto loaded = read(minimal);
  REQUIRE(loaded.value);
  const auto& server = loaded.value->server;
  CHECK_FALSE(server.auth.is_required());
  CHECK_FALSE(server.tls);
  CHECK(server.allowed_hosts.empty());
  CHECK(server.cors.origins.empty());
  CHECK_FALSE(server.insecure);
}

TEST_CASE("a key has a name, a hash, a role and bounds") {
  const auto loaded =
      read_server_with(key(", role: operator, agents: [a], requests_per_minute: 60, budget: {turns: 3}"));
  REQUIRE(errors_of(loaded).empty());
  REQUIRE(loaded.value->server.auth.keys.size() == 1);
  const auto& made = loaded.value->server.auth.keys[0];
  CHECK(made.name == "ops");
  CHECK(made.hash == digits);
  CHECK(made.is_operator);
  CHECK(made.agents == std::vector<std::string>{"a"});
  CHECK(made.requests_per_minute == 60u);
  CHECK(made.spending.turns == 3u);
  CHECK(loaded.value->server.auth.is_required());
  const auto plain = read_server_with(key(""));
  CHECK_FALSE(plain.value->server.auth.keys[0].is_operator);
  CHECK_FALSE(plain.value->server.auth.keys[0].agents);
}

TEST_CASE("what is wrong with a key is told, and never what may be the key itself") {
  const auto no_hash =
      "'hash' in key 1 is no hash of a key; it has to be sha256: and 64 hexadecimal digits, as "
      "`troupe key new` prints them";
  for (const std::string& wrong : {std::string("trp_abcdef"), digits, "sha256:" + digits + "a",
                                   "sha256:" + std::string(64, 'A'), std::string("sha256:${SECRET}")})
    CHECK(error("auth: {keys: [{name: ops, hash: '" + wrong + "'}]}") == no_hash);
  for (const std::string& wrong : {std::string("'jwt:ada'"), std::string("a b"), std::string(65, 'x')})
    CHECK(error("auth: {keys: [{name: " + wrong + ", hash: '" + hash + "'}]}") ==
          "'name' in key 1 is no name of a key; it has to be 1 to 64 letters, digits, '_', '-' and '.'");
  CHECK(error("auth: {keys: [{hash: '" + hash + "'}]}").find("name: ops") != std::string::npos);
  CHECK(error("auth: {keys: [{name: ops}]}").find("`troupe key new`") != std::string::npos);
  CHECK(error(key(", role: root")) == "'role' in key 1 is 'root'; known words are 'user', 'operator'");
  CHECK(error(key(", agents: []")) == "'agents' in key 1 is an empty list; leave it off for all agents");
  CHECK(error(key(", agents: [b]")).find("key 'ops' is for agent 'b', which does not exist") == 0);
  CHECK(error("auth: {keys: [{name: a b, agents: [b], hash: '" + hash + "'}]}")
            .find("key 1 is for agent 'b', which does not exist") != std::string::npos);
  CHECK(error(key(", requests_per_minute: 0")).find("a whole number from 1 to") != std::string::npos);
  CHECK(error(key(", agent: a")).find("did you mean 'agents'?") != std::string::npos);
}

TEST_CASE("two keys have neither name nor hash in common") {
  const auto two = [](const std::string& second) {
    return error("auth: {keys: [{name: ops, hash: '" + hash + "'}, {" + second + "}]}");
  };
  CHECK(two("name: app, hash: 'sha256:" + std::string(64, 'b') + "'").empty());
  CHECK(two("name: ops, hash: 'sha256:" + std::string(64, 'b') + "'") ==
        "two keys have the name of this one; give each its own");
  CHECK(two("name: app, hash: '" + hash + "'") ==
        "two keys have the hash of this one; make a key for each by `troupe key new`");
}

TEST_CASE("an auth block that guards nothing is an error") {
  CHECK(error("auth: {}") ==
        "auth has neither keys nor jwt, which would leave the server open; leave it off or add one");
  CHECK(error("auth: {keys: []}") ==
        "'keys' in auth is an empty list, which would leave the server open; leave it off or add a key");
  CHECK(error("auth: true") == "auth is a boolean; it has to be a map of keys and values");
}

TEST_CASE("tokens have an issuer, an audience and keys") {
  const auto loaded = read_server_with("auth: {jwt: {jwks: 'https://id.example/keys?v=1', issuer: "
                                       "'https://id.example', audience: [troupe, other], "
                                       "leeway: 5s, roles_claim: groups, operator_role: ops}}");
  REQUIRE(errors_of(loaded).empty());
  const auto& rules = *loaded.value->server.auth.jwt;
  CHECK(rules.jwks == "https://id.example/keys?v=1");
  CHECK(rules.issuer == "https://id.example");
  CHECK(rules.audience == std::vector<std::string>{"troupe", "other"});
  CHECK(rules.leeway == 5s);
  CHECK(rules.roles_claim == "groups");
  CHECK(rules.operator_role == "ops");
  const auto short_form = read_server_with(jwt(""));
  REQUIRE(errors_of(short_form).empty());
  CHECK(short_form.value->server.auth.jwt->jwks == "/etc/troupe/keys.json");
  CHECK(short_form.value->server.auth.jwt->audience == std::vector<std::string>{"troupe"});
  CHECK(short_form.value->server.auth.jwt->leeway == 60s);
  CHECK(short_form.value->server.auth.jwt->operator_role.empty());
}

TEST_CASE("tokens need all that they are checked by") {
  CHECK(error("auth: {jwt: {issuer: me, audience: troupe}}").find("jwks: https://id.example/jwks.json") !=
        std::string::npos);
  CHECK(error("auth: {jwt: {jwks: k, audience: troupe}}").find("issuer: https://id.example") !=
        std::string::npos);
  CHECK(error("auth: {jwt: {jwks: k, issuer: me}}").find("audience: troupe") != std::string::npos);
  CHECK(error("auth: {jwt: {jwks: k, issuer: me, audience: []}}") ==
        "'audience' in jwt is an empty list; name who tokens have to be for");
  CHECK(error(jwt(", leeway: 11m")) == "'leeway' in jwt is too long, since tokens stay good for so much "
                                       "longer; it has to be a time up to 10m");
}

TEST_CASE("keys of tokens are fetched by https, or from this machine") {
  const auto from = [](const std::string& url) {
    return error("auth: {jwt: {jwks: '" + url + "', issuer: me, audience: troupe}}");
  };
  for (const char* good :
       {"https://id.example/k", "http://127.0.0.1:9000/k", "http://localhost/k", "http://[::1]/k"})
    CHECK(from(good).empty());
  for (const char* bad : {"http://id.example/k", "http://127.0.0.1.example/k", "http://localhost.example"})
    CHECK(from(bad) ==
          "'jwks' in jwt is fetched without encryption, so that others could put their keys in its "
          "place; use https://");
  CHECK(from("https://u:p@id.example/k").find("holds a user name or password") != std::string::npos);
}

TEST_CASE("TLS needs a certificate and its key, relative to the file") {
  const auto loaded = read_server_with("tls: {certificate: c.pem, key: /k.pem}");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->server.tls->certificate == "/etc/troupe/c.pem");
  CHECK(loaded.value->server.tls->key == "/k.pem");
  CHECK(error("tls: {certificate: c.pem}").find("key: server.key") != std::string::npos);
  CHECK(error("tls: {key: k.pem}").find("certificate: server.pem") != std::string::npos);
}

TEST_CASE("files of the server that cannot be read are told with their places when the file is loaded") {
  auto pattern = (std::filesystem::temp_directory_path() / "troupe-security-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  std::ofstream{folder / "there.pem"} << "x";
  std::ofstream{folder / "a.yaml"} << minimal + "server:\n  tls: {certificate: there.pem, key: none.pem}\n" +
                                          "  auth: {jwt: {jwks: ., issuer: me, audience: troupe}}\n";
  const auto loaded = load(folder / "a.yaml");
  const auto errors = errors_of(loaded);
  const auto path = folder.string();
  std::filesystem::remove_all(folder);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0] == "4:38: 'key' in tls names a file that cannot be read (" + path +
                         "/none.pem): No such file or directory; name one that can");
  CHECK(errors[1].starts_with("5:22: 'jwks' in jwt names a file that cannot be read (" + path));
  CHECK(errors[1].ends_with("it is a folder; name one that can"));
}

TEST_CASE("hosts are names without scheme and port") {
  const auto loaded = read_server_with("allowed_hosts: [Agents.Example, 10.0.0.1, '[2001:DB8::1]']");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->server.allowed_hosts ==
        std::vector<std::string>{"agents.example", "10.0.0.1", "2001:db8::1"});
  for (const char* bad :
       {"'https://a.example'", "a.example:80", "'*.example'", "'a b'", "'*'", "2001:db8::1"})
    CHECK(error(std::string("allowed_hosts: [") + bad + "]") ==
          "entry 1 of 'allowed_hosts' in server is no name of a host; write one such as agents.example, "
          "without "
          "scheme and port");
}

TEST_CASE("origins are as browsers send them") {
  const auto loaded =
      read_server_with("cors: {origins: ['https://a.example', 'http://b.example:8080'], credentials: true}");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->server.cors.origins ==
        std::vector<std::string>{"https://a.example", "http://b.example:8080"});
  CHECK(loaded.value->server.cors.credentials);
  for (const char* bad : {"https://a.example/", "https://A.example", "https://a.example:443",
                          "http://a.example:80", "https://a.example/x"})
    CHECK(error(std::string("cors: {origins: ['") + bad + "']}").find("is no origin as browsers send it") !=
          std::string::npos);
  CHECK(error("cors: {origins: ['null']}").find("begin with http:// or https://") != std::string::npos);
}

TEST_CASE("all origins may ask, but not with what the browser keeps") {
  CHECK(error("cors: {origins: ['*']}").empty());
  CHECK(error("cors: {origins: ['*'], credentials: false}").empty());
  for (const char* order : {"cors: {origins: ['https://a.example', '*'], credentials: true}",
                            "cors: {credentials: true, origins: ['*']}"})
    CHECK(error(order) ==
          "'credentials' in cors stands beside the origin '*', so that any page could act for whoever "
          "visits it; name the origins");
}
