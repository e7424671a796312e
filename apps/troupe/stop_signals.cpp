#include "apps/troupe/stop_signals.hpp"

#include "apps/troupe/exit_code.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace troupe::cli {

namespace {

sigset_t stop_set() {
  auto set = sigset_t{};
  sigemptyset(&set);
  for (const auto number : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&set, number);
  return set;
}

int checked(int value, const char* what) {
  if (value < 0)
    throw std::system_error(errno, std::generic_category(), what);
  return value;
}

void wait_readable(pollfd* first, nfds_t count) {
  while (poll(first, count, -1) < 0)
    if (errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "poll");
}

} // namespace

stop_signals::stop_signals() {
  const auto wanted = stop_set();
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  descriptor_ = checked(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

stop_signals::~stop_signals() {
  close(descriptor_);
}

std::optional<int> stop_signals::take() {
  auto info = signalfd_siginfo{};
  if (read(descriptor_, &info, sizeof info) != static_cast<ssize_t>(sizeof info))
    return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

std::optional<int> stop_signals::wait(int descriptor) {
  auto both = std::array{pollfd{descriptor_, POLLIN, 0}, pollfd{descriptor, POLLIN, 0}};
  while (true) {
    wait_readable(both.data(), both.size());
    if (both[0].revents != 0)
      if (const auto number = take())
        return number;
    if (both[1].revents != 0)
      return std::nullopt;
  }
}

int stop_signals::wait() {
  auto one = pollfd{descriptor_, POLLIN, 0};
  while (true) {
    wait_readable(&one, 1);
    if (const auto number = take())
      return *number;
  }
}

impatience::impatience(const stop_signals& signals) : done_(checked(eventfd(0, EFD_CLOEXEC), "eventfd")) {
  watcher_ = std::thread{[source = signals.descriptor(), done = done_] {
    auto both = std::array{pollfd{source, POLLIN, 0}, pollfd{done, POLLIN, 0}};
    wait_readable(both.data(), both.size());
    auto info = signalfd_siginfo{};
    if (both[0].revents != 0 && read(source, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
      _exit(exit_code::signal_base + static_cast<int>(info.ssi_signo));
  }};
}

impatience::~impatience() {
  const auto one = std::uint64_t{1};
  [[maybe_unused]] const auto written = write(done_, &one, sizeof one);
  watcher_.join();
  close(done_);
}

} // namespace troupe::cli
