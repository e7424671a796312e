#include "libagent/mcp/jsonrpc.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::mcp {

namespace {

bool is_usable_id(const json* id) {
  return id != nullptr && (id->is_string() || id->is_number());
}

/// Moves a member out of the object; null if it is not there.
json take(json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? json() : std::move(*found);
}

/// What servers send as an error object is not always one.
rpc_error error_of(json id, json thrown) {
  rpc_error made{std::move(id), 0, {}, {}};
  if (const auto* code = find(thrown, "code"); code != nullptr && code->is_number_integer())
    made.code = code->get<std::int64_t>();
  if (const auto* message = find_string(thrown, "message"))
    made.message = *message;
  else
    made.message = thrown.is_string() ? thrown.get<std::string>() : dump_json(thrown);
  if (thrown.is_object())
    made.data = take(thrown, "data");
  return made;
}

rpc_message classify_call(json value, const json* id) {
  const auto* params = find(value, "params");
  if (params != nullptr && !params->is_structured() && !params->is_null())
    return rpc_invalid{is_usable_id(id) ? *id : json(), false, "params are neither an object nor an array"};
  auto method = std::move(value["method"].get_ref<std::string&>());
  if (id == nullptr)
    return rpc_notification{std::move(method), take(value, "params")};
  if (!is_usable_id(id))
    return rpc_invalid{{}, false, "the id is neither a string nor a number"};
  return rpc_request{take(value, "id"), std::move(method), take(value, "params")};
}

} // namespace

rpc_message classify(json value) {
  if (!value.is_object())
    return rpc_invalid{{}, false, "not an object"};
  const auto* id = find(value, "id");
  const auto* method = find(value, "method");
  const auto known_id = [&] { return is_usable_id(id) ? *id : json(); };
  if (const auto* version = find_string(value, "jsonrpc"); version == nullptr || *version != "2.0")
    return rpc_invalid{known_id(), false, "jsonrpc is not \"2.0\""};
  if (method != nullptr && !method->is_string())
    return rpc_invalid{known_id(), false, "the method is not a string"};
  if (method != nullptr)
    return classify_call(std::move(value), id);
  if (const auto* thrown = find(value, "error"); thrown != nullptr && !thrown->is_null())
    return error_of(known_id(), take(value, "error"));
  if (!is_usable_id(id))
    return rpc_invalid{{}, false, "neither a method nor a usable id"};
  if (find(value, "result") != nullptr)
    return rpc_response{take(value, "id"), take(value, "result")};
  return rpc_invalid{known_id(), true, "neither a method, a result nor an error"};
}

std::string encode_request(std::int64_t id, std::string_view method, std::string_view params) {
  if (params.empty())
    return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}"}})", id, method);
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})", id, method, params);
}

std::string encode_notification(std::string_view method, std::string_view params) {
  if (params.empty())
    return fmt::format(R"({{"jsonrpc":"2.0","method":"{}"}})", method);
  return fmt::format(R"({{"jsonrpc":"2.0","method":"{}","params":{}}})", method, params);
}

std::string encode_response(const json& id, std::string_view value) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", dump_json(id), value);
}

std::string encode_error(const json& id, int code, std::string_view message) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{{"code":{},"message":{}}}}})", dump_json(id), code,
                     dump_json(json(message)));
}

std::string_view trimmed_line(std::string_view line) noexcept {
  constexpr std::string_view blanks = " \t\r\n";
  // Some runtimes begin their output with a byte order mark.
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (line.starts_with(mark))
    line.remove_prefix(mark.size());
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

} // namespace troupe::mcp
