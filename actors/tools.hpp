#pragma once

#include "actors/defaults.hpp"
#include "actors/interfaces.hpp"
#include "libagent/core/tool.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

/// What a function tool does. Called in an actor of its own, one for each call, so it may take its time;
/// calls run at the same time. An exception becomes an error result that the model reads.
using tool_function = std::function<tool_result(const tool_invocation&)>;

/// A tool given in code.
struct code_tool {
  tool_spec spec;
  std::variant<tool_function, tool_actor> handler;
  /// For a function that blocks (files, sockets, sleeping): each call gets a thread of its own.
  bool blocking = false;
  /// A call that takes longer gives the model an error result. (A function goes on to its end all the same.)
  std::chrono::milliseconds timeout = defaults::tool_timeout;
};

/// Name and description of a parameter of a function tool.
struct parameter {
  std::string name;
  std::string description;
};

namespace tools_detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_result : std::false_type {};
template <class T>
struct is_result<result<T>> : std::true_type {};

/// JSON Schema of a parameter's type.
template <class T>
json schema_of() {
  if constexpr (is_optional<T>::value)
    return schema_of<typename T::value_type>();
  else if constexpr (is_vector<T>::value)
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>()}};
  else if constexpr (std::is_same_v<T, bool>)
    return {{"type", "boolean"}};
  else if constexpr (std::is_integral_v<T>)
    return {{"type", "integer"},
            {"minimum", std::numeric_limits<T>::min()},
            {"maximum", std::numeric_limits<T>::max()}};
  else if constexpr (std::is_floating_point_v<T>)
    return {{"type", "number"}};
  else if constexpr (std::is_same_v<T, json>)
    return json::object();
  else {
    static_assert(std::is_same_v<T, std::string>,
                  "a tool's parameter is a string, bool, number, json, or a vector or optional of one");
    return {{"type", "string"}};
  }
}

template <class T>
T argument(const json& arguments, const std::string& name) {
  const auto* value = find(arguments, name);
  if constexpr (is_optional<T>::value) {
    if (value == nullptr || value->is_null())
      return std::nullopt;
    return value->template get<typename T::value_type>();
  } else {
    return value->template get<T>();
  }
}

template <class T>
tool_result to_tool_result(T&& value) {
  using plain = std::remove_cvref_t<T>;
  if constexpr (std::is_same_v<plain, tool_result>)
    return std::forward<T>(value);
  else if constexpr (is_result<plain>::value)
    return value ? to_tool_result(*std::forward<T>(value)) : tool_result::failure(value.error().detail);
  else if constexpr (std::is_convertible_v<T, std::string>)
    return tool_result::text(std::forward<T>(value));
  else
    return tool_result::text(dump_json(json(std::forward<T>(value))));
}

template <class F>
struct signature : signature<decltype(&F::operator())> {};
template <class R, class... Args>
struct signature<R (*)(Args...)> {
  using arguments = std::tuple<std::remove_cvref_t<Args>...>;
};
template <class C, class R, class... Args>
struct signature<R (C::*)(Args...)> : signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct signature<R (C::*)(Args...) const> : signature<R (*)(Args...)> {};

template <class Arguments, std::size_t... I>
json input_schema(const std::vector<parameter>& parameters, std::index_sequence<I...>) {
  json properties = json::object();
  json required = json::array();
  [[maybe_unused]] const auto add = [&]<class T>(std::type_identity<T>, const parameter& p) {
    properties[p.name] = schema_of<T>();
    if (!p.description.empty())
      properties[p.name]["description"] = p.description;
    if (!is_optional<T>::value)
      required.push_back(p.name);
  };
  (add(std::type_identity<std::tuple_element_t<I, Arguments>>{}, parameters[I]), ...);
  return {{"type", "object"},
          {"properties", properties},
          {"required", required},
          {"additionalProperties", false}};
}

template <class Arguments, class F, std::size_t... I>
tool_result invoke(const F& f, const std::vector<parameter>& parameters, const json& arguments,
                   std::index_sequence<I...>) {
  const auto call = [&] {
    return f(argument<std::tuple_element_t<I, Arguments>>(arguments, parameters[I].name)...);
  };
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    return tool_result::text("done");
  } else {
    return to_tool_result(call());
  }
}

} // namespace tools_detail

/// Makes a tool of a function or lambda. Its parameters' types give the JSON Schema (std::optional: not
/// required), one `parameter` for each gives name and description. It returns a text, a number, bool or json,
/// a `tool_result`, a `result<T>` of these, or nothing.
///
///   function_tool("get_weather", "The weather in a city", [](const std::string& city) { return "sunny"; },
///                 parameter{"city", "Name of the city"});
template <class F, class... Parameters>
code_tool function_tool(std::string name, std::string description, F f, Parameters... declared) {
  using arguments = typename tools_detail::signature<F>::arguments;
  using indices = std::make_index_sequence<std::tuple_size_v<arguments>>;
  static_assert(std::tuple_size_v<arguments> == sizeof...(Parameters),
                "one `parameter` for each of the function's");
  std::vector<parameter> parameters{parameter(std::move(declared))...};
  auto schema = json_schema::compile(tools_detail::input_schema<arguments>(parameters, indices{}));
  auto run = [f = std::move(f), parameters = std::move(parameters)](const tool_invocation& call) {
    static const json no_arguments = json::object();
    return tools_detail::invoke<arguments>(f, parameters, call.arguments ? *call.arguments : no_arguments,
                                           indices{});
  };
  return {.spec = {std::move(name), std::move(description), *schema},
          .handler = tool_function(std::move(run))};
}

/// Makes a tool of an actor, with the JSON Schema of its arguments.
inline code_tool actor_tool(tool_spec spec, tool_actor handler) {
  return {.spec = std::move(spec), .handler = std::move(handler)};
}

} // namespace troupe
