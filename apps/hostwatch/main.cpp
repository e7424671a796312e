#include "apps/hostwatch/line_loop.hpp"
#include "apps/hostwatch/tools.hpp"
#include "libagent/mcp/jsonrpc.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

constexpr std::size_t max_line_bytes = 16u << 20;

extern "C" void leave(int) {
  ::_exit(0);
}

/// The end of whoever started us is the end of this server, and nothing to report.
void set_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  action.sa_handler = leave;
  ::sigaction(SIGHUP, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void warn_of_missing(const std::vector<std::filesystem::path>& directories) {
  for (const auto& each : directories) {
    std::error_code failure;
    if (!std::filesystem::is_directory(each, failure))
      fmt::print(stderr, "hostwatch: {} is not a directory (yet)\n", each.string());
  }
}

} // namespace

int main(int argc, char** argv) {
  std::vector<std::string> given;
  CLI::App app("MCP server over stdio with tools over the machine it runs on: cpu_load, memory, disk_usage, "
               "top_processes, tail_log",
               "hostwatch");
  app.add_option("LOG_DIR", given, "Directories whose files tail_log may read");
  app.set_version_flag("--version", "hostwatch " HOSTWATCH_VERSION);
  CLI11_PARSE(app, argc, argv);

  set_signals();
  const troupe::hostwatch::log_files logs({given.begin(), given.end()});
  warn_of_missing(logs.directories());
  troupe::mcp::server_session session(
      {"hostwatch", HOSTWATCH_VERSION, "Tools over the machine that this server runs on. They only read."},
      troupe::hostwatch::make_tools(logs));
  troupe::hostwatch::serve_lines(
      STDIN_FILENO, STDOUT_FILENO,
      {[&](std::string_view line) { return session.on_line(line); },
       [] {
         return std::vector{troupe::mcp::encode_error(nullptr, troupe::mcp::rpc_code::invalid_request,
                                                      "The line is longer than 16 MiB")};
       },
       max_line_bytes});
  return 0;
}
