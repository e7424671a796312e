#include "apps/troupe/log_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <unistd.h>

namespace troupe::cli {

void log_sink::sink_it_(const spdlog::details::log_msg& message) {
  if (lost_ > 0) {
    const auto lost = lost_;
    const auto text = fmt::format("{} lines of the log are lost: nobody read them in time", lost);
    lost_ = 0;
    put({message.logger_name, spdlog::level::warn, text});
    // It is said again with the next one.
    if (lost_ > 0) {
      lost_ = lost + 1;
      return;
    }
  }
  put(message);
}

void log_sink::put(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  if (is_within_line_)
    line.push_back('\n');
  formatter_->format(message, line);
  if (!write({line.data(), line.size()}))
    ++lost_;
}

bool log_sink::write(std::string_view text) {
  while (!text.empty()) {
    pollfd room{descriptor_, POLLOUT, 0};
    if (::poll(&room, 1, 0) <= 0 || (room.revents & POLLOUT) == 0)
      return false;
    // A pipe that is ready takes so much without waiting: pipe(7).
    const auto wrote = ::write(descriptor_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
    is_within_line_ = !text.empty();
  }
  return true;
}

} // namespace troupe::cli
