#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/headers.hpp"
#include "libagent/config/http_url.hpp"
#include "libagent/config/values.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

constexpr milliseconds some_time{1};

using wire_format = endpoint_options::wire_format;

url_rules rules_of(wire_format format) {
  if (format == wire_format::anthropic)
    return {defaults::anthropic_base_url, {"/v1/messages", "/v1"}};
  return {defaults::base_url, {"/chat/completions", "/responses"}};
}

void read_base_url(map_reader& model, endpoint_options& into) {
  if (!model.set("base_url", into.base_url, read_name))
    return;
  if (const auto problem = problem_of_url(into.base_url, rules_of(into.format)); !problem.empty())
    model.find("base_url")->fail(problem);
  into.base_url.erase(into.base_url.find_last_not_of('/') + 1);
}

/// OpenAI's reasoning models take only the newer name; most other endpoints know only the older one.
void read_max_tokens_field(map_reader& model, endpoint_options& into) {
  if (into.format != wire_format::chat_completions)
    return model.refuse("max_tokens_field", "is for api: chat_completions; remove it");
  const std::vector<std::string> names = {"max_tokens", "max_completion_tokens"};
  const bool is_openai = into.base_url.starts_with("https://api.openai.com") ||
                         into.base_url.find(".openai.azure.com") != std::string::npos;
  std::optional<std::size_t> written;
  model.set("max_tokens_field", written, read_word, names);
  into.wire.max_tokens_field = names[written.value_or(is_openai ? 1 : 0)];
}

std::optional<breaker_options> read_breaker(const field& from) {
  auto into =
      breaker_options{defaults::breaker_failures, defaults::breaker_cooldown, defaults::breaker_max_cooldown};
  auto breaker = map_reader{from, from.what};
  breaker.set("failures", into.failures, read_count, 0, defaults::largest_count);
  breaker.set("cooldown", into.cooldown, read_duration, some_time);
  const auto has_cap = breaker.set("max_cooldown", into.max_cooldown, read_duration, some_time);
  if (has_cap && into.max_cooldown < into.cooldown)
    breaker.find("max_cooldown")->fail("is shorter than 'cooldown'; make it at least as long");
  into.max_cooldown = std::max(into.max_cooldown, into.cooldown);
  breaker.finish();
  return into;
}

/// What keeps an endpoint from more than it can bear.
void read_bounds(map_reader& model, endpoint_options& into) {
  model.set("max_concurrency", into.max_concurrency, read_count, 1, defaults::largest_count);
  model.set("requests_per_minute", into.requests_per_minute, read_count, 1, defaults::largest_count);
  model.set("tokens_per_minute", into.tokens_per_minute, read_count, 1, defaults::most_tokens);
  model.set("max_retries_in_flight", into.max_retries_in_flight, read_count, 0, defaults::largest_count);
  model.set("breaker", into.breaker, read_breaker);
}

/// What the formats have in common.
void read_endpoint(map_reader& model, endpoint_options& into) {
  read_base_url(model, into);
  if (const auto key = model.find("api_key"))
    if (auto value = read_text(*key); value && read_http_value(*key))
      into.api_key = secret{std::move(*value)};
  model.set("headers", into.headers, read_headers);
  model.set("query", into.query, read_pairs, read_scalar);
  if (model.need("model", "model: NAME, as the endpoint calls it"))
    model.set("model", into.wire.model, read_name);
  model.set("image_input", into.wire.image_input, read_boolean);
  model.set("max_retries", into.retry.max_retries, read_count, 0, defaults::most_retries);
  model.set("connect_timeout", into.connect_timeout, read_duration, some_time);
  model.set("timeout", into.timeout, read_duration, some_time);
  model.set("max_connections", into.max_connections, read_count, 1, defaults::largest_count);
  model.set("max_queue", into.max_queue, read_count, 0, defaults::largest_count);
  read_bounds(model, into);
  model.set("max_response_bytes", into.max_response_bytes, read_size);
}

} // namespace

endpoint_options read_openai(map_reader& model) {
  auto into = endpoint_options{};
  std::size_t api = 0;
  model.set("api", api, read_word, std::vector<std::string>{"chat_completions", "responses"});
  into.format = api == 1 ? wire_format::responses : wire_format::chat_completions;
  read_endpoint(model, into);
  read_max_tokens_field(model, into);
  return into;
}

endpoint_options read_anthropic(map_reader& model) {
  auto into = endpoint_options{};
  into.format = wire_format::anthropic;
  into.base_url = defaults::anthropic_base_url;
  read_endpoint(model, into);
  model.set("max_tokens", into.max_tokens, read_count, 1, defaults::largest_count);
  model.refuse("api", "is for provider: openai; remove it");
  model.refuse("max_tokens_field", "is for provider: openai; remove it");
  return into;
}

} // namespace troupe::config
