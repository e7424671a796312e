#include "actors/io/stdin_writer.hpp"

#include "actors/io/defaults.hpp"
#include "actors/io/sigpipe_shield.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include <sys/uio.h>

namespace troupe::io {

using boost::system::error_code;

stdin_writer::stdin_writer(boost::asio::io_context& context, std::size_t max_queue_bytes)
    : context_(context), max_queue_bytes_(max_queue_bytes), pipe_(context) {}

bool stdin_writer::push(std::string line) {
  line.push_back('\n');
  {
    std::lock_guard lock(mutex_);
    if (refusing_ || line.size() > max_queue_bytes_ - queued_bytes_)
      return false;
    queued_bytes_ += line.size();
    incoming_.push_back(std::move(line));
    if (std::exchange(flush_posted_, true))
      return true;
  }
  boost::asio::post(context_, [self = shared_from_this()] {
    self->take_incoming();
    self->flush();
  });
  return true;
}

void stdin_writer::refuse() {
  std::lock_guard lock(mutex_);
  refusing_ = true;
}

void stdin_writer::open(unique_fd pipe) {
  pipe_.assign(pipe.release());
  pipe_.native_non_blocking(true);
  flush();
}

void stdin_writer::close_when_drained() {
  refuse();
  closing_ = true;
  take_incoming();
  flush();
}

void stdin_writer::close_now() {
  refuse();
  closing_ = true;
  error_code ignored;
  pipe_.close(ignored);
  outgoing_.clear();
  offset_ = 0;
}

void stdin_writer::take_incoming() {
  std::lock_guard lock(mutex_);
  flush_posted_ = false;
  std::move(incoming_.begin(), incoming_.end(), std::back_inserter(outgoing_));
  incoming_.clear();
}

void stdin_writer::flush() {
  if (!pipe_.is_open() || waiting_)
    return;
  while (!outgoing_.empty())
    if (!write_some())
      return;
  if (closing_)
    close_now();
}

bool stdin_writer::write_some() {
  std::array<iovec, defaults::write_batch> pieces;
  std::size_t count = 0;
  for (auto line = outgoing_.begin(); line != outgoing_.end() && count < pieces.size(); ++line, ++count) {
    const auto skipped = count == 0 ? offset_ : 0;
    pieces[count] = {line->data() + skipped, line->size() - skipped};
  }
  sigpipe_shield shield;
  const auto written = ::writev(pipe_.native_handle(), pieces.data(), static_cast<int>(count));
  if (written >= 0) {
    drop_written(static_cast<std::size_t>(written));
    return true;
  }
  if (errno == EINTR)
    return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    wait();
  else
    close_now();
  return false;
}

void stdin_writer::drop_written(std::size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    queued_bytes_ -= bytes;
  }
  offset_ += bytes;
  while (!outgoing_.empty() && offset_ >= outgoing_.front().size()) {
    offset_ -= outgoing_.front().size();
    outgoing_.pop_front();
  }
}

void stdin_writer::wait() {
  waiting_ = true;
  pipe_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                   [self = shared_from_this()](const error_code& ec) {
                     self->waiting_ = false;
                     if (!ec)
                       self->flush();
                   });
}

} // namespace troupe::io
