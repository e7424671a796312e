#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/ask.hpp"
#include "apps/troupe/check_report.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace troupe::cli {

namespace {

/// Beyond the longest start-up, for the list of tools and a busy machine.
constexpr auto patience = std::chrono::seconds{30};

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Tools that the file allows but the server does not offer.
void warn_of_unknown_tools(const config::mcp_server_options& options, const mcp_status& server,
                           check_report& report) {
  if (server.state != mcp_state::ready || !options.allowed_tools)
    return;
  for (const auto& name : *options.allowed_tools)
    if (!has(server.tools, name) && !has(options.blocked_tools, name))
      report.warnings.push_back(fmt::format(
          "allowed_tools of MCP server {} names \"{}\", which the server does not offer", server.name, name));
}

/// Asks agents and servers how they are, in the main thread.
class inspection {
public:
  inspection(host& house, stop_signals& signals, std::chrono::milliseconds timeout)
      : house_(house), signals_(signals), timeout_(timeout) {}

  /// Once each server has come up or failed to. False if a signal came first.
  bool look_at(const config::configuration& file) {
    const auto& servers = house_.agents().mcp_servers();
    for (auto i = std::size_t{0}; i < servers.size() && !stopped_by_; ++i)
      look_at_server(file.mcp_servers[i], servers[i].second);
    for (const auto& agent : file.agents)
      if (!stopped_by_)
        look_at_agent(agent);
    for (const auto& model : file.models)
      report_.models.push_back(outline(model));
    for (const auto& hook : file.hooks)
      report_.hooks.push_back({hook.name.empty() ? hook.url : hook.name, hook.points});
    return !stopped_by_;
  }

  const check_report& report() const noexcept { return report_; }
  const std::vector<error>& failures() const noexcept { return failures_; }
  std::optional<int> stopped_by() const noexcept { return stopped_by_; }

private:
  template <class T>
  std::optional<T> take(answer<T> came) {
    if (auto* value = std::get_if<T>(&came))
      return std::move(*value);
    if (const auto* number = std::get_if<int>(&came))
      stopped_by_ = *number;
    else
      failures_.push_back(std::get<error>(came));
    return std::nullopt;
  }

  void look_at_server(const config::mcp_server_options& options, const mcp_server_actor& server) {
    // Its answer comes when the start has succeeded or failed; whether it did is in the status.
    const auto tools = ask<shared_tools>(house_.system(), signals_, server, timeout_, tools_atom::value);
    if (const auto* number = std::get_if<int>(&tools)) {
      stopped_by_ = *number;
      return;
    }
    if (auto status =
            take(ask<mcp_status>(house_.system(), signals_, server, timeout_, status_atom::value))) {
      warn_of_unknown_tools(options, *status, report_);
      report_.servers.push_back(std::move(*status));
    }
  }

  void look_at_agent(const agent_definition& agent) {
    const auto handle = house_.agents().agent(agent.name);
    if (!handle)
      failures_.push_back(handle.error());
    else if (auto info =
                 take(ask<agent_info>(house_.system(), signals_, *handle, timeout_, info_atom::value)))
      report_.agents.push_back(outline(agent, std::move(*info)));
  }

  host& house_;
  stop_signals& signals_;
  std::chrono::milliseconds timeout_;
  check_report report_;
  std::vector<error> failures_;
  std::optional<int> stopped_by_;
};

int show(const inspection& done, bool as_json) {
  const auto& report = done.report();
  for (const auto& warning : report.warnings)
    if (as_json)
      fmt::print(stderr, "troupe: warning: {}\n", escape_controls(warning));
  for (const auto& reason : done.failures())
    fmt::print(stderr, "troupe: {}: {}\n", to_string(reason.code), printable(reason.detail));
  const auto text =
      as_json ? to_json(report).dump(2, ' ', false, json::error_handler_t::replace) + "\n" : to_text(report);
  const auto well = print(text) && done.failures().empty() && all_well(report);
  return well ? exit_code::ok : exit_code::failed;
}

} // namespace

int check(const common_options& common, const check_options& options, stop_signals& signals) {
  set_up_logging(common, "warn");
  auto loaded = load_agent_file(common.config);
  if (const auto* reason = std::get_if<no_configuration>(&loaded))
    return *reason == no_configuration::no_file ? exit_code::usage : exit_code::failed;
  auto& file = std::get<config::configuration>(loaded);
  auto timeout = std::chrono::milliseconds{patience};
  for (auto& server : file.mcp_servers) {
    // The first failure is what there is to tell.
    server.restart.when = config::restart_options::policy::never;
    timeout = std::max(timeout, server.startup_timeout + patience);
  }
  const auto house = host::start(file, signals);
  if (!house)
    return exit_code::failed;
  auto looking = inspection{*house, signals, timeout};
  if (!looking.look_at(file))
    return exit_code::signal_base + *looking.stopped_by();
  return show(looking, options.json);
}

} // namespace troupe::cli
