#pragma once

#include "libagent/config/reader.hpp"

/// One function for each block of an agent file. Each reads on after an error, so that all of a file's errors
/// are found at once; what is put into the configuration then is of no use but for finding further ones.
namespace troupe::config {

void read_server(const field& from, server_options& into);
void read_limits(const field& from, limit_options& into);
void read_sessions(const field& from, session_options& into);
void read_journal(const field& from, journal_options& into);
void read_models(const field& from, std::vector<model_options>& into);
void read_mcp_servers(const field& from, std::vector<mcp_server_options>& into);
void read_guardrails(const field& from, std::vector<guardrail_options>& into);
void read_hooks(const field& from, std::vector<hook_options>& into);
/// After the MCP servers, of which some may be disabled, and after the guardrails.
void read_agents(const field& from, std::vector<agent_definition>& into);

/// The keys of `server` that guard it.
void read_server_security(map_reader& server, server_options& into);
/// What the file says of its files that cannot be read.
void check_server_files(context& ctx, const server_options& server);
/// `limits` and `sandbox` of a program that is started.
std::optional<child_limits> read_child_limits(const field& from);
std::optional<sandbox_options> read_sandbox(const field& from);
/// Sandboxes that cannot be made, since what makes them is not installed.
void check_sandboxes(context& ctx, const configuration& read);
/// Where it stands is remembered as `path`.
std::optional<budget> read_budget(const field& from, const std::string& path);

/// The body of a `scripted` model. `path` is the model's place in the configuration.
scripted::script read_script(map_reader& model, const std::string& path);
/// The body of an `openai` model, whose `api` says which format it speaks.
endpoint_options read_openai(map_reader& model);
/// The body of an `anthropic` model.
endpoint_options read_anthropic(map_reader& model);

/// The points of runs that hooks can be told of.
const std::vector<std::string>& hook_points();

} // namespace troupe::config
