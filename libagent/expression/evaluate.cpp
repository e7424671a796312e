#include "libagent/expression/syntax.hpp"

#include "libagent/core/json.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace troupe::expressions {

namespace {

/// A value of the scope, which is not copied, or one that was made on the way.
class held {
public:
  held(const json* place) : place_(place) {}
  held(json made) : made_(std::move(made)) {}

  const json& operator*() const { return place_ == nullptr ? made_ : *place_; }
  const json* operator->() const { return &**this; }
  json release() && { return place_ == nullptr ? std::move(made_) : *place_; }

private:
  const json* place_ = nullptr;
  json made_;
};

std::string_view type_of(const json& value) {
  switch (value.type()) {
  case json::value_t::array:
    return "a list";
  case json::value_t::object:
    return "an object";
  case json::value_t::string:
    return "a string";
  case json::value_t::boolean:
    return "a boolean";
  case json::value_t::null:
    return "null";
  default:
    return "a number";
  }
}

error wrong_type(operation what, std::string_view takes, std::string_view given) {
  return fail(errc::invalid_argument, fmt::format("'{}' takes {}, not {}", to_string(what), takes, given));
}

re2::StringPiece piece_of(const std::string& text) {
  return {text.data(), text.size()};
}

result<bool> as_condition(operation what, const json& value) {
  if (value.is_null())
    return false;
  if (!value.is_boolean())
    return wrong_type(what, "booleans", type_of(value));
  return value.get<bool>();
}

result<bool> is_ordered(operation what, const json& left, const json& right) {
  const bool numbers = left.is_number() && right.is_number();
  if (!numbers && !(left.is_string() && right.is_string()))
    return wrong_type(what, "two numbers or two strings",
                      fmt::format("{} and {}", type_of(left), type_of(right)));
  switch (what) {
  case operation::less:
    return left < right;
  case operation::less_or_equal:
    return left <= right;
  case operation::greater:
    return right < left;
  default:
    return right <= left;
  }
}

result<bool> is_contained(operation what, const json& part, const json& whole) {
  if (whole.is_null())
    return false;
  if (whole.is_array())
    return std::find(whole.begin(), whole.end(), part) != whole.end();
  if (!whole.is_string() && !whole.is_object())
    return wrong_type(what, "a list, an object or a string to look in", type_of(whole));
  if (part.is_null())
    return false;
  const auto* text = part.get_ptr<const std::string*>();
  if (text == nullptr)
    return wrong_type(what, fmt::format("a string to look for in {}", type_of(whole)), type_of(part));
  if (whole.is_object())
    return whole.contains(*text);
  return whole.get_ref<const std::string&>().find(*text) != std::string::npos;
}

result<bool> is_found(const json& text, const json& regex, const pattern& compiled) {
  auto search = compiled;
  if (!search) {
    const auto* written = regex.get_ptr<const std::string*>();
    if (written == nullptr)
      return wrong_type(operation::matches, "a regular expression in a string", type_of(regex));
    auto made = compile_pattern(*written);
    if (!made)
      return made.error();
    search = std::move(*made);
  }
  if (text.is_null())
    return false;
  const auto* searched = text.get_ptr<const std::string*>();
  if (searched == nullptr)
    return wrong_type(operation::matches, "a string to look in", type_of(text));
  return re2::RE2::PartialMatch(piece_of(*searched), *search);
}

result<json> length_of(const json& value) {
  if (value.is_null())
    return json(0u);
  if (value.is_structured())
    return json(value.size());
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr)
    return wrong_type(operation::length, "a string, a list or an object", type_of(value));
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return json(std::count_if(text->begin(), text->end(), begins_character));
}

result<json> lower_of(const json& value) {
  if (value.is_null())
    return value;
  if (!value.is_string())
    return wrong_type(operation::lower, "a string", type_of(value));
  auto text = value.get<std::string>();
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return json(std::move(text));
}

/// The literal's pattern, if the node is a literal that has one.
pattern pattern_of(const node& operand) {
  const auto* fixed = std::get_if<literal>(&operand.what);
  return fixed == nullptr ? nullptr : fixed->compiled;
}

class evaluator {
public:
  explicit evaluator(const json& scope) : scope_(scope) {}

  result<held> value_of(const node& what) const {
    return std::visit([this](const auto& each) { return of(each); }, what.what);
  }

private:
  result<held> of(const literal& fixed) const { return held(&fixed.value); }

  result<held> of(const path& way) const {
    const auto* found = follow(scope_, way);
    return found == nullptr ? held(json()) : held(found);
  }

  result<held> of(const applied& call) const {
    switch (call.what) {
    case operation::disjunction:
      return made(first_that(call, true));
    case operation::conjunction:
      return made(first_that(call, false));
    case operation::list:
      return list_of(call.operands);
    case operation::negation:
    case operation::length:
    case operation::lower:
      return of_one(call);
    default:
      return of_two(call);
    }
  }

  /// `wanted` if an operand is, evaluated no further than that one.
  result<bool> first_that(const applied& call, bool wanted) const {
    for (const auto& each : call.operands) {
      const auto value = value_of(each);
      if (!value)
        return value.error();
      const auto holds = as_condition(call.what, **value);
      if (!holds || *holds == wanted)
        return holds;
    }
    return !wanted;
  }

  result<held> list_of(const std::vector<node>& elements) const {
    auto list = json::array();
    for (const auto& each : elements) {
      auto value = value_of(each);
      if (!value)
        return value.error();
      list.push_back(std::move(*value).release());
    }
    return held(std::move(list));
  }

  result<held> of_one(const applied& call) const {
    const auto operand = value_of(call.operands.front());
    if (!operand)
      return operand.error();
    if (call.what == operation::length)
      return made(length_of(**operand));
    if (call.what == operation::lower)
      return made(lower_of(**operand));
    const auto holds = as_condition(call.what, **operand);
    return holds ? held(json(!*holds)) : result<held>(holds.error());
  }

  result<held> of_two(const applied& call) const {
    const auto left = value_of(call.operands[0]);
    if (!left)
      return left.error();
    const auto right = value_of(call.operands[1]);
    if (!right)
      return right.error();
    switch (call.what) {
    case operation::equal:
      return held(json(**left == **right));
    case operation::unequal:
      return held(json(**left != **right));
    case operation::in:
      return made(is_contained(call.what, **left, **right));
    case operation::contains:
      return made(is_contained(call.what, **right, **left));
    case operation::not_in: {
      const auto inside = is_contained(call.what, **left, **right);
      return inside ? held(json(!*inside)) : result<held>(inside.error());
    }
    case operation::matches:
      return made(is_found(**left, **right, pattern_of(call.operands[1])));
    default:
      return made(is_ordered(call.what, **left, **right));
    }
  }

  template <class T>
  static result<held> made(result<T> value) {
    if (!value)
      return value.error();
    return held(json(std::move(*value)));
  }

  const json& scope_;
};

} // namespace

result<json> evaluate(const node& root, const json& scope) {
  auto value = evaluator(scope).value_of(root);
  if (!value)
    return value.error();
  return std::move(*value).release();
}

} // namespace troupe::expressions
