#include "libagent/mcp/server_words.hpp"

#include "libagent/mcp/protocol.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace troupe::mcp {

namespace {

std::string text_in(const json* object, std::string_view key) {
  const auto* found = object == nullptr ? nullptr : find_string(*object, key);
  return found == nullptr ? std::string() : *found;
}

std::optional<std::int64_t> whole(double number) {
  // Up to here a double holds every integer.
  constexpr double limit = 9007199254740992.0;
  if (!(number >= 0 && number <= limit))
    return std::nullopt;
  const auto truncated = static_cast<std::int64_t>(number);
  return static_cast<double>(truncated) == number ? std::optional(truncated) : std::nullopt;
}

} // namespace

result<handshake_answer> read_handshake(const json& answer) {
  handshake_answer read;
  const auto* info = find(answer, "serverInfo");
  read.server = {text_in(&answer, "protocolVersion"), text_in(info, "name"), text_in(info, "version"),
                 text_in(&answer, "instructions")};
  if (read.server.protocol_version.empty())
    return fail(errc::protocol_violation, "the server's answer to initialize names no protocol version");
  if (!is_known_version(read.server.protocol_version))
    return fail(errc::protocol_violation,
                fmt::format("the server speaks MCP {}; this client speaks {}",
                            excerpt(read.server.protocol_version), fmt::join(protocol_versions, ", ")));
  const auto* capabilities = find(answer, "capabilities");
  const auto* tools = capabilities == nullptr ? nullptr : find(*capabilities, "tools");
  read.has_tools = tools != nullptr && !tools->is_null();
  return read;
}

std::string describe_refusal(const rpc_error& answer) {
  auto text = fmt::format("the server refused the handshake: {}", describe(answer));
  const auto* supported = find(answer.data, "supported");
  if (supported == nullptr || !supported->is_array())
    return text;
  std::string versions;
  for (const auto& version : *supported)
    if (version.is_string())
      versions += (versions.empty() ? "" : ", ") + version.get<std::string>();
  return fmt::format("{}; the server speaks MCP {}, this client {}", text, excerpt(versions),
                     fmt::join(protocol_versions, ", "));
}

std::string describe(const rpc_error& answer) {
  return fmt::format("{} (code {})", answer.message.empty() ? "error without a message" : answer.message,
                     answer.code);
}

std::optional<progress_report> read_progress(const json& params) {
  const auto* token = find(params, "progressToken");
  const auto id = token == nullptr ? std::nullopt : own_id(*token);
  const auto* progress = find(params, "progress");
  if (!id || progress == nullptr || !progress->is_number())
    return std::nullopt;
  progress_report read{*id, progress->get<double>(), std::nullopt, text_in(&params, "message")};
  if (const auto* total = find(params, "total"); total != nullptr && total->is_number())
    read.total = total->get<double>();
  return read;
}

server_log read_log(const json& params) {
  auto level = text_in(&params, "level");
  auto text = text_in(&params, "logger");
  if (!text.empty())
    text += ": ";
  if (const auto* data = find(params, "data"))
    text += data->is_string() ? data->get_ref<const std::string&>() : dump_json(*data);
  return {level.empty() ? "info" : std::move(level), std::move(text)};
}

std::optional<std::int64_t> own_id(const json& value) {
  if (value.is_number_integer())
    return value.get<std::int64_t>();
  if (value.is_number_float())
    return whole(value.get<double>());
  if (!value.is_string())
    return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool all = failure == std::errc() && end == text.data() + text.size();
  return all ? std::optional(number) : std::nullopt;
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t enough = 200;
  return to_utf8(text.substr(0, enough)) + (text.size() > enough ? "..." : "");
}

} // namespace troupe::mcp
