#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/http_url.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::config {

namespace {

constexpr milliseconds some_time{1};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

void read_base_url(map_reader& model, openai_options& into) {
  if (!model.set("base_url", into.base_url, read_name))
    return;
  if (const auto problem = problem_of_base_url(into.base_url); !problem.empty())
    model.find("base_url")->fail(problem);
  into.base_url.erase(into.base_url.find_last_not_of('/') + 1);
}

void check_header_names(const field& headers) {
  static const std::set<std::string> own = {"host", "content-length", "transfer-encoding", "connection",
                                            "content-type"};
  std::set<std::string> seen;
  for (const auto& [name, at, value] : headers.value.entries) {
    if (!is_header_name(name))
      headers.ctx.fail(at, fmt::format("{} in {} is not the name of a header; use letters, digits and '-'",
                                       key_in_quotes(name), headers.what));
    else if (own.contains(lower_case(name)))
      headers.ctx.fail(at, fmt::format("header {} in {} is set by Troupe itself; remove it",
                                       key_in_quotes(name), headers.what));
    else if (!seen.insert(lower_case(name)).second)
      headers.ctx.fail(at, fmt::format("header {} in {} is there already in another case; give it once",
                                       key_in_quotes(name), headers.what));
  }
}

void read_headers(map_reader& model, openai_options& into) {
  const auto headers = model.find("headers");
  if (!headers)
    return;
  check_header_names(*headers);
  auto all = read_pairs(*headers, read_http_value);
  if (!all)
    return;
  for (auto& [name, value] : *all)
    into.headers.emplace_back(std::move(name), secret{std::move(value)});
}

/// OpenAI's reasoning models take only the newer name; most other endpoints know only the older one.
void read_max_tokens_field(map_reader& model, openai_options& into) {
  const std::vector<std::string> names = {"max_tokens", "max_completion_tokens"};
  const bool is_openai = into.base_url.starts_with("https://api.openai.com") ||
                         into.base_url.find(".openai.azure.com") != std::string::npos;
  std::optional<std::size_t> written;
  model.set("max_tokens_field", written, read_word, names);
  into.wire.max_tokens_field = names[written.value_or(is_openai ? 1 : 0)];
}

/// Which provider a model without a valid `provider` was probably meant to have, so that the rest of it can
/// be read; nothing if its keys do not tell.
std::optional<std::size_t> guess_provider(const node& model) {
  for (const auto& [key, at, value] : model.entries) {
    if (key == "rules")
      return 1;
    if (key == "model" || key == "base_url" || key == "api_key")
      return 0;
  }
  return std::nullopt;
}

model_options read_model(const field& from, const std::string& name, const std::string& path) {
  auto model = map_reader{from, "model " + in_quotes(name)};
  auto read = model_options{name, openai_options{}};
  if (!model.is_map())
    return read;
  std::optional<std::size_t> provider;
  if (const auto written = model.need("provider", "provider: openai or provider: scripted"))
    provider = read_word(*written, {"openai", "scripted"});
  if (!provider)
    provider = guess_provider(from.value);
  if (!provider)
    return read;
  if (*provider == 0)
    read.provider = read_openai(model);
  else
    read.provider = read_script(model, path);
  model.finish();
  return read;
}

} // namespace

openai_options read_openai(map_reader& model) {
  auto into = openai_options{};
  read_base_url(model, into);
  if (const auto key = model.find("api_key"))
    if (auto value = read_text(*key); value && read_http_value(*key))
      into.api_key = secret{std::move(*value)};
  read_headers(model, into);
  model.set("query", into.query, read_pairs, read_scalar);
  if (model.need("model", "model: NAME, as the endpoint calls it"))
    model.set("model", into.wire.model, read_name);
  read_max_tokens_field(model, into);
  model.set("image_input", into.wire.image_input, read_boolean);
  model.set("max_retries", into.retry.max_retries, read_count, 0, defaults::most_retries);
  model.set("connect_timeout", into.connect_timeout, read_duration, some_time);
  model.set("timeout", into.timeout, read_duration, some_time);
  model.set("max_connections", into.max_connections, read_count, 1, defaults::largest_count);
  model.set("max_queue", into.max_queue, read_count, 0, defaults::largest_count);
  model.set("max_response_bytes", into.max_response_bytes, read_size);
  return into;
}

void read_models(const field& from, std::vector<model_options>& into) {
  from.mark("models", from.value.type != node::kind::map);
  if (from.value.type != node::kind::map)
    return from.wrong("a map from names to models");
  for (const auto& [name, at, value] : from.value.entries) {
    const auto path = fmt::format("models/{}", into.size());
    from.ctx.where[path] = {at};
    into.push_back(read_model({from.ctx, *value, "model " + in_quotes(name), at}, name, path));
  }
}

} // namespace troupe::config
