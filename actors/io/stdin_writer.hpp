#pragma once

#include "actors/io/spawn.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::io {

/// A bounded queue of lines in front of a pipe. `push` and `refuse` may be called on any thread, the rest on
/// the reactor's.
class stdin_writer : public std::enable_shared_from_this<stdin_writer> {
public:
  stdin_writer(boost::asio::io_context& context, std::size_t max_queue_bytes);

  /// Queues a line; the newline is added. False if the queue is full or closed.
  bool push(std::string line);
  /// `push` fails from now on.
  void refuse();
  /// Begins to write to the pipe.
  void open(unique_fd pipe);
  /// Closes the pipe when all that is queued has gone out.
  void close_when_drained();
  /// Closes the pipe and drops what is queued.
  void close_now();

private:
  void flush();
  void take_incoming();
  /// False if the pipe takes no more for now, or never again.
  bool write_some();
  void drop_written(std::size_t bytes);
  void wait();

  boost::asio::io_context& context_;
  const std::size_t max_queue_bytes_;

  std::mutex mutex_;
  std::vector<std::string> incoming_;
  std::size_t queued_bytes_ = 0;
  bool refusing_ = false;
  bool flush_posted_ = false;

  boost::asio::posix::stream_descriptor pipe_;
  std::deque<std::string> outgoing_;
  /// Bytes of the first outgoing line that are written.
  std::size_t offset_ = 0;
  bool waiting_ = false;
  bool closing_ = false;
};

} // namespace troupe::io
