#pragma once

#include "libagent/core/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::http {

/// Accepts connections, and goes on doing so whatever happens (RESTinio's own acceptor stops for good when
/// the process is out of descriptors). Reactor thread only.
class acceptor : public std::enable_shared_from_this<acceptor> {
public:
  using tcp = boost::asio::ip::tcp;
  /// Gets a new connection.
  using on_accepted = std::function<void(tcp::socket)>;
  /// Whether there is room for one more. While there is none, clients wait in the kernel's queue.
  using has_room = std::function<bool()>;

  acceptor(boost::asio::io_context& io, on_accepted accepted, has_room room);

  /// Listens. `host` is an IP address (an IPv6 one may stand in brackets), or "localhost". The error
  /// `io_failed` reads "cannot listen on HOST:PORT: reason".
  result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
  /// Accepts again if there is room; call it when a connection is gone.
  void resume();
  void close();

private:
  void accept_next();
  void accept_later();

  tcp::acceptor listener_;
  boost::asio::steady_timer pause_;
  on_accepted accepted_;
  has_room room_;
  bool accepting_ = false;
};

} // namespace troupe::http
