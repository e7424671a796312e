#include "actors/mcp_process.hpp"

#include "actors/io/child_process.hpp"
#include "libagent/config/sandbox.hpp"

#include <caf/send.hpp>

namespace troupe {

namespace {

/// Needed where a file asks for sandboxes: Debian has it in the package bubblewrap.
constexpr auto bubblewrap = "/usr/bin/bwrap";

io::process_options make_process_options(const config::mcp_server_options& options) {
  io::process_options process;
  process.command = options.command;
  process.args = options.args;
  if (options.sandbox) {
    // Where it is not to be found the name stays, and the start fails by it.
    process.command = config::find_bubblewrap().value_or(bubblewrap).string();
    process.args = config::bubblewrap_arguments(*options.sandbox, options.cwd, options.command, options.args);
  }
  process.limits = {options.limits.memory.value_or(0), options.limits.cpu_seconds.value_or(0),
                    options.limits.open_files.value_or(0), options.limits.no_new_privileges};
  process.env = io::child_environment(options.env);
  process.cwd = options.cwd;
  process.max_line_bytes = options.max_message_bytes;
  return process;
}

/// Reports of one process, on their way from the reactor to the actor.
io::process_handlers make_handlers(const supervised_mcp_server_actor& to, std::uint64_t generation,
                                   const std::shared_ptr<stderr_ring>& ring) {
  const auto report = [to, generation](auto what) {
    caf::anon_send(to, process_event{generation, std::move(what)});
  };
  io::process_handlers handlers;
  handlers.on_started = [report](pid_t pid) { report(process_started{pid}); };
  handlers.on_start_failed = [report](const error& reason) { report(process_not_started{reason.detail}); };
  handlers.on_stdout_lines = [report](std::vector<std::string> lines) {
    report(process_lines{std::move(lines)});
  };
  handlers.on_stderr = [report, ring](const std::string& text) {
    if (ring->add(text))
      report(process_stderr{});
  };
  handlers.on_overlong = [report] { report(process_overlong_line{}); };
  handlers.on_stdout_closed = [report] { report(process_mute{}); };
  handlers.on_exit = [report](io::process_exit how) { report(process_ended{to_string(how)}); };
  return handlers;
}

} // namespace

std::shared_ptr<io::child_process> start_mcp_process(io::reactor& io,
                                                     const config::mcp_server_options& options,
                                                     const supervised_mcp_server_actor& to,
                                                     std::uint64_t generation,
                                                     const std::shared_ptr<stderr_ring>& ring) {
  return io::child_process::start(io, make_process_options(options), make_handlers(to, generation, ring));
}

} // namespace troupe
