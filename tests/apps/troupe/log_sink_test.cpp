#include "apps/troupe/log_sink.hpp"

#include <catch2/catch.hpp>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>

#include <array>
#include <memory>
#include <string>

#include <fcntl.h>
#include <unistd.h>

using troupe::cli::log_sink;

namespace {

/// A logger whose lines go into a pipe, of which nobody reads unless told to.
struct unread_log {
  unread_log() {
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    const auto sink = std::make_shared<log_sink>(ends[1]);
    sink->set_pattern("%v");
    logger = std::make_unique<spdlog::logger>("troupe", sink);
  }
  ~unread_log() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  /// All that is in the pipe.
  std::string read() const {
    std::string all;
    std::array<char, 4096> some{};
    for (auto got = ::read(ends[0], some.data(), some.size()); got > 0;
         got = ::read(ends[0], some.data(), some.size()))
      all.append(some.data(), static_cast<std::size_t>(got));
    return all;
  }

  std::array<int, 2> ends{};
  std::unique_ptr<spdlog::logger> logger;
};

} // namespace

TEST_CASE("lines that nobody reads are lost, and how many is told when there is room again") {
  unread_log log;
  const auto size = GENERATE(std::size_t{100}, std::size_t{3000}, std::size_t{100'000});
  const std::size_t count = 2'000'000 / size;
  for (std::size_t i = 0; i < count; ++i)
    log.logger->info(std::string(size, 'x'));
  const auto kept = log.read();
  std::size_t whole = 0;
  for (auto at = kept.find('\n'); at != std::string::npos; at = kept.find('\n', at + 1))
    ++whole;
  REQUIRE(whole < count);
  log.logger->info("there is room");
  const auto told = log.read();
  // A line that was broken off ends first.
  const auto begin = kept.empty() || kept.back() == '\n' ? "" : "\n";
  CHECK(told == begin + std::to_string(count - whole) +
                    " lines of the log are lost: nobody read them in time\nthere is room\n");
  log.logger->info("and again");
  CHECK(log.read() == "and again\n");
}
