#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

using wire_format = endpoint_options::wire_format;

/// The model stands in line 3 and is called 'default'; others may follow.
std::string with_model(const std::string& body) {
  return "agents: [{name: a}]\nmodels:\n  default: {" + body + "}\n";
}

model_options model_of(const std::string& body) {
  const auto loaded = read(with_model(body));
  INFO(body);
  REQUIRE(errors_of(loaded).empty());
  return loaded.value->models[0];
}

endpoint_options endpoint_of(const std::string& body) {
  return std::get<endpoint_options>(model_of(body).provider);
}

void check_mistakes(const std::vector<mistake>& mistakes) {
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_model(written)) == message);
  }
}

} // namespace

TEST_CASE("an openai model speaks Chat Completions, or Responses if it says so") {
  CHECK(endpoint_of("provider: openai, model: m").format == wire_format::chat_completions);
  CHECK(endpoint_of("provider: openai, model: m, api: chat_completions").format ==
        wire_format::chat_completions);
  CHECK(endpoint_of("provider: openai, model: m, api: responses").format == wire_format::responses);
  check_mistakes({
      {"provider: openai, model: m, api: response",
       "3:46: 'api' in model 'default' is 'response'; did you mean 'responses'?"},
      {"provider: openai, model: m, api: responses, max_tokens_field: max_tokens",
       "3:57: 'max_tokens_field' in model 'default' is for api: chat_completions; remove it"},
      {"provider: openai, model: m, base_url: \"https://h/v1/responses\"",
       "3:51: 'base_url' in model 'default' ends in /responses, which is added to it; leave that off"},
  });
}

TEST_CASE("all keys of an anthropic model are read") {
  const auto model = endpoint_of("provider: anthropic, model: claude, base_url: \"http://127.0.0.1:8080/\", "
                                 "api_key: k, headers: {anthropic-beta: b}, query: {q: 1}, max_tokens: 9, "
                                 "image_input: false, max_retries: 1, timeout: 3s");
  CHECK(model.format == wire_format::anthropic);
  CHECK(model.wire.model == "claude");
  CHECK(model.base_url == "http://127.0.0.1:8080");
  CHECK(model.api_key.reveal() == "k");
  REQUIRE(model.headers.size() == 1);
  CHECK(model.headers[0].first == "anthropic-beta");
  CHECK(model.query.size() == 1);
  CHECK(model.max_tokens == 9);
  CHECK_FALSE(model.wire.image_input);
  CHECK(model.retry.max_retries == 1);
  CHECK(model.timeout == 3s);
}

TEST_CASE("an anthropic model's defaults are the documented ones") {
  const auto model = endpoint_of("provider: anthropic, model: claude");
  CHECK(model.base_url == "https://api.anthropic.com");
  CHECK(model.max_tokens == 4096);
}

TEST_CASE("what is wrong with an anthropic model is told") {
  check_mistakes({
      {"provider: anthropic",
       "3:3: model 'default' has no 'model'; write model: NAME, as the endpoint calls it"},
      {"provider: anthropc, model: m", "3:23: 'provider' in model 'default' is 'anthropc'; did you mean "
                                       "'anthropic'?"},
      {"provider: anthropic, model: m, api: responses",
       "3:44: 'api' in model 'default' is for provider: openai; remove it"},
      {"provider: anthropic, model: m, max_tokens_field: max_tokens",
       "3:44: 'max_tokens_field' in model 'default' is for provider: openai; remove it"},
      {"provider: anthropic, model: m, max_tokens: 0",
       "3:56: 'max_tokens' in model 'default' is 0; it has to be a whole number from 1 to 1000000000"},
      {"provider: anthropic, model: m, base_url: \"https://api.anthropic.com/v1/\"",
       "3:54: 'base_url' in model 'default' ends in /v1, which is added to it; leave that off"},
      {"provider: anthropic, model: m, base_url: h",
       "3:54: 'base_url' in model 'default' does not begin with http:// or https://; write the whole "
       "address, such "
       "as https://api.anthropic.com"},
  });
}

TEST_CASE("a replay model has a cassette, relative to the file") {
  CHECK(std::get<replay_options>(model_of("provider: replay, cassette: tapes/a.jsonl").provider).cassette ==
        "/etc/troupe/tapes/a.jsonl");
  check_mistakes({
      {"provider: replay",
       "3:3: model 'default' has no 'cassette'; write cassette: PATH, a file that 'record' wrote"},
      {"provider: replay, cassette: a, record: b",
       "3:44: 'record' in model 'default' is for models that are really asked; remove it"},
      {"provider: replay, cassette: a, model: m",
       "3:44: unknown key 'model' in model 'default'; known keys are 'provider', 'cassette', 'record', "
       "'fallbacks', 'price'"},
  });
}

TEST_CASE("exchanges of any model can be recorded") {
  CHECK(model_of("provider: openai, model: m, record: a.jsonl").record == "/etc/troupe/a.jsonl");
  CHECK(model_of("provider: scripted, rules: [{say: x}], record: /a.jsonl").record == "/a.jsonl");
  CHECK(model_of("provider: openai, model: m").record.empty());
}

TEST_CASE("a model has a price, or costs nothing") {
  CHECK(model_of("provider: openai, model: m, price: {input: 1.25, cached_input: 0.125, output: 10}").rate ==
        price{1.25, 0.125, 10});
  CHECK(model_of("provider: openai, model: m, price: {input: 0, output: 0}").rate ==
        price{0, std::nullopt, 0});
  CHECK_FALSE(model_of("provider: openai, model: m").rate);
  check_mistakes({
      {"provider: openai, model: m, price: {input: 1}",
       "3:41: 'price' in model 'default' has no 'output'; write output: MONEY, for a million tokens"},
      {"provider: openai, model: m, price: {input: -1, output: 1}",
       "3:56: 'input' in 'price' in model 'default' is -1; it has to be a number from 0 to 1000000000"},
      {"provider: openai, model: m, price: {input: 1, output: 1, cached: 1}",
       "3:70: unknown key 'cached' in 'price' in model 'default'; known keys are 'input', 'cached_input', "
       "'output'"},
      {"provider: openai, model: m, price: 5",
       "3:48: 'price' in model 'default' is a number; it has to be a map of keys and values"},
  });
}

TEST_CASE("fallbacks are other models, and lead to an end") {
  const std::string others = "}\n  one: {provider: openai, model: m, fallbacks: [two]}\n  two: {provider: "
                             "openai, model: m";
  const std::string self = "provider: openai, model: m, fallbacks: ";
  CHECK(model_of(self + "[one, two]" + others).fallbacks == std::vector<std::string>{"one", "two"});
  check_mistakes({
      {self + "[default]", "3:53: model 'default' falls back to itself; name another model"},
      {self + "[tow]" + others,
       "3:53: model 'default' falls back to 'tow', which does not exist; did you mean 'two'?"},
      {self + "[two, two]" + others,
       "3:58: entry 2 of 'fallbacks' in model 'default' names 'two' again; name it once"},
      {self + "two" + others,
       "3:52: 'fallbacks' in model 'default' is a text; it has to be a list, such as [one, "
       "another]"},
      {self + "[one]" + others + ", fallbacks: [default]",
       "5:49: the fallbacks of models 'default', 'one', 'two' lead in a circle; take one of them out"},
  });
}

TEST_CASE("a model without a provider is read by its other keys") {
  CHECK(errors_of(with_model("cassette: a, fallbaks: [b]")) ==
        std::vector<std::string>{
            "3:3: model 'default' has no 'provider'; write provider: openai, anthropic, scripted or replay",
            "3:26: unknown key 'fallbaks' in model 'default'; did you mean 'fallbacks'?"});
}
