#include "libagent/model/scripted_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::scripted {

namespace {

/// RE2 itself refuses more groups than fit a sane pattern; this only keeps numbers small.
constexpr std::size_t max_group_digits = 3;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_char(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

error bad_placeholder(std::string_view body, std::string_view why) {
  return fail(errc::invalid_argument,
              fmt::format("template placeholder \"{{{{{}}}}}\" {}", to_utf8(body), why));
}

result<placeholder> parse_output_path(std::string_view body) {
  auto parsed = placeholder{placeholder::source::output, 0, {}, {}, std::string{body}};
  auto rest = body.substr(std::string_view{"output."}.size());
  while (true) {
    const auto dot = rest.find('.');
    const auto key = rest.substr(0, dot);
    if (key.empty())
      return bad_placeholder(body, "has an empty part; write {{output.key}} or {{output.key.0}}");
    parsed.path.emplace_back(key);
    if (dot == std::string_view::npos)
      return parsed;
    rest.remove_prefix(dot + 1);
  }
}

result<placeholder> parse_placeholder(std::string_view body) {
  using source = placeholder::source;
  if (body.empty())
    return bad_placeholder(body, "is empty; name user, agent, output or a group");
  if (body == "user" || body == "agent")
    return placeholder{body == "user" ? source::user : source::agent, 0, {}, {}, std::string{body}};
  if (body == "output")
    return placeholder{source::output, 0, {}, {}, std::string{body}};
  if (body.starts_with("output."))
    return parse_output_path(body);
  if (std::all_of(body.begin(), body.end(), is_digit)) {
    auto number = 0u;
    if (body.size() > max_group_digits)
      return bad_placeholder(body, "is too high a group number");
    std::from_chars(body.data(), body.data() + body.size(), number);
    return placeholder{source::group_number, number, {}, {}, std::string{body}};
  }
  if (is_digit(body.front()) || !std::all_of(body.begin(), body.end(), is_name_char))
    return bad_placeholder(body,
                           "is not user, agent, output, output.KEY, a group's number or a group's name");
  return placeholder{source::group_name, 0, std::string{body}, {}, std::string{body}};
}

error not_there(const placeholder& what, std::string_view why) {
  return fail(errc::model_failed,
              fmt::format("the scripted model cannot fill in \"{{{{{}}}}}\": {}", to_utf8(what.text), why));
}

const json* step_into(const json& value, const std::string& key) {
  if (value.is_object())
    return find(value, key);
  auto index = std::size_t{0};
  const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), index);
  const auto is_index = code == std::errc{} && end == key.data() + key.size();
  return value.is_array() && is_index && index < value.size() ? &value[index] : nullptr;
}

result<const json*> find_in_output(const placeholder& what, const bindings& values) {
  if (!values.output)
    return not_there(what, "no tool output came before");
  if (!values.output_json)
    return not_there(what, "the tool's output is not JSON");
  const auto* at = &*values.output_json;
  for (const auto& key : what.path) {
    at = step_into(*at, key);
    if (!at)
      return not_there(what, fmt::format("the tool's output has no \"{}\" there", to_utf8(key)));
  }
  return at;
}

result<std::string> find_group(const placeholder& what, const bindings& values) {
  auto number = std::size_t{what.number};
  if (what.from == placeholder::source::group_name) {
    const auto named = values.group_names.find(what.name);
    if (named == values.group_names.end())
      return not_there(what, "the rule's user pattern has no group of that name");
    number = static_cast<std::size_t>(named->second);
  }
  if (number >= values.groups.size())
    return not_there(what, "the rule's user pattern has no such group");
  return values.groups[number];
}

result<std::string> fill_in(const placeholder& what, const bindings& values) {
  switch (what.from) {
  case placeholder::source::agent:
    return values.agent;
  case placeholder::source::user:
    if (!values.user)
      return not_there(what, "no user message came before");
    return *values.user;
  case placeholder::source::output: {
    if (what.path.empty() && values.output)
      return *values.output;
    const auto found = find_in_output(what, values);
    if (!found)
      return found.error();
    return readable(**found);
  }
  case placeholder::source::group_number:
  case placeholder::source::group_name:
    break;
  }
  return find_group(what, values);
}

/// The only placeholder of a template that is nothing else and names a value inside the output.
const placeholder* as_output_value(const text_template& parsed) {
  if (parsed.size() != 1)
    return nullptr;
  const auto* only = std::get_if<placeholder>(&parsed.front());
  return only && only->from == placeholder::source::output && !only->path.empty() ? only : nullptr;
}

result<std::string> join(const text_template& parsed, const bindings& values) {
  auto text = std::string{};
  for (const auto& piece : parsed) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      text += *literal;
      continue;
    }
    auto filled = fill_in(std::get<placeholder>(piece), values);
    if (!filled)
      return filled.error();
    text += *filled;
  }
  return text;
}

result<json> render_string(const std::string& text, const bindings& values) {
  const auto parsed = parse_template(text);
  if (!parsed)
    return fail(errc::model_failed, parsed.error().detail);
  if (const auto* what = as_output_value(*parsed)) {
    const auto found = find_in_output(*what, values);
    if (!found)
      return found.error();
    return json(**found);
  }
  auto joined = join(*parsed, values);
  if (!joined)
    return joined.error();
  return json(std::move(*joined));
}

std::string readable_fraction(double value) {
  const auto size = std::abs(value);
  if (value == 0)
    return "0";
  if (size < 0.001 || size >= 1e15)
    return fmt::format("{:.4g}", value);
  auto text = fmt::format("{:.4f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.'))
    text.pop_back();
  return text;
}

} // namespace

result<text_template> parse_template(std::string_view text) {
  auto parsed = text_template{};
  auto literal = std::string{};
  while (true) {
    const auto open = text.find("{{");
    literal += text.substr(0, open);
    if (open == std::string_view::npos)
      break;
    text.remove_prefix(open + 2);
    if (text.starts_with("{{")) {
      literal += "{{";
      text.remove_prefix(2);
      continue;
    }
    const auto close = text.find("}}");
    if (close == std::string_view::npos)
      return fail(errc::invalid_argument,
                  "template has \"{{\" without \"}}\"; write \"{{{{\" for two plain braces");
    auto body = parse_placeholder(trim(text.substr(0, close)));
    if (!body)
      return body.error();
    if (!literal.empty())
      parsed.emplace_back(std::exchange(literal, {}));
    parsed.emplace_back(std::move(*body));
    text.remove_prefix(close + 2);
  }
  if (!literal.empty())
    parsed.emplace_back(std::move(literal));
  return parsed;
}

result<std::string> render(std::string_view text, const bindings& values) {
  const auto parsed = parse_template(text);
  if (!parsed)
    return fail(errc::model_failed, parsed.error().detail);
  return join(*parsed, values);
}

result<json> render_strings(const json& value, const bindings& values) {
  if (value.is_string())
    return render_string(value.get_ref<const std::string&>(), values);
  if (!value.is_structured())
    return value;
  auto copy = value;
  for (auto& element : copy) {
    auto rendered = render_strings(element, values);
    if (!rendered)
      return rendered.error();
    element = std::move(*rendered);
  }
  return copy;
}

std::string readable(const json& value) {
  if (const auto* text = value.get_ptr<const json::string_t*>())
    return *text;
  if (value.is_number_float())
    return readable_fraction(value.get<double>());
  return dump_json(value);
}

} // namespace troupe::scripted
