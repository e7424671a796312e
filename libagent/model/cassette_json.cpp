#include "libagent/model/cassette_json.hpp"

#include "libagent/model/cassette.hpp"
#include "libagent/model/history.hpp"

#include <fmt/format.h>

#include <optional>

namespace troupe {

namespace {

/// What a line's JSON adds around a tool's schema, which may itself be as deep as any JSON.
constexpr std::size_t max_depth = 64 + 8;

template <class T>
void put(json& object, const char* key, const std::optional<T>& value) {
  if (value)
    object[key] = *value;
}

json settings_json(const model_settings& settings) {
  auto made = json::object();
  put(made, "temperature", settings.temperature);
  put(made, "top_p", settings.top_p);
  put(made, "max_tokens", settings.max_tokens);
  put(made, "tool_choice", settings.tool_choice);
  put(made, "parallel_tool_calls", settings.parallel_tool_calls);
  put(made, "reasoning_effort", settings.reasoning_effort);
  put(made, "reasoning_summary", settings.reasoning_summary);
  put(made, "thinking_tokens", settings.thinking_tokens);
  return made;
}

json response_json(const model_response& response) {
  return {{"output", to_json(response.output)},
          {"usage", to_json(response.used)},
          {"finish_reason", response.finish_reason}};
}

json error_json(const error& reason) {
  auto made = json{{"code", to_string(reason.code)}, {"detail", reason.detail}};
  if (reason.facts)
    made["facts"] = *reason.facts;
  return made;
}

error wrong(std::string why) {
  return fail(errc::invalid_argument, std::move(why));
}

std::optional<errc> find_code(std::string_view name) {
  for (auto i = 1u; i <= static_cast<unsigned>(errc::internal); ++i)
    if (to_string(static_cast<errc>(i)) == name)
      return static_cast<errc>(i);
  return std::nullopt;
}

/// Counts that are missing are 0.
usage read_usage(const json& response) {
  const auto* given = find(response, "usage");
  const auto count = [given](std::string_view key) {
    const auto* value = given ? find(*given, key) : nullptr;
    return value && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
  };
  return {count("requests"), count("input_tokens"), count("output_tokens"), count("cached_tokens"),
          count("reasoning_tokens")};
}

result<model_response> read_response(const json& value) {
  const auto* output = find(value, "output");
  if (!output || !output->is_array())
    return wrong("a response without the list 'output'");
  auto response = model_response{};
  for (const auto& entry : *output) {
    auto read = item_from_json(entry);
    if (!read)
      return wrong("a response with " + read.error().detail);
    response.output.push_back(std::move(*read));
  }
  response.used = read_usage(value);
  if (const auto* reason = find_string(value, "finish_reason"))
    response.finish_reason = *reason;
  return response;
}

result<recorded_exchange> read_failure(const json& request, const json& value) {
  const auto* name = find_string(value, "code");
  const auto* detail = find_string(value, "detail");
  if (!name || !detail)
    return wrong("an error without the texts 'code' and 'detail'");
  const auto code = find_code(*name);
  if (!code)
    return wrong(fmt::format("an error with the unknown code '{}'", *name));
  auto made = fail(*code, *detail);
  if (const auto* facts = find(value, "facts"))
    made.facts = std::make_shared<const json>(*facts);
  return recorded_exchange{request, std::move(made)};
}

} // namespace

json to_json(const model_request& request) {
  auto items = json::array();
  const auto history = history_view{request};
  for (auto i = std::size_t{0}; i < history.size(); ++i)
    items.push_back(to_json(history[i]));
  auto tools = json::array();
  for (const auto& spec : request.tools ? *request.tools : tool_list{})
    tools.push_back(
        {{"name", spec.name}, {"description", spec.description}, {"input_schema", spec.input.document()}});
  auto made = json{{"agent", request.agent},
                   {"instructions", request.instructions},
                   {"items", std::move(items)},
                   {"tools", std::move(tools)},
                   {"settings", settings_json(request.settings)}};
  if (request.output)
    made["output"] = {{"name", request.output->name},
                      {"schema", request.output->schema},
                      {"strict", request.output->strict}};
  return made;
}

std::string cassette_line(std::string_view model, const model_request& request,
                          const result<model_response>& response, const redactor& hides) {
  const auto text = [&hides](const json& value) { return dump_json(hides.hide_tree(value)); };
  return fmt::format(R"({{"troupe_cassette":{},"model":{},"request":{},"{}":{}}})", cassette_version,
                     text(model), text(to_json(request)), response ? "response" : "error",
                     text(response ? response_json(*response) : error_json(response.error())));
}

result<recorded_exchange> read_exchange(std::string_view line) {
  const auto value = parse_json(line, max_depth);
  if (!value)
    return value.error();
  const auto* version = find(*value, "troupe_cassette");
  if (!version)
    return wrong("not an exchange of a cassette: 'troupe_cassette' is missing");
  if (*version != cassette_version)
    return wrong(fmt::format("an exchange of the cassette version {}; this program reads version {}",
                             dump_json(*version), cassette_version));
  const auto* request = find(*value, "request");
  if (!request || !request->is_object())
    return wrong("an exchange without the object 'request'");
  const auto* response = find(*value, "response");
  const auto* failure = find(*value, "error");
  if ((response != nullptr) == (failure != nullptr))
    return wrong("an exchange needs either 'response' or 'error'");
  if (failure)
    return read_failure(*request, *failure);
  auto read = read_response(*response);
  if (!read)
    return read.error();
  return recorded_exchange{*request, std::move(*read)};
}

} // namespace troupe
