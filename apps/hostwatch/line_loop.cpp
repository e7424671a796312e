#include "apps/hostwatch/line_loop.hpp"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace troupe::hostwatch {

namespace {

/// Whether the failed call is to be made again, now that the descriptor is ready. Whoever started us may have
/// left it in non-blocking mode.
bool may_retry(int fd, short events) {
  if (errno == EINTR)
    return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK)
    return false;
  pollfd waited{fd, events, 0};
  return ::poll(&waited, 1, -1) > 0 || errno == EINTR;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0)
      text.remove_prefix(static_cast<std::size_t>(written));
    else if (!may_retry(fd, POLLOUT))
      return false;
  }
  return true;
}

/// Puts lines together from the pieces that were read.
class line_loop {
public:
  line_loop(int out, const line_handlers& handlers) : out_(out), handlers_(handlers) {}

  /// False if the answers cannot be written.
  bool take(std::string_view piece) {
    for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      append(piece.substr(0, end));
      piece.remove_prefix(end + 1);
      if (!finish())
        return false;
    }
    append(piece);
    return true;
  }

  bool finish() {
    auto answers = overlong_ ? handlers_.on_overlong() : handlers_.on_line(line_);
    line_.clear();
    overlong_ = false;
    for (auto& answer : answers)
      if (!write_all(out_, answer += '\n'))
        return false;
    return true;
  }

private:
  void append(std::string_view piece) {
    overlong_ = overlong_ || line_.size() + piece.size() > handlers_.max_line_bytes;
    if (overlong_)
      line_.clear();
    else
      line_ += piece;
  }

  int out_;
  const line_handlers& handlers_;
  std::string line_;
  bool overlong_ = false;
};

} // namespace

void serve_lines(int in, int out, const line_handlers& handlers) {
  line_loop lines(out, handlers);
  std::vector<char> piece(64u << 10);
  for (;;) {
    const auto count = ::read(in, piece.data(), piece.size());
    if (count > 0) {
      if (!lines.take({piece.data(), static_cast<std::size_t>(count)}))
        return;
    } else if (count == 0) {
      lines.finish();
      return;
    } else if (!may_retry(in, POLLIN)) {
      return;
    }
  }
}

} // namespace troupe::hostwatch
