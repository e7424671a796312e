#include "actors/http/json_body.hpp"

#include "libagent/config/spelling.hpp"

#include <algorithm>
#include <vector>

namespace troupe::http {

result<json> parse_object(std::string_view body, std::size_t max_depth) {
  if (body.find_first_not_of(white_space) == std::string_view::npos)
    return fail(errc::malformed, "the body is empty; it must be a JSON object");
  auto parsed = parse_json(body, max_depth);
  if (!parsed)
    return fail(parsed.error().code, fmt::format("the body is {}", parsed.error().detail));
  if (!parsed->is_object())
    return fail(errc::invalid_argument,
                fmt::format("the body must be an object, not {}", parsed->type_name()));
  return parsed;
}

std::string field_reader::required_text(std::string_view name) {
  const auto* value = find(body_, name);
  if (value == nullptr) {
    missing(name);
    return {};
  }
  return text(name, *value);
}

std::string field_reader::optional_text(std::string_view name) {
  const auto* value = present(name);
  return value == nullptr ? std::string() : text(name, *value);
}

bool field_reader::optional_flag(std::string_view name) {
  const auto* value = present(name);
  if (value == nullptr)
    return false;
  if (!value->is_boolean())
    wrong_type(name, "true or false", *value);
  return *value == true;
}

std::string field_reader::optional_word(std::string_view name,
                                        std::initializer_list<std::string_view> words) {
  const auto* value = present(name);
  if (value == nullptr)
    return {};
  const auto* text = value->get_ptr<const std::string*>();
  if (text != nullptr && std::find(words.begin(), words.end(), *text) != words.end())
    return *text;
  std::vector<std::string> quoted;
  for (const auto word : words)
    quoted.push_back(fmt::format("\"{}\"", word));
  wrong("'{}' must be one of {}", name, fmt::join(quoted, ", "));
  return {};
}

std::optional<std::uint64_t> field_reader::optional_count(std::string_view name, std::uint64_t most) {
  const auto* value = present(name);
  if (value == nullptr)
    return std::nullopt;
  if (value->is_number_unsigned())
    if (const auto count = value->get<std::uint64_t>(); count >= 1 && count <= most)
      return count;
  wrong("'{}' must be a whole number from 1 to {}", name, most);
  return std::nullopt;
}

const json* field_reader::optional_object(std::string_view name) {
  const auto* value = present(name);
  if (value == nullptr || value->is_object())
    return value;
  wrong_type(name, "an object", *value);
  return nullptr;
}

const json* field_reader::required_array(std::string_view name) {
  const auto* value = find(body_, name);
  if (value == nullptr)
    missing(name);
  else if (value->is_array())
    return value;
  else
    wrong_type(name, "an array", *value);
  return nullptr;
}

const json* field_reader::present(std::string_view name) const {
  const auto* value = find(body_, name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void field_reader::missing(std::string_view name) {
  std::vector<std::string> given;
  for (const auto& [key, ignored] : body_.items())
    if (given.size() < defaults::max_compared_fields)
      given.push_back(key);
    else
      break;
  if (const auto meant = config::nearest(name, given); !meant.empty())
    wrong("'{}' is missing; {} is unknown", name, config::in_quotes(meant));
  else
    wrong("'{}' is missing", name);
}

void field_reader::wrong_type(std::string_view name, std::string_view wanted, const json& value) {
  wrong("'{}' must be {}, not {}", name, wanted, value.type_name());
}

std::string field_reader::text(std::string_view name, const json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr)
    wrong_type(name, "a string", value);
  else if (text->find_first_not_of(white_space) == std::string::npos)
    wrong("'{}' is empty", name);
  else
    return *text;
  return {};
}

} // namespace troupe::http
