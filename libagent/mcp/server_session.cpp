#include "libagent/mcp/server_session.hpp"

#include "libagent/mcp/jsonrpc.hpp"
#include "libagent/mcp/protocol.hpp"
#include "libagent/mcp/tool_content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace troupe::mcp {

namespace {

json describe_tool(const served_tool& tool) {
  json described = {{"name", tool.spec.name},
                    {"description", tool.spec.description},
                    {"inputSchema", tool.spec.input.document()},
                    {"annotations", {{"readOnlyHint", tool.read_only}}}};
  if (tool.output_schema)
    described["outputSchema"] = *tool.output_schema;
  return described;
}

/// A tool's exception is its failure, not the server's.
tool_result run_tool(const served_tool& tool, const json& arguments) {
  try {
    return tool.run(arguments);
  } catch (const std::exception& failure) {
    return tool_result::failure(fmt::format("{} failed: {}", tool.spec.name, failure.what()));
  } catch (...) {
    return tool_result::failure(fmt::format("{} failed", tool.spec.name));
  }
}

std::string encode_result(const served_tool& tool, const tool_result& given) {
  json value = {{"content", to_mcp_content(given.parts)}, {"isError", given.is_error}};
  const auto* text = given.parts.size() == 1 ? std::get_if<text_content>(&given.parts.front()) : nullptr;
  if (tool.output_schema && !given.is_error && text != nullptr)
    if (auto structured = parse_json(text->text, max_message_depth); structured && structured->is_object())
      value["structuredContent"] = std::move(*structured);
  return dump_json(value);
}

} // namespace

struct server_session::impl {
  server_options options;
  std::vector<served_tool> tools;
  /// The revision agreed on, once there was a handshake.
  std::optional<std::string> version;

  std::optional<std::string> answer(rpc_message message);
  std::string answer_request(const rpc_request& asked);
  std::string initialize(const rpc_request& asked);
  std::string list_tools(const rpc_request& asked) const;
  std::string call_tool(const rpc_request& asked) const;
  std::vector<std::string> answer_batch(json batch);
};

/// Nothing for notifications, and for answers, since this end asks nothing.
std::optional<std::string> server_session::impl::answer(rpc_message message) {
  if (const auto* asked = std::get_if<rpc_request>(&message))
    return answer_request(*asked);
  if (const auto* invalid = std::get_if<rpc_invalid>(&message))
    return encode_error(invalid->id, rpc_code::invalid_request, "Invalid request: " + invalid->reason);
  return std::nullopt;
}

std::string server_session::impl::answer_request(const rpc_request& asked) {
  if (asked.method == "ping")
    return encode_response(asked.id, "{}");
  if (asked.method == "initialize")
    return initialize(asked);
  const bool is_list = asked.method == "tools/list";
  if (!is_list && asked.method != "tools/call")
    return encode_error(asked.id, rpc_code::method_not_found, "Method not found");
  if (!version)
    return encode_error(asked.id, rpc_code::invalid_request, "Not initialized: send initialize first");
  return is_list ? list_tools(asked) : call_tool(asked);
}

std::string server_session::impl::initialize(const rpc_request& asked) {
  const auto* wanted = find_string(asked.params, "protocolVersion");
  if (wanted == nullptr)
    return encode_error(asked.id, rpc_code::invalid_params, "protocolVersion is missing");
  version = is_known_version(*wanted) ? *wanted : std::string(latest_version);
  json value = {{"protocolVersion", *version},
                {"capabilities", {{"tools", json::object()}}},
                {"serverInfo", {{"name", options.name}, {"version", options.version}}}};
  if (!options.instructions.empty())
    value["instructions"] = options.instructions;
  return encode_response(asked.id, dump_json(value));
}

std::string server_session::impl::list_tools(const rpc_request& asked) const {
  // There is one page, so no cursor was ever given out.
  if (const auto* cursor = find(asked.params, "cursor"); cursor != nullptr && !cursor->is_null())
    return encode_error(asked.id, rpc_code::invalid_params, "Unknown cursor");
  auto described = json::array();
  for (const auto& tool : tools)
    described.push_back(describe_tool(tool));
  return encode_response(asked.id, dump_json({{"tools", std::move(described)}}));
}

std::string server_session::impl::call_tool(const rpc_request& asked) const {
  const auto* name = find_string(asked.params, "name");
  if (name == nullptr)
    return encode_error(asked.id, rpc_code::invalid_params, "The name of the tool is missing");
  const auto tool = std::find_if(tools.begin(), tools.end(),
                                 [&](const served_tool& each) { return each.spec.name == *name; });
  if (tool == tools.end())
    return encode_error(asked.id, rpc_code::invalid_params, "Unknown tool: " + *name);
  const auto* given = find(asked.params, "arguments");
  const auto arguments = given == nullptr || given->is_null() ? json::object() : *given;
  if (!arguments.is_object())
    return encode_error(asked.id, rpc_code::invalid_params, "arguments must be an object");
  const auto fits = tool->spec.input.validate(arguments);
  const auto outcome =
      fits ? run_tool(*tool, arguments) : tool_result::failure("Invalid arguments: " + fits.error().detail);
  return encode_response(asked.id, encode_result(*tool, outcome));
}

std::vector<std::string> server_session::impl::answer_batch(json batch) {
  if (version != batch_version || batch.empty())
    return {encode_error(nullptr, rpc_code::invalid_request, "Invalid request: a batch")};
  std::vector<std::string> answers;
  for (auto& element : batch) {
    auto message = classify(std::move(element));
    const auto* asked = std::get_if<rpc_request>(&message);
    if (asked != nullptr && asked->method == "initialize")
      answers.push_back(encode_error(asked->id, rpc_code::invalid_request, "initialize inside a batch"));
    else if (auto text = answer(std::move(message)))
      answers.push_back(std::move(*text));
  }
  if (answers.empty())
    return {};
  return {fmt::format("[{}]", fmt::join(answers, ","))};
}

server_session::server_session(server_options options, std::vector<served_tool> tools)
    : impl_(std::make_unique<impl>(impl{std::move(options), std::move(tools), std::nullopt})) {}
server_session::~server_session() = default;

std::vector<std::string> server_session::on_line(std::string_view line) {
  const auto text = trimmed_line(line);
  if (text.empty())
    return {};
  auto parsed = parse_json(text, max_message_depth);
  if (!parsed)
    return {encode_error(nullptr, rpc_code::parse_error, "Parse error: " + parsed.error().detail)};
  if (parsed->is_array())
    return impl_->answer_batch(std::move(*parsed));
  if (auto answer = impl_->answer(classify(std::move(*parsed))))
    return {std::move(*answer)};
  return {};
}

} // namespace troupe::mcp
