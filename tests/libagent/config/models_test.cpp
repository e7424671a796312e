#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

std::string with_model(const std::string& body) {
  return "agents: [{name: a}]\nmodels:\n  default: {provider: openai, " + body + "}\n";
}

} // namespace

TEST_CASE("all keys of an openai model are read") {
  const auto loaded = read(with_model(R"(model: gpt, base_url: "http://127.0.0.1:11434/v1//", api_key: k,
    headers: {api-key: h, X-N: 5}, query: {api-version: 2024-06-01}, image_input: false, max_retries: 0,
    connect_timeout: 1s, timeout: 2s, max_connections: 3, max_queue: 0, max_response_bytes: 5KB)"));
  REQUIRE(errors_of(loaded).empty());
  const auto& model = std::get<endpoint_options>(loaded.value->models[0].provider);
  CHECK(model.wire.model == "gpt");
  CHECK(model.base_url == "http://127.0.0.1:11434/v1");
  CHECK(model.api_key.reveal() == "k");
  REQUIRE(model.headers.size() == 2);
  CHECK(model.headers[0].first == "api-key");
  CHECK(model.headers[0].second.reveal() == "h");
  CHECK(model.headers[1].second.reveal() == "5");
  REQUIRE(model.query.size() == 1);
  CHECK(model.query[0] == std::pair<std::string, std::string>{"api-version", "2024-06-01"});
  CHECK_FALSE(model.wire.image_input);
  CHECK(model.retry.max_retries == 0);
  CHECK(model.connect_timeout == 1s);
  CHECK(model.timeout == 2s);
  CHECK(model.max_connections == 3);
  CHECK(model.max_queue == 0);
  CHECK(model.max_response_bytes == 5000);
}

TEST_CASE("the bounds of an endpoint are read, and their defaults are the documented ones") {
  const auto loaded = read(with_model(R"(model: gpt, max_concurrency: 8, requests_per_minute: 60,
    tokens_per_minute: 100000, max_retries_in_flight: 0, breaker: {failures: 2, cooldown: 1s, max_cooldown: 1m})"));
  REQUIRE(errors_of(loaded).empty());
  const auto& model = std::get<endpoint_options>(loaded.value->models[0].provider);
  CHECK(model.max_concurrency == 8u);
  CHECK(model.requests_per_minute == 60u);
  CHECK(model.tokens_per_minute == 100'000u);
  CHECK(model.max_retries_in_flight == 0);
  CHECK(model.breaker.failures == 2);
  CHECK(model.breaker.cooldown == 1s);
  CHECK(model.breaker.max_cooldown == 1min);

  const auto plain = read(with_model("model: gpt"));
  const auto& without = std::get<endpoint_options>(plain.value->models[0].provider);
  CHECK_FALSE(without.max_concurrency);
  CHECK_FALSE(without.requests_per_minute);
  CHECK_FALSE(without.tokens_per_minute);
  CHECK(without.max_retries_in_flight == 3);
  CHECK(without.breaker.failures == 5);
  CHECK(without.breaker.cooldown == 5s);
  CHECK(without.breaker.max_cooldown == 2min);
}

TEST_CASE("what is wrong with the bounds of an endpoint is told with its place") {
  const auto error = [](const std::string& bounds) { return error_of(with_model("model: m, " + bounds)); };
  CHECK(error("max_concurrency: 0").find("3:") == 0);
  CHECK(error("requests_per_minute: fast").find("3:") == 0);
  CHECK(error("tokens_per_minute: 0").find("3:") == 0);
  CHECK(error("breaker: 5").find("3:") == 0);
  CHECK(error("breaker: {failures: 1, cooldwn: 5s}").find("did you mean 'cooldown'?") != std::string::npos);
  CHECK(error("breaker: {cooldown: 5s, max_cooldown: 1s}").find("is shorter than 'cooldown'") !=
        std::string::npos);
  CHECK(error("max_concurency: 5").find("did you mean 'max_concurrency'?") != std::string::npos);
}

TEST_CASE("an openai model needs no key but a model") {
  const auto loaded = read(with_model("model: llama3.2"));
  REQUIRE(loaded.value);
  CHECK(std::get<endpoint_options>(loaded.value->models[0].provider).api_key.empty());
  CHECK(error_of(with_model("api_key: k")) ==
        "3:3: model 'default' has no 'model'; write model: NAME, as the endpoint calls it");
}

TEST_CASE("the address of an endpoint is checked") {
  const auto error = [](const std::string& url) {
    return error_of(with_model("model: m, base_url: \"" + url + "\""));
  };
  for (const auto good :
       {"https://api.openai.com/v1", "http://localhost", "http://[::1]:8080/v1", "https://h/a/b/"})
    CHECK(error(good).empty());
  CHECK(error("api.openai.com").find("does not begin with http:// or https://") != std::string::npos);
  CHECK(error("ftp://x").find("does not begin with http://") != std::string::npos);
  for (const auto bad : {"http://", "http:///v1", "http://:80", "http://h:", "http://h:0", "http://h:70000",
                         "http://[::1", "http://[]/", "http://[::1]x"}) {
    INFO(bad);
    CHECK(error(bad).find("has no valid host and port") != std::string::npos);
  }
  CHECK(error("https://h/v1?x=1").find("write parameters under 'query'") != std::string::npos);
  CHECK(error("https://h/a b").find("holds a blank") != std::string::npos);
  CHECK(error("https://h/v1/chat/completions").find("leave that off") != std::string::npos);
}

TEST_CASE("headers that would break the request are refused") {
  CHECK(error_of(with_model("model: m, headers: {\"a b\": c}")).find("is not the name of a header") !=
        std::string::npos);
  CHECK(error_of(with_model("model: m, headers: {Host: c}")).find("is set by Troupe itself") !=
        std::string::npos);
  CHECK(error_of(with_model("model: m, headers: {a: 1, A: 2}")).find("in another case") != std::string::npos);
  CHECK(error_of(with_model("model: m, headers: {a: \"b\\nc\"}")).find("holds a line break") !=
        std::string::npos);
  CHECK(error_of(with_model("model: m, api_key: \"k\\n\"")).find("holds a line break") != std::string::npos);
}

TEST_CASE("a wrong provider does not hide what else is wrong with the model") {
  CHECK(error_of("agents: [{name: a}]\nmodels:\n  default: {provider: opnai, modl: m}\n")
            .find("3:23: 'provider' in model 'default' is 'opnai'; did you mean 'openai'?") == 0);
  CHECK(errors_of("agents: [{name: a}]\nmodels:\n  default: {base_url: x, model: m, tmeout: 1}\n") ==
        std::vector<std::string>{
            "3:3: model 'default' has no 'provider'; write provider: openai, anthropic, scripted or replay",
            "3:23: 'base_url' in model 'default' does not begin with http:// or https://; write the whole "
            "address, "
            "such as https://api.openai.com/v1",
            "3:36: unknown key 'tmeout' in model 'default'; did you mean 'timeout'?"});
}

TEST_CASE("models are a map of maps") {
  CHECK(error_of("agents: [{name: a}]\nmodels: [m]\n") ==
        "2:9: 'models' in the agent file is a list; it has to be a map from names to models");
  CHECK(error_of("agents: [{name: a}]\nmodels: {default: gpt}\n") ==
        "2:19: model 'default' is a text; it has to be a map of keys and values");
}

TEST_CASE(
    "the token limit has the newer name for OpenAI and Azure, the older one elsewhere, or the one given") {
  const auto field_of = [](const std::string& more) {
    const auto loaded = read(with_model("model: m" + more));
    REQUIRE(loaded.value);
    return std::get<endpoint_options>(loaded.value->models[0].provider).wire.max_tokens_field;
  };
  CHECK(field_of("") == "max_completion_tokens");
  CHECK(field_of(", base_url: \"https://x.openai.azure.com/openai/deployments/d\"") ==
        "max_completion_tokens");
  CHECK(field_of(", base_url: \"http://127.0.0.1:11434/v1\"") == "max_tokens");
  CHECK(field_of(", max_tokens_field: max_tokens") == "max_tokens");
}
