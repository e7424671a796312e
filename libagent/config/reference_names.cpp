#include "libagent/config/reference_names.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

} // namespace

reference_names::reference_names(const configuration& value, const spots* where)
    : value_(value), where_(where) {
  models_ = collect("models", value.models, "");
  servers_ = collect("mcp_servers", value.mcp_servers, "");
  guardrails_ = collect("guardrails", value.guardrails, "");
  agents_ = collect("agents", value.agents, "/name");
}

const spot* reference_names::find_spot(const std::string& path) const {
  const auto found = where_ ? where_->find(path) : spots::const_iterator{};
  return where_ && found != where_->end() ? &found->second : nullptr;
}

bool reference_names::is_broken(const std::string& path) const {
  const auto* found = find_spot(path);
  return found && found->broken;
}

bool reference_names::is_literal(const std::string& path) const {
  const auto* found = find_spot(path);
  return !found || found->literal;
}

std::string reference_names::show(const std::string& path, const std::string& name) const {
  return is_literal(path) ? in_quotes(name) : "'${...}'";
}

std::string reference_names::show_agent(std::size_t index) const {
  const auto& name = value_.agents[index].name;
  const auto path = fmt::format("agents/{}/name", index);
  return name.empty() || !is_literal(path) ? fmt::format("agent {}", index + 1) : "agent " + in_quotes(name);
}

bool reference_names::check(const std::string& path, std::string_view what, const std::string& name,
                            const directory& known, std::string_view noun) {
  if (!known.lacks(name))
    return false;
  const auto right = is_literal(path)      ? suggestion(name, known.shown, noun)
                     : known.shown.empty() ? fmt::format("there are no {} in this file", noun)
                                           : fmt::format("{} are {}", noun, listed(known.shown));
  report(path, fmt::format("{} {}, which does not exist; {}", what, show(path, name), right));
  return true;
}

void reference_names::report(std::string path, std::string message) {
  if (!is_broken(path) && found_.size() < defaults::max_diagnostics)
    found_.push_back({std::move(path), std::move(message)});
}

void reference_names::hint(std::string path, std::string message) {
  if (!is_broken(path) && found_.size() < defaults::max_diagnostics)
    found_.push_back({std::move(path), std::move(message), true});
}

template <class Owners>
directory reference_names::collect(const std::string& kind, const Owners& owners,
                                   std::string_view name_path) {
  auto names = directory{};
  names.complete = !is_broken(kind);
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const auto path = fmt::format("{}/{}{}", kind, i, name_path);
    const auto& name = owners[i].name;
    const auto [first, is_new] = names.owners.emplace(name, i);
    check_name(path, name, kind == "agents");
    const auto* first_spot = find_spot(fmt::format("{}/{}{}", kind, first->second, name_path));
    if (!is_new && !name.empty())
      report(path,
             fmt::format("duplicate name {} in {}{}; each name has to be unique", show(path, name), kind,
                         first_spot ? fmt::format(" (first in line {})", first_spot->at.line) : ""));
    if (is_new && is_literal(path) && !name.empty())
      names.shown.push_back(name);
  }
  return names;
}

void reference_names::check_name(const std::string& path, const std::string& name, bool is_bounded) {
  if (name.empty() && (!where_ || find_spot(path)))
    report(path, "a name is empty; give it at least one character");
  else if (std::any_of(name.begin(), name.end(), is_control))
    report(path, "a name holds a line break or another control character; remove it");
  else if (is_bounded && count_characters(name) > defaults::longest_agent_name)
    report(path,
           fmt::format("a name is longer than {} characters; shorten it", defaults::longest_agent_name));
  else if (!is_utf8(name))
    report(path, "a name is not UTF-8; write it in UTF-8");
}

} // namespace troupe::config
