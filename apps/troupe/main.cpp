#include "apps/troupe/commands.hpp"
#include "apps/troupe/exit_code.hpp"

#include <cstdio>
#include <exception>
#include <utility>

#include <sys/prctl.h>

namespace {

using namespace troupe::cli;

int carry_out(const command_line& line, stop_signals& signals) {
  struct {
    const common_options& common;
    stop_signals& signals;
    int operator()(const serve_options& options) const { return serve(common, options, signals); }
    int operator()(const chat_options& options) const { return chat(common, options, signals); }
    int operator()(const run_options& options) const { return run(common, options, signals); }
    int operator()(const key_options& options) const { return new_key(options); }
    int operator()(const check_options& options) const { return check(common, options, signals); }
    int operator()(const journal_options& options) const { return journal(common, options); }
  } const command{line.common, signals};
  return std::visit(command, line.command);
}

} // namespace

int main(int argc, char** argv) {
  // The environment has secrets, which other processes of the same user could read, MCP servers among them.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  try {
    auto signals = stop_signals{};
    const auto line = read_command_line(argc, argv);
    if (const auto* code = std::get_if<int>(&line))
      return *code;
    return carry_out(std::get<command_line>(line), signals);
  } catch (const std::exception& reason) {
    std::fprintf(stderr, "troupe: %s\n", reason.what());
    return exit_code::failed;
  }
}
