#pragma once

#include "actors/io/http_client.hpp"
#include "actors/io/http_url.hpp"
#include "actors/io/proxy.hpp"
#include "actors/io/transport.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::io {

/// What a connection leads to, and how.
struct route {
  http_url origin;
  std::optional<proxy> via;
  /// Set if the origin speaks TLS.
  std::shared_ptr<boost::asio::ssl::context> tls;
  std::chrono::milliseconds connect_timeout{0};
};

/// Opens one connection along a route: name lookup, TCP (each address in turn), CONNECT where a proxy is in
/// the way, TLS handshake; all of it within the route's connect timeout. Used on the reactor's thread only.
class dialer : public std::enable_shared_from_this<dialer> {
public:
  /// Called once, with a transport or with the reason why there is none; never from inside `start`.
  using handler = std::function<void(std::unique_ptr<transport>, http_failure)>;

  dialer(boost::asio::io_context& context, std::shared_ptr<const route> way, handler done);
  void start();
  /// Gives up; the handler is not called.
  void abort();

private:
  struct tunnel_reply;
  void resolve();
  void try_next_address();
  void on_connected(const boost::system::error_code& ec);
  void ask_for_tunnel();
  void read_tunnel_reply(std::shared_ptr<tunnel_reply> reply);
  void on_tunnel_bytes(const std::shared_ptr<tunnel_reply>& reply, std::size_t bytes);
  void start_tls();
  void arm(std::chrono::steady_clock::time_point when);
  void on_timer();
  void succeed(std::unique_ptr<transport> made);
  void give_up(std::string detail, bool worth_another_try = true);
  void close_all();
  std::string describe(const boost::system::error_code& ec) const;
  std::string peer_name() const;

  std::shared_ptr<const route> way_;
  handler done_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<tls_stream> stream_;
  std::chrono::steady_clock::time_point deadline_;
  std::vector<boost::asio::ip::tcp::endpoint> addresses_;
  std::size_t next_address_ = 0;
  bool connecting_ = false;
  bool address_timed_out_ = false;
  std::string last_problem_;
};

} // namespace troupe::io
