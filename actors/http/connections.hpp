#pragma once

#include "actors/http/api.hpp"
#include "actors/http/visitor.hpp"
#include "actors/io/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe::http {

class connections;

/// What is known of one connection beside what RESTinio knows: its deadlines, and how many of its requests
/// are in work. Reactor thread only.
class connection : public std::enable_shared_from_this<connection> {
public:
  using clock = std::chrono::steady_clock;
  using socket = boost::asio::ip::tcp::socket;

  /// How far the request that is being read has come.
  enum class phase { between_requests, header, body };

  explicit connection(std::shared_ptr<connections> all);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// The connection whose bytes are being handled right now; null outside of that.
  static connection* current() noexcept;

  /// What RESTinio is being told of.
  enum class event { read, written };

  /// Makes a connection the current one.
  class scope {
  public:
    scope(connection& now, event what) noexcept;
    ~scope();
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

  private:
    connection& now_;
    connection* before_;
  };

  /// Whether RESTinio is just being told that something was written.
  bool in_write_event() const noexcept { return in_write_event_; }
  /// Runs a task soon, unless the connection is closed before. While it waits, the connection must be kept
  /// alive.
  void run_later(std::function<void()> task);

  /// Tells where the socket is, and with null that it is gone.
  void attach(socket* where) noexcept { socket_ = where; }

  /// Some bytes were parsed.
  void reading(phase now);
  /// A request is complete, or cannot be completed (`fault`).
  void request_begins(fault problem);
  /// What is wrong with the request that has just begun.
  fault current_fault() const noexcept { return fault_; }
  /// Whether the request whose head has come is refused without its body. If so, `take_refusal` has the
  /// answer.
  bool refuses_body(const visitor& from);
  /// Nothing if the request that has just begun is not refused for its head.
  std::optional<answer> take_refusal() { return std::exchange(refusal_, std::nullopt); }
  /// The answer to a request was written, or never will be.
  void request_ends();

  // A client has to take something within the time for bodies, and from that time on a least rate of what
  // it is being sent without a pause (`defaults::least_write_rate`).

  /// The socket is given bytes to write.
  void write_begins(clock::time_point now = clock::now());
  /// It has taken so many.
  void write_ends(std::size_t bytes);
  /// Nothing more is to be written for now.
  void writes_pause() noexcept;

  /// Nothing more is to be read: the stream is out of step, or at its end.
  bool is_deaf() const noexcept { return closed_ || ended_ || left_ || fault_ != fault::none; }
  bool is_closed() const noexcept { return closed_; }
  /// Whether the client has closed its side, which it also does when it goes away.
  bool has_ended() const noexcept { return ended_; }
  /// Runs a task soon after the connection is closed under a request in work. (RESTinio tells of a connection
  /// that is gone only who writes to it.)
  void when_closed(std::function<void()> task) { when_closed_.push_back(std::move(task)); }
  /// Runs a task soon after the client has closed its side under a request in work, at once if it has before.
  void when_ended(std::function<void()> task);
  /// No TLS came of it.
  void handshake_failed(std::string_view reason);
  /// The client closed its side or the connection broke.
  void read_failed(const boost::system::error_code& reason);
  /// Sends "100 Continue" if no answer is on its way.
  void invite_body();
  /// Gives the way to send a few bytes, where they must not go to the socket as they are (TLS).
  void send_by(std::function<void(std::string_view)> way) { send_aside_ = std::move(way); }
  /// Takes the socket over and closes it once the client has stopped sending.
  void linger(socket last);
  /// The same for TLS, whose end is announced first. What is still being read is of no use to anybody.
  void linger(std::shared_ptr<io::tls_stream> last);

  bool is_idle() const noexcept { return in_work_ == 0; }
  std::size_t in_work() const noexcept { return in_work_; }
  clock::time_point deadline() const noexcept { return std::min(read_deadline_, write_deadline_); }
  /// Closes the socket at once; what is under way on it is aborted.
  void close();

private:
  void wait_between_requests();
  /// Does it soon.
  void run_tasks(std::vector<std::function<void()>>& tasks);
  /// Closes once the client answers what it is sent by a reset.
  void wait_for_reset();

  std::shared_ptr<connections> all_;
  socket* socket_ = nullptr;
  phase phase_ = phase::between_requests;
  fault fault_ = fault::none;
  std::optional<answer> refusal_;
  bool in_write_event_ = false;
  bool ended_ = false;
  /// The server has closed it, and only waits for the client.
  bool left_ = false;
  bool closed_ = false;
  std::size_t in_work_ = 0;
  std::vector<std::function<void()>> when_closed_;
  std::vector<std::function<void()>> when_ended_;
  std::function<void(std::string_view)> send_aside_;
  clock::time_point read_deadline_;
  clock::time_point write_deadline_ = clock::time_point::max();
  /// When writing without a pause began, and what was taken since.
  std::optional<clock::time_point> writing_since_;
  std::size_t written_ = 0;
};

/// All connections of a server. Reactor thread only.
class connections : public std::enable_shared_from_this<connections> {
public:
  struct timeouts {
    std::chrono::milliseconds header;
    std::chrono::milliseconds body;
    std::chrono::milliseconds idle;
  };

  explicit connections(timeouts bounds) : bounds_(bounds) {}

  const timeouts& bounds() const noexcept { return bounds_; }
  /// Sockets that are open, or will be until an answer is ready.
  std::size_t count() const noexcept { return all_.size() + lingering_.size(); }
  /// Requests whose answers are not yet written.
  std::size_t in_work() const noexcept { return in_work_; }

  /// Ends a connection that there is no room for, with a few bytes of why.
  void refuse(connection::socket unwanted, const std::string& why);
  /// Closes what is past its deadline.
  void sweep(connection::clock::time_point now);
  /// Closes connections without a request, even one that is just arriving, and from now on each connection
  /// whose last answer is written.
  void close_idle();
  void close_all();

  /// Asked once a head has come whose body has not: the answer, if the body is not wanted. May be empty.
  std::function<std::optional<answer>(const visitor&)> before_body;
  /// Called whenever a connection is gone or a request is answered.
  std::function<void()> on_change;

private:
  friend class connection;
  struct lingering;

  void changed() const;
  void linger(connection::socket last);
  void linger(std::shared_ptr<io::tls_stream> last);

  timeouts bounds_;
  std::unordered_set<connection*> all_;
  std::unordered_set<lingering*> lingering_;
  std::size_t in_work_ = 0;
  bool keeps_idle_ = true;
};

} // namespace troupe::http
