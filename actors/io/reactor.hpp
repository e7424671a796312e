#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

namespace troupe::io {

/// The one thread on which sockets, pipes and child processes are served: a Boost.Asio `io_context` with a
/// thread of its own, or the embedder's. Outlives everything that uses it.
class reactor {
public:
  /// Starts a thread of its own, named "troupe-io", on which all signals are blocked.
  reactor();
  /// Uses a context that the embedder runs, on exactly one thread, until after this object is gone.
  explicit reactor(boost::asio::io_context& context);
  /// Stops and joins its own thread; what is still pending is dropped. Not to be called on that thread.
  ~reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  boost::asio::io_context& context() noexcept;
  /// True if the thread is this object's own, so that it lives as long as what it serves.
  bool owns_thread() const noexcept;

private:
  struct own_thread;
  std::unique_ptr<own_thread> own_;
  boost::asio::io_context* context_;
};

} // namespace troupe::io
