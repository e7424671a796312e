#include "libagent/core/strict_schema.hpp"

#include "libagent/core/schema_nulls.hpp"
#include "libagent/core/strict_keywords.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe {

namespace {

using namespace strict_keywords;

/// Bounds of the OpenAI API, guide "Structured outputs", as of 2025.
constexpr unsigned max_object_levels = 10;
constexpr std::size_t max_properties = 5000;
constexpr std::size_t max_enum_values = 1000;
constexpr std::size_t max_name_bytes = 120'000;
/// A bound of our own for what nests without objects.
constexpr unsigned max_schema_levels = 64;
constexpr std::size_t shown_limits = 20;

std::string below(const std::string& place, std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '~' || c == '/')
      escaped += c == '~' ? "~0" : "~1";
    else
      escaped += c;
  }
  return place + '/' + escaped;
}

std::string_view type_name(const json& value) {
  return value.is_number_integer() ? "integer" : value.is_number() ? "number" : value.type_name();
}

bool has_type(const json& schema, std::string_view name) {
  const auto* type = find(schema, "type");
  if (type == nullptr || !type->is_array())
    return type != nullptr && *type == json(name);
  return std::find(type->begin(), type->end(), json(name)) != type->end();
}

/// The same schema with null allowed as well, which it is not yet.
json nullable(json schema) {
  const auto null = json{{"type", "null"}};
  const bool is_alternatives = schema.contains("anyOf") && !schema.contains("type");
  if (is_alternatives) {
    schema["anyOf"].push_back(null);
    return schema;
  }
  if (!schema.contains("type") || schema.contains("anyOf") || schema.contains("const"))
    return {{"anyOf", json::array({std::move(schema), null})}};
  auto& type = schema["type"];
  if (!type.is_array())
    type = json::array({type});
  if (!has_type(schema, "null"))
    type.push_back("null");
  if (schema.contains("enum"))
    schema["enum"].push_back(nullptr);
  return schema;
}

/// What the values of `enum` or `const`, or the keywords that go with one type, say about the type; null if
/// nothing.
json inferred_type(const json& schema) {
  std::set<std::string_view> types;
  if (const auto* values = find(schema, "enum"); values != nullptr && values->is_array())
    for (const auto& value : *values)
      types.insert(type_name(value));
  else if (const auto* constant = find(schema, "const"))
    types.insert(type_name(*constant));
  else if (schema.contains("properties"))
    types.insert("object");
  else if (schema.contains("items"))
    types.insert("array");
  if (types.empty())
    return nullptr;
  return types.size() == 1 ? json(*types.begin()) : json(types);
}

class strict_maker {
public:
  explicit strict_maker(const json& root) : root_(root) {}

  strict_form make() {
    auto made = root_schema();
    count_totals();
    const bool is_strict = obstacles_.empty();
    return {is_strict ? std::move(made) : root_, is_strict, shortened(is_strict ? left_out_ : obstacles_)};
  }

private:
  struct spot {
    std::string place;
    unsigned level = 0;
    unsigned objects = 0;

    spot inside(std::string_view key) const { return {below(place, key), level + 1, objects}; }
    spot inside(std::string_view key, std::string_view name) const {
      return {below(below(place, key), name), level + 1, objects};
    }
  };

  json root_schema() {
    if (!root_.is_object()) {
      block({"#"}, "the schema is not an object");
      return root_;
    }
    auto start = root_;
    // Generators that name every type put the root behind a reference.
    if (const auto* target = definition_of(root_); target != nullptr && target->is_object()) {
      start.erase("$ref");
      start.update(*target);
    }
    auto made = schema(start, {"#"});
    if (made.is_object() && (made.value("type", json()) != json("object") || made.contains("anyOf")))
      block({"#"}, "the root must be of type object, without alternatives");
    for (const auto key : definition_keys)
      if (const auto* definitions = find(root_, key); definitions != nullptr && definitions->is_object())
        for (const auto& [name, definition] : definitions->items()) {
          name_bytes_ += name.size();
          made[std::string(key)][name] = schema(definition, spot{"#"}.inside(key, name));
        }
    return made;
  }

  json schema(const json& given, const spot& at) {
    if (!given.is_object()) {
      block(at, "a schema that is true or false");
      return given;
    }
    if (at.level > max_schema_levels) {
      block(at, fmt::format("nested more than {} schemas deep", max_schema_levels));
      return given;
    }
    const auto flat = without_all_of(given, at);
    if (flat.contains("$ref"))
      return reference(flat, at);
    auto made = plain_keywords(flat, at);
    auto type = find(flat, "type") == nullptr ? inferred_type(flat) : flat.at("type");
    if (!type.is_null())
      made["type"] = std::move(type);
    else if (!flat.contains("anyOf"))
      block(at, "no type: anything is allowed");
    if (const auto* alternatives = find(flat, "anyOf"))
      made["anyOf"] = any_of(*alternatives, at);
    if (has_type(made, "array"))
      made["items"] = items(flat, at);
    if (has_type(made, "object"))
      close_object(made, flat, at);
    return made;
  }

  /// An `allOf` of one is what it holds.
  json without_all_of(const json& given, const spot& at) {
    auto flat = given;
    for (unsigned left = max_schema_levels; left > 0 && flat.contains("allOf"); --left) {
      const auto all = flat.at("allOf");
      flat.erase("allOf");
      if (!all.is_array() || all.size() != 1 || !all.front().is_object()) {
        block(at, "allOf of other than one schema; write them as one");
        return flat;
      }
      for (const auto& [key, value] : all.front().items()) {
        const auto* outer = find(flat, key);
        const bool is_text = key == "title" || key == "description";
        if (outer != nullptr && !is_text && *outer != value)
          block(at, fmt::format("allOf and the schema around it both have '{}'", key));
        if (outer == nullptr)
          flat[key] = value;
      }
    }
    return flat;
  }

  json reference(const json& given, const spot& at) {
    const auto& target = given.at("$ref");
    if (target != json("#") && definition_of(given) == nullptr)
      block(at, fmt::format("$ref leads to {}; only \"#\" and \"#/$defs/NAME\" do", dump_json(target)));
    auto made = json{{"$ref", target}};
    auto texts = json::object();
    for (const auto& [key, value] : given.items()) {
      if (key == "title" || key == "description")
        texts[key] = value;
      else if (key != "$ref" && !is_among(silent, key) && !(is_root(at) && is_among(definition_keys, key)))
        leave_out(at, key);
    }
    // Nothing may stand beside a reference, a description neither.
    if (texts.empty())
      return made;
    texts["anyOf"] = json::array({std::move(made)});
    return texts;
  }

  json plain_keywords(const json& given, const spot& at) {
    auto made = json::object();
    for (const auto& [key, value] : given.items()) {
      const bool is_number = is_among(kept_numbers, key) && value.is_number();
      const bool is_format =
          key == "format" && value.is_string() && is_among(formats, value.get<std::string>());
      if (is_among(kept, key) || is_number || is_format)
        made[key] = value;
      else if (is_among(barred, key))
        block(at, fmt::format("'{}' has no strict form{}", key, key == "oneOf" ? "; write anyOf" : ""));
      else if (!is_among(treated, key) && !is_among(silent, key) &&
               !(is_root(at) && is_among(definition_keys, key)))
        leave_out(at, key);
    }
    if (const auto* values = find(given, "enum"); values != nullptr && values->is_array())
      count_enum(*values, at);
    if (const auto* constant = find_string(given, "const"))
      name_bytes_ += constant->size();
    return made;
  }

  json any_of(const json& alternatives, const spot& at) {
    auto made = json::array();
    for (std::size_t i = 0; alternatives.is_array() && i < alternatives.size(); ++i)
      made.push_back(schema(alternatives[i], at.inside("anyOf", std::to_string(i))));
    if (made.empty())
      block(at, "anyOf without a schema");
    return made;
  }

  json items(const json& given, const spot& at) {
    const auto* element = find(given, "items");
    if (element != nullptr && !element->is_array())
      return schema(*element, at.inside("items"));
    block(at,
          element == nullptr ? "an array whose items can be anything" : "items that are a list of schemas");
    return json::object();
  }

  void close_object(json& made, const json& given, const spot& around) {
    auto at = around;
    if (++at.objects > max_object_levels)
      block(at, fmt::format("more than {} objects within each other", max_object_levels));
    const auto* others = find(given, "additionalProperties");
    const bool is_closed = others != nullptr && *others == json(false);
    if (others != nullptr && !is_closed)
      block(at, "additionalProperties lets in names that are not listed");
    const auto* listed = find(given, "properties");
    const auto properties = listed != nullptr && listed->is_object() ? *listed : json::object();
    if (properties.empty() && others == nullptr)
      block(at, "an object without properties; list them, or close it by additionalProperties: false");
    require_listed(given, properties, at);
    made["properties"] = json::object();
    made["required"] = json::array();
    made["additionalProperties"] = false;
    for (const auto& [name, property] : properties.items()) {
      auto strict = schema(property, at.inside("properties", name));
      const bool is_optional =
          strict.is_object() && !requires_property(given, name) && !allows_null(root_, property);
      made["properties"][name] = is_optional ? nullable(std::move(strict)) : std::move(strict);
      made["required"].push_back(name);
      name_bytes_ += name.size();
    }
    properties_ += properties.size();
  }

  void require_listed(const json& given, const json& properties, const spot& at) {
    const auto* required = find(given, "required");
    if (required == nullptr || !required->is_array())
      return;
    for (const auto& name : *required)
      if (name.is_string() && !properties.contains(name.get_ref<const std::string&>()))
        block(at, fmt::format("'{}' is required, but is no property", name.get_ref<const std::string&>()));
  }

  void count_enum(const json& values, const spot& at) {
    constexpr std::size_t large = 250;
    constexpr std::size_t max_large_bytes = 15'000;
    std::size_t bytes = 0;
    for (const auto& value : values)
      bytes += value.is_string() ? value.get_ref<const std::string&>().size() : 0;
    if (values.size() > large && bytes > max_large_bytes)
      block(at, fmt::format("an enum of more than {} values that are longer than {} bytes together", large,
                            max_large_bytes));
    enum_values_ += values.size();
    name_bytes_ += bytes;
  }

  void count_totals() {
    if (properties_ > max_properties)
      block({"#"}, fmt::format("{} properties, more than {}", properties_, max_properties));
    if (enum_values_ > max_enum_values)
      block({"#"}, fmt::format("{} values of enums, more than {}", enum_values_, max_enum_values));
    if (name_bytes_ > max_name_bytes)
      block({"#"},
            fmt::format("names and values of enums of {} bytes, more than {}", name_bytes_, max_name_bytes));
  }

  /// What a reference to "#/$defs/NAME" leads to, else null.
  const json* definition_of(const json& given) const {
    const auto* reference = find_string(given, "$ref");
    if (reference == nullptr)
      return nullptr;
    for (const auto key : definition_keys) {
      const auto start = fmt::format("#/{}/", key);
      if (reference->starts_with(start) && reference->find('/', start.size()) == std::string::npos)
        return referred_schema(root_, given);
    }
    return nullptr;
  }

  static bool is_root(const spot& at) { return at.level == 0; }

  void block(const spot& at, std::string_view why) {
    obstacles_.push_back(fmt::format("{}: {}", at.place, why));
  }

  void leave_out(const spot& at, std::string_view key) {
    left_out_.push_back(fmt::format("{}: '{}' is left out, since endpoints refuse it", at.place, key));
  }

  static std::vector<std::string> shortened(std::vector<std::string> all) {
    if (all.size() <= shown_limits)
      return all;
    const auto more = all.size() - shown_limits;
    all.resize(shown_limits);
    all.push_back(fmt::format("and {} more", more));
    return all;
  }

  const json& root_;
  std::size_t properties_ = 0;
  std::size_t enum_values_ = 0;
  std::size_t name_bytes_ = 0;
  std::vector<std::string> obstacles_;
  std::vector<std::string> left_out_;
};

} // namespace

strict_form make_strict(const json& schema) {
  return strict_maker(schema).make();
}

} // namespace troupe
