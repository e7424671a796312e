#include "actors/io/child_process.hpp"
#include "actors/io/reactor.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include <unistd.h>

/// Starts a child with a grandchild, prints the numbers of both, and waits to be killed. With "embedded" the
/// reactor has no thread of its own, so that the guard must see to the child as well.
int main(int argc, char**) {
  using namespace troupe::io;
  process_handlers handlers;
  handlers.on_stdout_lines = [](std::vector<std::string> lines) {
    for (const auto& line : lines)
      std::puts(line.c_str());
    std::fflush(stdout);
  };
  process_options options;
  options.command = "/bin/sh";
  options.args = {"-c", "trap '' HUP TERM INT; sleep 1000 & echo $$ $!; while :; do sleep 1; done"};
  options.env = child_environment({});
  if (argc > 1) {
    boost::asio::io_context context;
    reactor embedded(context);
    auto child = child_process::start(embedded, options, handlers);
    context.run();
  } else {
    reactor own;
    auto child = child_process::start(own, options, handlers);
    for (;;)
      ::pause();
  }
}
