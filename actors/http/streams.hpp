#pragma once

#include "actors/http/sse.hpp"
#include "actors/http/wire.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::http {

/// Answers that are streams of events, on their way to clients. What gathers while a client still takes what
/// was written before goes out as one write. Reactor thread only; calls for streams that are gone do nothing.
class streams : public std::enable_shared_from_this<streams> {
public:
  struct handlers {
    /// The kernel has taken events with so many bytes of data.
    std::function<void(request_id, std::size_t)> on_written;
    /// The client went away before the stream's end.
    std::function<void(request_id)> on_gone;
  };

  /// `keep_alive`: how long a stream may be quiet before a comment is written to it.
  streams(std::chrono::milliseconds keep_alive, handlers events);
  ~streams();
  streams(const streams&) = delete;
  streams& operator=(const streams&) = delete;

  /// Takes a request over, to answer it with this head. `keep_alive`: whether the connection goes on
  /// afterwards.
  void begin(request_id id, std::shared_ptr<exchange> request, std::string head, bool keep_alive);
  bool contains(request_id id) const { return open_.contains(id); }
  std::size_t count() const { return open_.size(); }
  void write(request_id id, const sse_event& event);
  /// Writes what is left and completes the answer.
  void end(request_id id, bool keep_alive);
  /// Hands what has gathered to the wire. To be called after `begin` and `write`.
  void flush();

  /// The client has closed its side: writes something, which it answers by a reset if it is gone.
  void try_client(request_id id);
  /// The client is known to be gone.
  void drop(request_id id);
  /// Keeps quiet streams alive, and tries whether clients that closed their side are still there.
  void sweep(connection::clock::time_point now);
  /// Ends all streams with this event.
  void end_all(const sse_event& last);
  /// Forgets all streams without a word.
  void clear();

private:
  struct stream;

  static std::vector<std::string> take(stream& from);
  void send(request_id id, stream& which);
  void written(request_id id, std::size_t bytes, bool ok);

  std::chrono::milliseconds keep_alive_;
  handlers events_;
  std::unordered_map<request_id, std::unique_ptr<stream>> open_;
  /// Streams with something to send.
  std::vector<request_id> touched_;
};

} // namespace troupe::http
