#include "apps/troupe/agent_file.hpp"
#include "apps/troupe/ask.hpp"
#include "apps/troupe/check_report.hpp"
#include "apps/troupe/commands.hpp"
#include "apps/troupe/defaults.hpp"
#include "apps/troupe/exit_code.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/logging.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"
#include "apps/troupe/tool_hints.hpp"
#include "libagent/config/secrets.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace troupe::cli {

namespace {

/// Spaces a level, of JSON.
constexpr auto indentation = 2;

std::vector<std::string> names_of(const tool_list& tools) {
  std::vector<std::string> names;
  for (const auto& tool : tools)
    names.push_back(tool.name);
  return names;
}

/// Asks servers how they are, in the main thread, and holds the file against what they offer.
class inspection {
public:
  inspection(host& house, stop_signals& signals, std::chrono::milliseconds timeout)
      : house_(house), signals_(signals), timeout_(timeout) {}

  /// Once each server has come up or failed to. False if a signal came first.
  bool look_at(const config::configuration& file, const std::string& file_name) {
    const auto& servers = house_.agents().mcp_servers();
    for (auto i = std::size_t{0}; i < servers.size() && !stopped_by_; ++i)
      look_at_server(file.mcp_servers[i], servers[i].second);
    for (const auto& agent : file.agents)
      look_at_agent(file, agent);
    report_.warnings = find_tool_hints(file, file_name, offered_);
    for (const auto& model : file.models)
      report_.models.push_back(outline(model));
    for (const auto& hook : file.hooks)
      report_.hooks.push_back({config::shown_name(hook), hook.points});
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
    auto status = take(ask<mcp_status>(house_.system(), signals_, server, timeout_, status_atom::value));
    if (!status)
      return;
    const auto* offered = std::get_if<shared_tools>(&tools);
    if (offered && status->state == mcp_state::ready) {
      offered_[options.name] = *offered;
      status->tools = names_of(*kept_tools(options, *offered));
    }
    report_.servers.push_back(std::move(*status));
  }

  void look_at_agent(const config::configuration& file, const agent_definition& agent) {
    const auto box = tools_of(file, agent, offered_);
    auto info = agent_info{agent.name, agent.model, {}, {}};
    for (std::size_t i = 0; i < box.entries().size(); ++i) {
      const auto& entry = box.entries()[i];
      if (entry.what == toolbox_entry::kind::handoff)
        info.handoffs.push_back(entry.name);
      else
        info.tools.push_back((*box.offered())[i].name);
    }
    report_.agents.push_back(outline(agent, std::move(info)));
  }

  host& house_;
  stop_signals& signals_;
  std::chrono::milliseconds timeout_;
  check_report report_;
  server_tools offered_;
  std::vector<error> failures_;
  std::optional<int> stopped_by_;
};

int show(const inspection& done, const findings& found, bool as_json) {
  const auto& report = done.report();
  for (const auto& warning : report.warnings)
    if (as_json)
      complain("troupe: warning: {}\n", escape_controls(to_string(warning)));
  for (const auto& reason : done.failures())
    complain("troupe: {}: {}\n", to_string(reason.code), printable(reason.detail));
  const bool shown =
      as_json ? print_json(to_json(report, found.warnings), indentation) : print(to_text(report));
  const auto well = shown && done.failures().empty() && all_well(report);
  return well ? exit_code::ok : exit_code::failed;
}

/// The file cannot be used; what is wrong has been said on stderr.
int refuse(const findings& found, bool as_json) {
  if (as_json)
    print_json(to_json(found), indentation);
  return exit_code::failed;
}

} // namespace

int check(const common_options& common, const check_options& options, stop_signals& signals) {
  set_up_logging(common, "warn");
  auto found = findings{};
  const auto file_name = agent_file_name(common.config);
  const auto loaded = load_agent_file(common.config, &found);
  if (const auto* reason = std::get_if<no_configuration>(&loaded))
    return *reason == no_configuration::no_file ? exit_code::usage : refuse(found, options.json);
  const auto& file = std::get<config::configuration>(loaded);
  auto tried = file;
  auto timeout = std::chrono::milliseconds{defaults::check_patience};
  for (auto& server : tried.mcp_servers) {
    // The first failure is what there is to tell.
    server.restart.when = config::restart_options::policy::never;
    timeout = std::max(timeout, server.startup_timeout + defaults::check_patience);
    // All tools, lest one that is blocked looks like one that is not there.
    server.allowed_tools.reset();
    server.blocked_tools.clear();
  }
  auto why = error{};
  const auto house = host::start(std::move(tried), signals, &why);
  if (!house) {
    found.errors.push_back({file_name, 0, 0, why.detail});
    return refuse(found, options.json);
  }
  auto looking = inspection{*house, signals, timeout};
  if (!looking.look_at(file, file_name))
    return exit_code::signal_base + *looking.stopped_by();
  return show(looking, found, options.json);
}

} // namespace troupe::cli
