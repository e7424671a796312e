#include "apps/troupe/line_source.hpp"

#include <cerrno>
#include <utility>

#include <unistd.h>

namespace troupe::cli {

namespace {

class piped_lines : public line_source {
public:
  input_line next(const std::string&, stop_signals& signals) override {
    while (true) {
      if (const auto end = buffer_.find('\n', searched_); end != std::string::npos)
        return take_line(end);
      searched_ = buffer_.size();
      if (ended_)
        return take_rest();
      if (const auto number = signals.wait(STDIN_FILENO))
        return *number;
      fill();
    }
  }

  input_line ask(const std::string& prompt, const std::string&, stop_signals& signals) override {
    return next(prompt, signals);
  }

private:
  input_line take_line(std::size_t end) {
    auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    searched_ = 0;
    if (line.ends_with('\r'))
      line.pop_back();
    return line;
  }

  input_line take_rest() {
    if (buffer_.empty())
      return end_of_input{};
    searched_ = 0;
    return std::exchange(buffer_, {});
  }

  void fill() {
    char some[65536];
    const auto got = read(STDIN_FILENO, some, sizeof some);
    if (got > 0)
      buffer_.append(some, static_cast<std::size_t>(got));
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
      ended_ = true;
  }

  std::string buffer_;
  std::size_t searched_ = 0;
  bool ended_ = false;
};

} // namespace

std::unique_ptr<line_source> make_piped_lines() {
  return std::make_unique<piped_lines>();
}

} // namespace troupe::cli
