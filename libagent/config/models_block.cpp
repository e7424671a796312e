#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

enum class provider { openai, anthropic, scripted, replay };

/// Which provider a model without a valid `provider` was probably meant to have, so that the rest of it can
/// be read; nothing if its keys do not tell.
std::optional<provider> guess_provider(const node& model) {
  for (const auto& [key, at, value] : model.entries) {
    if (key == "rules")
      return provider::scripted;
    if (key == "cassette")
      return provider::replay;
    if (key == "model" || key == "base_url" || key == "api_key")
      return provider::openai;
  }
  return std::nullopt;
}

std::optional<provider> read_provider(map_reader& model) {
  const auto written = model.need("provider", "provider: openai, anthropic, scripted or replay");
  const auto word =
      written ? read_word(*written, {"openai", "anthropic", "scripted", "replay"}) : std::nullopt;
  return word ? std::optional{static_cast<provider>(*word)} : guess_provider(model.self().value);
}

replay_options read_replay(map_reader& model, const std::string& path) {
  auto into = replay_options{};
  if (const auto cassette = model.need("cassette", "cassette: PATH, a file that 'record' wrote"))
    if (model.set("cassette", into.cassette, read_path))
      cassette->mark(path + "/cassette");
  model.refuse("record", "is for models that are really asked; remove it");
  return into;
}

std::optional<price> read_price(const field& from) {
  auto into = price{};
  auto rate = map_reader{from, from.what};
  if (rate.need("input", "input: MONEY, for a million tokens"))
    rate.set("input", into.input, read_number, 0.0, defaults::most_money);
  rate.set("cached_input", into.cached_input, read_number, 0.0, defaults::most_money);
  if (rate.need("output", "output: MONEY, for a million tokens"))
    rate.set("output", into.output, read_number, 0.0, defaults::most_money);
  rate.finish();
  return into;
}

void read_body(map_reader& model, provider what, model_options& into, const std::string& path) {
  switch (what) {
  case provider::openai:
    into.provider = read_openai(model);
    break;
  case provider::anthropic:
    into.provider = read_anthropic(model);
    break;
  case provider::scripted:
    into.provider = read_script(model, path);
    break;
  case provider::replay:
    into.provider = read_replay(model, path);
    break;
  }
  model.set("fallbacks", into.fallbacks, read_names, path + "/fallbacks");
  if (what != provider::replay)
    model.set("record", into.record, read_path);
  model.set("price", into.rate, read_price);
  model.finish();
}

model_options read_model(const field& from, const std::string& name, const std::string& path) {
  auto model = map_reader{from, "model " + in_quotes(name)};
  auto read = model_options{name, endpoint_options{}};
  if (!model.is_map())
    return read;
  if (const auto what = read_provider(model))
    read_body(model, *what, read, path);
  return read;
}

} // namespace

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
