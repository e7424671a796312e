#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::test {

/// The server's end of a connection, with blocking calls.
class peer {
public:
  peer(boost::asio::ip::tcp::socket socket, int number);

  /// 1 for the first connection that the server took.
  int number() const { return number_; }
  /// A request's head and body by its Content-Length; nothing if the client has closed.
  std::optional<std::string> read_request();
  /// A request's head only; false if the client has closed.
  bool read_head();
  /// False if the client has gone.
  bool write(std::string_view bytes);
  /// True once the client has closed; what it sends before is dropped.
  bool client_closes();
  /// The server's side of a TLS handshake; false if it fails.
  bool start_tls(boost::asio::ssl::context& context);
  /// Makes calls under way on another thread end.
  void interrupt();

private:
  std::size_t read_some(boost::system::error_code& ec);

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string received_;
  int number_;
};

/// "HTTP/1.1 200 OK" with this body and its length.
std::string ok_answer(std::string_view body);

/// Listens on a free port of 127.0.0.1 and runs `serve` for each connection, on a thread of its own; the
/// connection closes when it returns.
class tcp_server {
public:
  explicit tcp_server(std::function<void(peer&)> serve);
  ~tcp_server();

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view scheme = "http", std::string_view host = "127.0.0.1") const;
  int accepted() const { return accepted_; }

private:
  void accept_all();

  std::function<void(peer&)> serve_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::atomic<int> accepted_{0};
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<peer>> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_thread_;
};

/// A port of 127.0.0.1 on which nobody listens.
std::uint16_t unused_port();

} // namespace troupe::test
