#include "actors/io/child_process.hpp"

#include "actors/io/child_process_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace troupe::io {

std::string to_string(const process_exit& value) {
  if (value.signal != 0) {
    const auto* name = sigabbrev_np(value.signal);
    return name != nullptr ? fmt::format("killed by SIG{}", name)
                           : fmt::format("killed by signal {}", value.signal);
  }
  if (value.status < 0)
    return "ended with a status that is not known";
  return fmt::format("exited with status {}", value.status);
}

child_process::child_process(std::shared_ptr<impl> state) : impl_(std::move(state)) {}

std::shared_ptr<child_process> child_process::start(reactor& io, process_options options,
                                                    process_handlers handlers) {
  auto state = std::make_shared<impl>(io, std::move(options), std::move(handlers));
  state->begin();
  return std::shared_ptr<child_process>(new child_process(std::move(state)));
}

child_process::~child_process() {
  impl_->disown();
}

bool child_process::write_line(std::string line) {
  return impl_->write_line(std::move(line));
}

void child_process::consumed(std::size_t bytes) {
  impl_->consumed(bytes);
}

void child_process::shutdown(shutdown_stages stages) {
  impl_->shutdown(stages);
}

void child_process::kill() {
  impl_->kill();
}

std::vector<std::pair<std::string, std::string>>
child_environment(const std::vector<std::pair<std::string, std::string>>& extra) {
  std::vector<std::pair<std::string, std::string>> made;
  auto set = [&made](const std::string& name, const std::string& value) {
    auto found = std::find_if(made.begin(), made.end(), [&](const auto& one) { return one.first == name; });
    if (found == made.end())
      made.emplace_back(name, value);
    else
      found->second = value;
  };
  for (const auto* name : {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"})
    if (const auto* value = std::getenv(name); value != nullptr && !std::string_view(value).starts_with("()"))
      set(name, value);
  for (const auto& [name, value] : extra)
    set(name, value);
  return made;
}

} // namespace troupe::io
