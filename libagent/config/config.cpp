#include "libagent/config/config.hpp"

#include "libagent/config/blocks.hpp"
#include "libagent/config/document.hpp"
#include "libagent/config/references.hpp"
#include "libagent/config/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <tuple>

namespace troupe::config {

namespace {

namespace fs = std::filesystem;

constexpr auto mcp_key = "mcpServers";
/// What the same block is called where all keys are written alike.
constexpr auto mcp_synonym = "mcp_servers";

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>{value} : std::nullopt;
}

fs::path folder_of(const fs::path& file) {
  auto code = std::error_code{};
  const auto absolute = fs::absolute(file, code);
  return (code ? file : absolute).lexically_normal().parent_path();
}

/// By place; the same problem of a shared anchor is told once.
void sort_and_unite(std::vector<diagnostic>& all) {
  const auto key = [](const diagnostic& one) { return std::tie(one.line, one.column, one.message); };
  const auto at = [](const diagnostic& one) { return std::tie(one.line, one.column); };
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return at(a) < at(b); });
  const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
}

void read_mcp_blocks(map_reader& root, std::vector<mcp_server_options>& into) {
  const auto usual = root.find(mcp_key);
  const auto synonym = root.find(mcp_synonym);
  if (usual && synonym)
    synonym->ctx.fail(
        synonym->key_at,
        fmt::format("'{}' stands beside '{}'; put all MCP servers under one of them", mcp_synonym, mcp_key));
  if (usual)
    read_mcp_servers(*usual, into);
  else if (synonym)
    read_mcp_servers(*synonym, into);
}

/// Keys for anchors that other blocks refer to.
void ignore_extensions(map_reader& root) {
  for (const auto& one : root.self().value.entries)
    if (one.key.starts_with("x-"))
      root.ignore({one.key});
}

configuration read_blocks(map_reader& root) {
  auto read = configuration{};
  const auto block = [&](std::string_view key, auto reader, auto& into) {
    if (const auto found = root.find(key))
      reader(*found, into);
  };
  block("server", read_server, read.server);
  block("models", read_models, read.models);
  read_mcp_blocks(root, read.mcp_servers);
  block("guardrails", read_guardrails, read.guardrails);
  block("agents", read_agents, read.agents);
  block("hooks", read_hooks, read.hooks);
  block("sessions", read_sessions, read.sessions);
  block("journal", read_journal, read.journal);
  block("limits", read_limits, read.limits);
  ignore_extensions(root);
  root.finish();
  return read;
}

std::optional<configuration> read_file(context& ctx, const std::string& text) {
  const auto root =
      read_document(text, ctx.env, [&](place at, std::string message) { ctx.fail(at, std::move(message)); });
  if (!root)
    return std::nullopt;
  const auto self = field{ctx, *root, "the agent file", root->at};
  auto reader = map_reader{self, self.what};
  if (!reader.is_map())
    return std::nullopt;
  auto read = read_blocks(reader);
  for (auto& found : find_problems(read, &ctx.where)) {
    const auto at = place_of(ctx.where, found.path);
    if (found.is_hint)
      ctx.warn(at, std::move(found.message));
    else
      ctx.fail(at, std::move(found.message));
  }
  return read;
}

/// Why the file cannot be opened to be read; empty if it can.
std::string open_file(const fs::path& file, std::ifstream& into) {
  auto code = std::error_code{};
  if (fs::is_directory(file, code))
    return "it is a folder";
  errno = 0;
  into.open(file, std::ios::binary);
  return into ? "" : std::strerror(errno != 0 ? errno : EIO);
}

/// Files that have to be there when the file is put to use.
void check_cassettes(context& ctx, const configuration& read) {
  for (std::size_t i = 0; i < read.models.size(); ++i) {
    const auto* replay = std::get_if<replay_options>(&read.models[i].provider);
    const auto found = ctx.where.find(fmt::format("models/{}/cassette", i));
    if (!replay || found == ctx.where.end())
      continue;
    std::ifstream stream;
    const auto why = open_file(replay->cassette, stream);
    if (!why.empty())
      ctx.fail(found->second.at,
               fmt::format("'cassette' in model {} names a file that cannot be read{}: {}; name one that "
                           "'record' wrote",
                           in_quotes(read.models[i].name),
                           found->second.literal ? " (" + replay->cassette.string() + ")" : "", why));
  }
}

enum class scope { text, text_and_files };

load_result parse(const std::string& text, const fs::path& file, const environment& env, scope what) {
  auto secrets = std::vector<secret>{};
  const environment noting = [&](const std::string& name) {
    auto value = env ? env(name) : std::nullopt;
    if (value && !value->empty())
      secrets.emplace_back(*value, name);
    return value;
  };
  auto ctx = context{file.string(), folder_of(file), noting, {}, {}, {}, {}, {}};
  auto result = load_result{};
  try {
    result.value = read_file(ctx, text);
    if (result.value && what == scope::text_and_files) {
      check_cassettes(ctx, *result.value);
      check_server_files(ctx, result.value->server);
      check_sandboxes(ctx, *result.value);
    }
    if (result.value) {
      result.value->secrets = std::move(secrets);
      result.value->tool_mentions = std::move(ctx.tool_mentions);
    }
  } catch (const std::exception&) {
    // What an exception of a third party says may quote the file.
    ctx.errors.push_back(
        {ctx.file, 0, 0, "the file could not be read to its end; make it smaller and simpler"});
  }
  sort_and_unite(ctx.errors);
  sort_and_unite(ctx.warnings);
  result.errors = std::move(ctx.errors);
  result.warnings = std::move(ctx.warnings);
  if (!result.errors.empty())
    result.value.reset();
  return result;
}

} // namespace

std::string to_string(const diagnostic& value) {
  if (value.line == 0)
    return fmt::format("{}: {}", value.file, value.message);
  return fmt::format("{}:{}:{}: {}", value.file, value.line, value.column, value.message);
}

load_result parse(const std::string& text, const fs::path& file, const environment& env) {
  return parse(text, file, env, scope::text);
}

load_result load(const fs::path& file) {
  const auto unreadable = [&](std::string_view why) {
    const auto message = fmt::format("cannot be read: {}; name a readable agent file", why);
    return load_result{std::nullopt, {{file.string(), 0, 0, message}}, {}};
  };
  std::ifstream stream;
  if (const auto why = open_file(file, stream); !why.empty())
    return unreadable(why);
  errno = 0;
  // One byte more than is allowed tells `parse` that there was more; an endless file ends here too.
  auto text = std::string(defaults::max_file_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad())
    return unreadable(std::strerror(errno != 0 ? errno : EIO));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return parse(text, file, process_environment, scope::text_and_files);
}

std::vector<std::string> check(const configuration& value) {
  std::vector<std::string> messages;
  for (auto& found : find_problems(value, nullptr))
    if (!found.is_hint)
      messages.push_back(std::move(found.message));
  return messages;
}

} // namespace troupe::config
