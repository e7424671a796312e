#include "libagent/config/secrets.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace troupe::config;

namespace {

std::map<std::string, std::string> secrets_of(const std::string& text,
                                              std::map<std::string, std::string> variables) {
  const auto loaded = read(text, std::move(variables));
  CHECK(errors_of(loaded).empty());
  REQUIRE(loaded.value);
  std::map<std::string, std::string> all;
  for (const auto& each : collect_secrets(*loaded.value))
    all[each.name()] = each.reveal();
  return all;
}

} // namespace

TEST_CASE("secrets are collected from all places of a file that may have them") {
  const auto all = secrets_of(R"(
models:
  default:
    provider: openai
    model: "${MODEL}"
    api_key: written-key-1
    headers: {Authorization: "Bearer written-token-2", X-Version: 2024-01-01}
    query: {api-version: 2024-02-01-preview, key: written-query-3}
mcpServers:
  s: {command: c, args: ["${ARGUMENT}", "${ARGUMENT}"], env: {TOKEN: written-env-4, MODE: production, FOLDER: /srv/data}}
hooks: [{url: "http://h/", on: [before_run], headers: {X-Hook: written-hook-5}}]
agents: [{name: a, instructions: "${REGION} ${PASSWORD}"}]
)",
                              {{"MODEL", "a-model-6"},
                               {"ARGUMENT", "an-argument-7"},
                               {"REGION", "anywhere"},
                               {"PASSWORD", "swordfish"}});
  CHECK(all == std::map<std::string, std::string>{
                   {"ARGUMENT", "an-argument-7"},
                   {"MODEL", "a-model-6"},
                   {"PASSWORD", "swordfish"},
                   {"models.default.api_key", "written-key-1"},
                   {"models.default.headers.Authorization", "Bearer written-token-2"},
                   {"models.default.headers.Authorization-2", "written-token-2"},
                   {"models.default.query.key", "written-query-3"},
                   {"mcpServers.s.env.TOKEN", "written-env-4"},
                   {"hooks.0.headers.X-Hook", "written-hook-5"},
               });
}

TEST_CASE("what a file also uses as a name is no secret") {
  CHECK(secrets_of("models: {gpt-4.1-mini: {provider: openai, model: \"${MODEL}\"}}\n"
                   "agents: [{name: helper-2, model: gpt-4.1-mini, instructions: \"${WHO}\"}]\n",
                   {{"MODEL", "gpt-4.1-mini"}, {"WHO", "helper-2"}})
            .empty());
}

TEST_CASE("names of secrets can be sealed, and are each another's") {
  const auto all =
      secrets_of("models: {default: {provider: openai, model: m}}\n"
                 "mcpServers: {\"a b\": {command: c, env: {\"K]1\": value-one-1, K/1: value-two-2}}}\n"
                 "agents: [{name: a}]\n",
                 {});
  CHECK(all == std::map<std::string, std::string>{{"mcpServers.a_b.env.K_1", "value-one-1"},
                                                  {"mcpServers.a_b.env.K_1-2", "value-two-2"}});
}

TEST_CASE("plain values are told by their form, unless their name speaks of secrets") {
  const std::pair<std::string, bool> cases[] = {
      {"/var/lib/data", true},
      {"~/data", true},
      {"../x", true},
      {"https://h.example/v1", true},
      {"2024-02-01", true},
      {"10.20.30.40:8080", true},
      {"production", true},
      {"Production", true},
      {"application/json", true},
      {"sk-1234567890", false},
      {"eu-west-1", false},
      {"https://u:p@h.example/", false},
      {"https://h/?key=1", false},
      {"correct horse", false},
      {"aB3dE6gH9", false},
      {"/x y", false},
      {"1234567890123456", false},
      {"abcdefghijklmnopq", false},
  };
  for (const auto& [value, plain] : cases) {
    INFO(value);
    CHECK(is_plain("MODE", value) == plain);
    for (const auto name : {"API_KEY", "x-auth", "DB_PASSWORD", "Cookie", "githubToken"})
      CHECK_FALSE(is_plain(name, value));
  }
}
