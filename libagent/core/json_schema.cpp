#include "libagent/core/json_schema.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

// Without it valijson aborts the process on a schema that it cannot use.
#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <new>
#include <set>
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

/// valijson reports a place once for itself and once for each object around it.
bool repeats_another(const std::string& description) {
  return description.starts_with("Failed to validate against schema associated with property name");
}

std::string describe(valijson::ValidationResults& violations) {
  std::string text;
  valijson::ValidationResults::Error violation;
  for (std::size_t shown = 0; shown < shown_violations && violations.popError(violation);) {
    if (repeats_another(violation.description) && shown > 0)
      continue;
    const auto path = readable_path(violation.context);
    auto& what = violation.description;
    what.erase(what.find_last_not_of('.') + 1);
    if (!text.empty())
      text += "; ";
    text += path.empty() ? what : fmt::format("{}: {}", path, what);
    ++shown;
  }
  return text;
}

[[noreturn]] void refuse_fetch(const std::string& uri) {
  throw std::runtime_error("remote reference " + uri);
}

bool is_object_or_bool(const json& document) {
  return document.is_object() || document.is_boolean();
}

/// A copy without regular expressions. valijson matches them by std::regex, which recurses for each character
/// and takes exponential time on patterns of bad will; `check_patterns` does it by RE2.
json without_patterns(const json& schema) {
  if (schema.is_array()) {
    auto copy = json::array();
    for (const auto& entry : schema)
      copy.push_back(without_patterns(entry));
    return copy;
  }
  if (!schema.is_object())
    return schema;
  auto copy = json::object();
  const bool by_pattern = schema.contains("patternProperties");
  for (const auto& [key, value] : schema.items()) {
    const bool is_text_keyword = (key == "pattern" || key == "format") && value.is_string();
    const bool is_pattern = is_text_keyword || key == "patternProperties";
    if (is_pattern || (by_pattern && key == "additionalProperties"))
      continue;
    copy[key] = key == "enum" || key == "const" || key == "default" ? value : without_patterns(value);
  }
  return copy;
}

/// The schema that a local reference leads to, or null.
const json* referred(const json& root, const json& schema) {
  const auto* reference = find_string(schema, "$ref");
  if (reference == nullptr || !reference->starts_with('#'))
    return nullptr;
  try {
    const json::json_pointer place(reference->substr(1));
    return root.contains(place) ? &root.at(place) : nullptr;
  } catch (const json::exception&) {
    return nullptr;
  }
}

/// Schemas that are applied to the same value as the one given.
std::vector<const json*> applied_with(const json& root, const json& schema) {
  std::vector<const json*> all;
  if (const auto* target = referred(root, schema))
    all.push_back(target);
  for (const auto* key : {"allOf", "anyOf", "oneOf"})
    if (const auto* list = find(schema, key); list != nullptr && list->is_array())
      for (const auto& entry : *list)
        all.push_back(&entry);
  for (const auto* key : {"not", "if", "then", "else"})
    if (const auto* inner = find(schema, key))
      all.push_back(inner);
  return all;
}

/// Finds schemas that are applied to a value because they are applied to it; valijson would recurse for ever.
class loop_finder {
public:
  explicit loop_finder(const json& root) : root_(root) {}

  bool finds_below(const json& schema) {
    if (leads_back(schema))
      return true;
    return schema.is_structured() && std::any_of(schema.begin(), schema.end(),
                                                 [this](const json& inner) { return finds_below(inner); });
  }

private:
  bool leads_back(const json& schema) {
    if (done_.contains(&schema))
      return false;
    if (!active_.insert(&schema).second)
      return true;
    const auto next = applied_with(root_, schema);
    const bool found =
        std::any_of(next.begin(), next.end(), [this](const json* inner) { return leads_back(*inner); });
    active_.erase(&schema);
    done_.insert(&schema);
    return found;
  }

  const json& root_;
  std::set<const json*> active_;
  std::set<const json*> done_;
};

std::string check_pattern(const std::string& pattern, const std::string& text, const std::string& path) {
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 expression(pattern, options);
  // What RE2 cannot express (look-around, back-references) is left to the tool.
  if (!expression.ok() || RE2::PartialMatch(text, expression))
    return {};
  return fmt::format("{}: does not match the pattern {}", path, pattern);
}

/// Checks `pattern` where it stands on the direct way of properties and items. Empty, or the first violation.
std::string check_patterns(const json& schema, const json& value, const std::string& path) {
  if (const auto* pattern = find_string(schema, "pattern"); pattern != nullptr && value.is_string())
    return check_pattern(*pattern, value.get_ref<const std::string&>(), path);
  if (const auto* items = find(schema, "items"); items != nullptr && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      if (auto found = check_patterns(*items, value[i], fmt::format("{}[{}]", path, i)); !found.empty())
        return found;
  }
  const auto* properties = find(schema, "properties");
  if (properties == nullptr || !properties->is_object())
    return {};
  for (const auto& [key, inner] : properties->items())
    if (const auto* member = find(value, key))
      if (auto found = check_patterns(inner, *member, path.empty() ? key : path + "." + key); !found.empty())
        return found;
  return {};
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
  if (loop_finder(document).finds_below(document))
    return fail(errc::invalid_argument, "not a usable JSON Schema: a reference leads only to itself");
  auto made = std::make_shared<compiled>();
  made->document = std::move(document);
  // valijson takes no boolean at the top; true is the schema without constraints.
  const json source = made->document.is_boolean() ? json::object() : without_patterns(made->document);
  try {
    valijson::SchemaParser parser;
    const adapter root(source);
    valijson::SchemaParser::FunctionPtrs<adapter>::FetchDoc fetch =
        [](const std::string& uri) -> const json* { refuse_fetch(uri); };
    parser.populateSchema(root, made->schema, fetch, [](const json*) {});
  } catch (const std::bad_alloc&) {
    // Says nothing about the schema.
    throw;
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
    if (!validator.validate(impl_->schema, adapter(value), &violations))
      return fail(errc::invalid_argument, describe(violations));
    if (auto mismatch = check_patterns(impl_->document, value, {}); !mismatch.empty())
      return fail(errc::invalid_argument, std::move(mismatch));
    return {};
  } catch (const std::bad_alloc&) {
    // Says nothing about the value.
    throw;
  } catch (const std::exception& failure) {
    return fail(errc::invalid_argument, fmt::format("cannot be validated: {}", failure.what()));
  }
}

} // namespace troupe
