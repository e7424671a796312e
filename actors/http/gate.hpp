#pragma once

#include "actors/http/api.hpp"
#include "actors/http/sse.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::http {

/// A step of a streamed answer.
struct stream_step {
  enum class kind { begin, write, end };
  request_id id = 0;
  kind what = kind::begin;
  sse_event event{};
};

/// What other threads want done, in their order; no reply to a stream comes before a step of it.
struct gathered_work {
  std::vector<stream_step> steps;
  std::vector<std::pair<request_id, answer>> replies;
  bool empty() const noexcept { return steps.empty() && replies.empty(); }
};

/// The way from other threads to the reactor. It outlives what is behind it, and knows when that is gone.
/// Thread-safe.
class gate {
public:
  /// What is behind it. Called on the reactor's thread.
  class inside {
  public:
    virtual ~inside() = default;
    virtual void deliver(gathered_work work) = 0;
    virtual void stop(std::chrono::milliseconds grace) = 0;
  };

  explicit gate(boost::asio::io_context& io) : io_(&io) {}

  void open(const std::shared_ptr<inside>& behind);
  /// Lets nothing through any more.
  void close();

  void reply(request_id id, answer value);
  void step(stream_step what);
  void stop(std::chrono::milliseconds grace);

private:
  /// One wake-up of the reactor serves all the work that comes before it is awake.
  void wake();
  gathered_work take();

  std::mutex mutex_;
  /// Null once it is closed.
  boost::asio::io_context* io_;
  std::weak_ptr<inside> inside_;
  gathered_work work_;
};

} // namespace troupe::http
