#include "libagent/config/secrets.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

namespace troupe::config {

namespace {

/// Whether the name of a setting says that its value is a secret.
bool speaks_of_secrets(std::string_view name) {
  static const re2::RE2 words(
      "(?i)key|token|secret|pass|pwd|credential|auth|cookie|signature|private|dsn|jwt");
  return re2::RE2::PartialMatch({name.data(), name.size()}, words);
}

/// Letters that can stand in a seal.
std::string plain_name(std::string_view text) {
  std::string made;
  for (const auto c : text) {
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         std::string_view("._-").find(c) != std::string_view::npos;
    made += is_kept ? c : '_';
  }
  return made;
}

std::set<std::string> names_in(const configuration& from) {
  std::set<std::string> names;
  for (const auto& each : from.models)
    names.insert(each.name);
  for (const auto& each : from.agents)
    names.insert(each.name);
  for (const auto& each : from.mcp_servers)
    names.insert(each.name);
  for (const auto& each : from.guardrails)
    names.insert(each.name);
  return names;
}

/// Shorter lines of a secret tell little, and may be words.
constexpr std::size_t least_line_size = 16;

class collector {
public:
  explicit collector(const configuration& from) : names_(names_in(from)) {}

  /// `setting` is what the value belongs to, `name` what is shown.
  void add(std::string_view setting, std::string_view name, const std::string& value) {
    if (value.empty() || is_plain(setting, value) || names_.contains(value))
      return;
    auto own = plain_name(name);
    for (int number = 2; !taken_.insert(own).second; ++number)
      own = fmt::format("{}-{}", plain_name(name), number);
    found_.emplace_back(value, std::move(own));
    add_lines(value);
  }

  /// "Bearer TOKEN": the token may turn up alone.
  void add_header(std::string_view setting, const std::string& name, const std::string& value) {
    add(setting, name, value);
    if (const auto space = value.rfind(' '); space != std::string::npos)
      add(setting, name, value.substr(space + 1));
  }

  std::vector<secret> take() { return std::move(found_); }

private:
  /// Of a key of several lines, which others may read line by line. They are only hidden, not sealed.
  void add_lines(const std::string& value) {
    if (value.find('\n') == std::string::npos)
      return;
    std::istringstream lines(value);
    for (std::string line; std::getline(lines, line);)
      if (line.size() >= least_line_size && !line.starts_with("-----"))
        found_.emplace_back(line, "");
  }

  std::set<std::string> names_;
  std::set<std::string> taken_;
  std::vector<secret> found_;
};

void add_query(collector& all, const std::string& owner, std::string_view url) {
  const auto begin = url.find('?');
  std::istringstream parameters(begin == std::string_view::npos ? std::string()
                                                                : std::string(url.substr(begin + 1)));
  for (std::string each; std::getline(parameters, each, '&');) {
    const auto name = each.substr(0, each.find('='));
    if (name.size() < each.size() && speaks_of_secrets(name))
      all.add(name, fmt::format("{}.{}", owner, name), each.substr(name.size() + 1));
  }
}

void add_endpoint(collector& all, const std::string& model, const endpoint_options& endpoint) {
  all.add("api_key", fmt::format("models.{}.api_key", model), endpoint.api_key.reveal());
  for (const auto& [name, value] : endpoint.headers)
    all.add_header(name, fmt::format("models.{}.headers.{}", model, name), value.reveal());
  for (const auto& [name, value] : endpoint.query)
    if (speaks_of_secrets(name))
      all.add(name, fmt::format("models.{}.query.{}", model, name), value);
}

} // namespace

bool is_plain(std::string_view name, std::string_view value) {
  static const re2::RE2 forms(
      R"((?:\.{0,2}|~)/[^\s@]*|[a-z][a-z0-9+.-]*://[^\s@?#]*|[0-9]{1,15}|[0-9]+(?:[.:-][0-9]+)+|[a-z]+/[a-z.+-]+)"
      R"(|[a-z]{1,16}|[A-Z]{1,16}|[A-Z][a-z]{1,15})");
  return !speaks_of_secrets(name) && re2::RE2::FullMatch({value.data(), value.size()}, forms);
}

std::string shown_name(const hook_options& hook) {
  return hook.name.empty() ? hook.url.substr(0, hook.url.find('?')) : hook.name;
}

std::vector<secret> collect_secrets(const configuration& from) {
  collector all(from);
  // A variable may be named more than once.
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& variable : from.secrets)
    if (seen.emplace(variable.name(), variable.reveal()).second)
      all.add(variable.name(), variable.name().empty() ? "secret" : variable.name(), variable.reveal());
  for (const auto& model : from.models)
    if (const auto* endpoint = std::get_if<endpoint_options>(&model.provider))
      add_endpoint(all, model.name, *endpoint);
  for (std::size_t i = 0; i < from.hooks.size(); ++i) {
    const auto& hook = from.hooks[i];
    for (const auto& [name, value] : hook.headers)
      all.add_header(name, fmt::format("hooks.{}.headers.{}", i, name), value.reveal());
    add_query(all, fmt::format("hooks.{}.query", i), hook.url);
  }
  for (const auto& server : from.mcp_servers)
    for (const auto& [name, value] : server.env)
      all.add(name, fmt::format("mcpServers.{}.env.{}", server.name, name), value);
  return all.take();
}

} // namespace troupe::config
