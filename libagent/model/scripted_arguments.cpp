#include "libagent/model/scripted_arguments.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::scripted {

namespace {

bool has_placeholder(const json& value) {
  const auto* text = value.get_ptr<const json::string_t*>();
  return text && text->find("{{") != std::string::npos;
}

/// Collects the type names that a property's schema allows.
void collect_types(const json& schema, std::vector<std::string>& types) {
  const auto* type = schema.is_object() ? find(schema, "type") : nullptr;
  if (type && type->is_string())
    types.push_back(type->get<std::string>());
  if (type && type->is_array())
    for (const auto& one : *type)
      if (one.is_string())
        types.push_back(one.get<std::string>());
  for (const auto* key : {"anyOf", "oneOf"}) {
    const auto* choices = schema.is_object() ? find(schema, key) : nullptr;
    if (choices && choices->is_array())
      for (const auto& choice : *choices)
        collect_types(choice, types);
  }
}

template <class Number>
std::optional<json> as_number(const std::string& text) {
  auto value = Number{};
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stop != end)
    return std::nullopt;
  return json(value);
}

/// The text as the first of the types that it can be read as; nothing if it should stay text.
std::optional<json> convert(const std::string& text, const std::vector<std::string>& types) {
  if (std::find(types.begin(), types.end(), "string") != types.end())
    return std::nullopt;
  for (const auto& type : types) {
    auto value = std::optional<json>{};
    if (type == "integer" || type == "number")
      value = as_number<std::int64_t>(text);
    if (type == "number" && !value)
      value = as_number<double>(text);
    if (type == "boolean" && (text == "true" || text == "false"))
      value = json(text == "true");
    if (value)
      return value;
  }
  return std::nullopt;
}

/// Gives texts that came out of templates the type that the tool's schema asks for.
void convert_arguments(json& arguments, const json& templates, const json& schema) {
  const auto* properties = find(schema, "properties");
  if (!properties || !properties->is_object() || !arguments.is_object())
    return;
  for (auto& [name, value] : arguments.items()) {
    const auto* property = find(*properties, name);
    if (!property || !value.is_string() || !has_placeholder(templates.at(name)))
      continue;
    auto types = std::vector<std::string>{};
    collect_types(*property, types);
    if (auto converted = convert(value.get_ref<const std::string&>(), types))
      value = std::move(*converted);
  }
}

} // namespace

result<std::string> render_arguments(const json& templates, const json_schema& schema,
                                     const bindings& values) {
  auto arguments = render_strings(templates, values);
  if (!arguments)
    return arguments.error();
  convert_arguments(*arguments, templates, schema.document());
  return dump_json(*arguments);
}

} // namespace troupe::scripted
