#include "libagent/core/json_schema.hpp"

#include <fmt/format.h>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <stdexcept>

namespace troupe {

using adapter = valijson::adapters::NlohmannJsonAdapter;

struct json_schema::compiled {
  json document;
  valijson::Schema schema;
};

namespace {

constexpr std::size_t shown_violations = 3;

/// Valijson names a place as "<root>[a][b]"; people write it "a.b".
std::string readable_path(const std::vector<std::string>& context) {
  std::string path;
  for (const auto& step : context) {
    if (step.size() < 2 || step.front() != '[')
      continue;
    if (!path.empty())
      path += '.';
    path += step.substr(1, step.size() - 2);
  }
  return path;
}

std::string describe(valijson::ValidationResults& violations) {
  std::string text;
  valijson::ValidationResults::Error violation;
  for (std::size_t shown = 0; shown < shown_violations && violations.popError(violation); ++shown) {
    const auto path = readable_path(violation.context);
    if (!text.empty())
      text += "; ";
    text += path.empty() ? violation.description : fmt::format("{}: {}", path, violation.description);
  }
  return text;
}

[[noreturn]] void refuse_fetch(const std::string& uri) {
  throw std::runtime_error("remote reference " + uri);
}

/// Where valijson 1.0 would recurse without an end: a `$ref` that leads to itself without anything between.
bool is_object_or_bool(const json& document) {
  return document.is_object() || document.is_boolean();
}

} // namespace

json_schema::json_schema() {
  static const auto any_object = [] {
    auto made = compile(json{{"type", "object"}, {"properties", json::object()}});
    return made->impl_;
  }();
  impl_ = any_object;
}

json_schema::json_schema(std::shared_ptr<const compiled> impl) : impl_(std::move(impl)) {}

result<json_schema> json_schema::compile(json document) {
  if (!is_object_or_bool(document))
    return fail(errc::invalid_argument, "a JSON Schema must be an object");
  auto made = std::make_shared<compiled>();
  made->document = std::move(document);
  // valijson takes no boolean at the top; true is the schema without constraints.
  const json source = made->document.is_boolean() ? json::object() : made->document;
  try {
    valijson::SchemaParser parser;
    const adapter root(source);
    valijson::SchemaParser::FunctionPtrs<adapter>::FetchDoc fetch =
        [](const std::string& uri) -> const json* { refuse_fetch(uri); };
    parser.populateSchema(root, made->schema, fetch, [](const json*) {});
  } catch (const std::exception& failure) {
    return fail(errc::invalid_argument, fmt::format("not a usable JSON Schema: {}", failure.what()));
  }
  return json_schema(std::move(made));
}

const json& json_schema::document() const noexcept {
  return impl_->document;
}

result<void> json_schema::validate(const json& value) const {
  if (impl_->document == json(false))
    return fail(errc::invalid_argument, "no value is allowed here");
  try {
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults violations;
    if (validator.validate(impl_->schema, adapter(value), &violations))
      return {};
    return fail(errc::invalid_argument, describe(violations));
  } catch (const std::exception& failure) {
    return fail(errc::invalid_argument, fmt::format("cannot be validated: {}", failure.what()));
  }
}

} // namespace troupe
