#include "tests/actors/io/tcp_server.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace troupe::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

peer::peer(tcp::socket socket, int number) : socket_(std::move(socket)), number_(number) {
  socket_.set_option(tcp::no_delay(true));
}

std::size_t peer::read_some(error_code& ec) {
  std::array<char, 64 << 10> buffer;
  auto size = tls_ ? tls_->read_some(asio::buffer(buffer), ec) : socket_.read_some(asio::buffer(buffer), ec);
  received_.append(buffer.data(), size);
  return size;
}

bool peer::read_head() {
  error_code ec;
  while (!ec && received_.find("\r\n\r\n") == std::string::npos)
    read_some(ec);
  return !ec;
}

std::optional<std::string> peer::read_request() {
  if (!read_head())
    return std::nullopt;
  const auto end = received_.find("\r\n\r\n");
  auto total = end + 4;
  if (auto field = received_.find("Content-Length: "); field < end)
    total += std::stoul(received_.substr(field + 16));
  error_code ec;
  while (!ec && received_.size() < total)
    read_some(ec);
  if (ec)
    return std::nullopt;
  auto request = received_.substr(0, total);
  received_.erase(0, total);
  return request;
}

bool peer::write(std::string_view bytes) {
  error_code ec;
  if (tls_)
    asio::write(*tls_, asio::buffer(bytes), ec);
  else
    asio::write(socket_, asio::buffer(bytes), ec);
  return !ec;
}

bool peer::client_closes() {
  error_code ec;
  while (!ec)
    read_some(ec);
  return ec == asio::error::eof || ec == asio::error::connection_reset ||
         ec == asio::ssl::error::stream_truncated;
}

bool peer::start_tls(asio::ssl::context& context) {
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, context);
  error_code ec;
  tls_->handshake(asio::ssl::stream_base::server, ec);
  return !ec;
}

void peer::interrupt() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
}

std::string ok_answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

tcp_server::tcp_server(std::function<void(peer&)> serve)
    : serve_(std::move(serve)), acceptor_(context_, {asio::ip::address_v4::loopback(), 0}),
      port_(acceptor_.local_endpoint().port()), acceptor_thread_([this] { accept_all(); }) {}

tcp_server::~tcp_server() {
  over_ = true;
  // Wakes the acceptor.
  tcp::socket last(context_);
  error_code ignored;
  last.connect({asio::ip::address_v4::loopback(), port_}, ignored);
  acceptor_thread_.join();
  for (auto& one : peers_)
    one->interrupt();
  for (auto& thread : threads_)
    thread.join();
}

std::string tcp_server::url(std::string_view scheme, std::string_view host) const {
  return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(port_);
}

void tcp_server::accept_all() {
  for (;;) {
    auto socket = acceptor_.accept();
    if (over_)
      return;
    auto made = std::make_shared<peer>(std::move(socket), ++accepted_);
    peers_.push_back(made);
    threads_.emplace_back([this, made] {
      serve_(*made);
      made->interrupt();
    });
  }
}

std::uint16_t unused_port() {
  asio::io_context context;
  return tcp::acceptor(context, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

} // namespace troupe::test
