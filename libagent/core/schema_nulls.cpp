#include "libagent/core/schema_nulls.hpp"

#include "libagent/core/strict_schema.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace troupe {

namespace {

/// References that lead on to references; schemas that lead back to themselves end here.
constexpr unsigned max_steps = 64;

const json::array_t* list_of(const json& schema, std::string_view key) {
  const auto* value = find(schema, key);
  return value == nullptr ? nullptr : value->get_ptr<const json::array_t*>();
}

bool has(const json::array_t& list, const json& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool is_of_type(const json& value, const std::string& type) {
  if (type == "integer")
    return value.is_number_integer() ||
           (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
  return (type == "null" && value.is_null()) || (type == "boolean" && value.is_boolean()) ||
         (type == "number" && value.is_number()) || (type == "string" && value.is_string()) ||
         (type == "array" && value.is_array()) || (type == "object" && value.is_object());
}

/// By the keywords `type`, `enum` and `const` alone.
bool fits_itself(const json& value, const json& schema) {
  if (const auto* type = find_string(schema, "type"); type != nullptr && !is_of_type(value, *type))
    return false;
  if (const auto* types = list_of(schema, "type"))
    if (std::none_of(types->begin(), types->end(), [&](const json& type) {
          return type.is_string() && is_of_type(value, type.get_ref<const std::string&>());
        }))
      return false;
  if (const auto* values = list_of(schema, "enum"); values != nullptr && !has(*values, value))
    return false;
  const auto* constant = find(schema, "const");
  return constant == nullptr || *constant == value;
}

bool allows_null(const json& root, const json& schema, unsigned steps) {
  if (!schema.is_object())
    return schema != json(false);
  if (steps == 0)
    return false;
  const auto inner_allows = [&](const json& inner) { return allows_null(root, inner, steps - 1); };
  if (const auto* target = referred_schema(root, schema))
    return inner_allows(*target);
  if (!fits_itself(json(), schema))
    return false;
  for (const auto* key : {"anyOf", "oneOf"})
    if (const auto* list = list_of(schema, key);
        list && std::none_of(list->begin(), list->end(), inner_allows))
      return false;
  if (const auto* list = list_of(schema, "allOf");
      list && !std::all_of(list->begin(), list->end(), inner_allows))
    return false;
  const auto* inverse = find(schema, "not");
  return inverse == nullptr || !inner_allows(*inverse);
}

class null_dropper {
public:
  explicit null_dropper(const json& root) : root_(root) {}

  void drop(json& value, const json& schema, unsigned steps = max_steps) {
    if (steps == 0 || !value.is_structured())
      return;
    if (const auto* target = referred_schema(root_, schema))
      return drop(value, *target, steps - 1);
    if (const auto* all = list_of(schema, "allOf"))
      for (const auto& each : *all)
        drop(value, each, steps - 1);
    for (const auto* key : {"anyOf", "oneOf"})
      if (const auto* list = list_of(schema, key))
        if (const auto* chosen = first_fit(value, *list))
          drop(value, *chosen, steps - 1);
    if (value.is_object())
      drop_members(value, schema);
    else if (const auto* items = find(schema, "items"); items != nullptr && items->is_object())
      for (auto& element : value)
        drop(element, *items);
  }

private:
  void drop_members(json& object, const json& schema) {
    const auto* properties = find(schema, "properties");
    if (properties == nullptr)
      return;
    for (auto member = object.begin(); member != object.end();) {
      const auto* property = find(*properties, member.key());
      const bool is_added = property != nullptr && member->is_null() &&
                            !requires_property(schema, member.key()) &&
                            !troupe::allows_null(root_, *property);
      if (is_added) {
        member = object.erase(member);
        continue;
      }
      if (property != nullptr)
        drop(*member, *property);
      ++member;
    }
  }

  const json* first_fit(const json& value, const json::array_t& alternatives) {
    const auto found = std::find_if(alternatives.begin(), alternatives.end(),
                                    [&](const json& each) { return fits(value, each); });
    return found == alternatives.end() ? nullptr : &*found;
  }

  /// Whether the value fits what the strict form of the schema says about shape.
  bool fits(const json& value, const json& schema) {
    if (!schema.is_object())
      return schema != json(false);
    // Remembered, since alternatives within alternatives ask again; false meanwhile, for schemas that lead
    // back here.
    const auto [known, is_new] = known_.try_emplace({&value, &schema}, false);
    if (!is_new)
      return known->second;
    const bool fit = looks_fit(value, schema);
    known_[{&value, &schema}] = fit;
    return fit;
  }

  bool looks_fit(const json& value, const json& schema) {
    if (const auto* target = referred_schema(root_, schema))
      return fits(value, *target);
    if (!fits_itself(value, schema))
      return false;
    const auto value_fits = [&](const json& each) { return fits(value, each); };
    if (const auto* all = list_of(schema, "allOf"); all && !std::all_of(all->begin(), all->end(), value_fits))
      return false;
    for (const auto* key : {"anyOf", "oneOf"})
      if (const auto* list = list_of(schema, key);
          list && std::none_of(list->begin(), list->end(), value_fits))
        return false;
    if (value.is_object())
      return members_fit(value, schema);
    const auto* items = value.is_array() ? find(schema, "items") : nullptr;
    return items == nullptr || std::all_of(value.begin(), value.end(),
                                           [&](const json& element) { return fits(element, *items); });
  }

  bool members_fit(const json& object, const json& schema) {
    if (const auto* required = list_of(schema, "required"))
      for (const auto& name : *required)
        if (name.is_string() && !object.contains(name.get_ref<const std::string&>()))
          return false;
    const auto* properties = find(schema, "properties");
    if (properties == nullptr)
      return true;
    const auto* others = find(schema, "additionalProperties");
    const bool is_open = others != nullptr && *others != json(false);
    for (const auto& [name, member] : object.items()) {
      const auto* property = find(*properties, name);
      if (property == nullptr && !is_open)
        return false;
      const bool is_absent = member.is_null() && !requires_property(schema, name);
      if (property != nullptr && !is_absent && !fits(member, *property))
        return false;
    }
    return true;
  }

  const json& root_;
  std::map<std::pair<const json*, const json*>, bool> known_;
};

} // namespace

const json* referred_schema(const json& root, const json& schema) {
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

bool allows_null(const json& root, const json& schema) {
  return allows_null(root, schema, max_steps);
}

bool requires_property(const json& schema, const std::string& name) {
  const auto* required = list_of(schema, "required");
  return required != nullptr && has(*required, json(name));
}

json drop_added_nulls(json value, const json& original_schema) {
  null_dropper(original_schema).drop(value, original_schema);
  return value;
}

} // namespace troupe
