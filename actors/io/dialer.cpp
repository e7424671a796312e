#include "actors/io/dialer.hpp"

#include "actors/io/answer_parser.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <utility>

namespace troupe::io {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

/// A proxy's refusal comes with a page for people, which is read no further than this.
constexpr std::size_t tunnel_header_bytes = 16u << 10;

std::string seconds(std::chrono::milliseconds value) {
  return fmt::format("{:g} s", static_cast<double>(value.count()) / 1000);
}

} // namespace

/// The proxy's answer to CONNECT, as far as it has come in.
struct dialer::tunnel_reply {
  tunnel_reply() : parser(tunnel_header_bytes, 0) { parser.start(true); }
  std::string request;
  answer_parser parser;
  std::array<char, tunnel_header_bytes> buffer;
  std::size_t filled = 0;
};

dialer::dialer(asio::io_context& context, std::shared_ptr<const route> way, handler done)
    : way_(std::move(way)), done_(std::move(done)), resolver_(context), socket_(context), timer_(context) {}

void dialer::start() {
  deadline_ = steady_clock::now() + way_->connect_timeout;
  resolve();
}

void dialer::abort() {
  done_ = nullptr;
  close_all();
}

void dialer::resolve() {
  const auto& host = way_->via ? way_->via->host : way_->origin.host;
  const auto port = way_->via ? way_->via->port : way_->origin.port;
  error_code ec;
  if (auto address = asio::ip::make_address(host, ec); !ec) {
    addresses_.emplace_back(address, port);
    try_next_address();
    return;
  }
  arm(deadline_);
  resolver_.async_resolve(host, std::to_string(port), asio::ip::tcp::resolver::numeric_service,
                          [self = shared_from_this(), host](const error_code& problem, const auto& found) {
                            // The lookup itself cannot be interrupted, so its end may come after ours.
                            if (!self->done_)
                              return;
                            if (problem == asio::error::host_not_found || problem == asio::error::no_data)
                              return self->give_up("name not found: " + host);
                            if (problem)
                              return self->give_up(
                                  fmt::format("cannot look up {}: {}", host, problem.message()));
                            for (const auto& entry : found)
                              self->addresses_.push_back(entry.endpoint());
                            self->try_next_address();
                          });
}

void dialer::try_next_address() {
  if (next_address_ == addresses_.size())
    return give_up(last_problem_);
  // Each address gets its share of the time, so that one that swallows packets leaves some to the others.
  const auto now = steady_clock::now();
  arm(now + (deadline_ - now) / static_cast<int>(addresses_.size() - next_address_));
  const auto& address = addresses_[next_address_++];
  error_code ignored;
  socket_.close(ignored);
  connecting_ = true;
  address_timed_out_ = false;
  socket_.async_connect(address, [self = shared_from_this()](const error_code& ec) {
    if (self->done_)
      self->on_connected(ec);
  });
}

void dialer::on_connected(const error_code& ec) {
  connecting_ = false;
  if (ec || address_timed_out_) {
    last_problem_ = address_timed_out_ ? fmt::format("no connection to {} within {}", peer_name(),
                                                     seconds(way_->connect_timeout))
                                       : describe(ec);
    return try_next_address();
  }
  arm(deadline_);
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  if (way_->via)
    ask_for_tunnel();
  else if (way_->tls)
    start_tls();
  else
    succeed(make_transport(std::move(socket_)));
}

void dialer::ask_for_tunnel() {
  auto reply = std::make_shared<tunnel_reply>();
  const auto target = host_and_port(way_->origin.host, way_->origin.port);
  reply->request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  if (!way_->via->authorization.empty())
    reply->request += fmt::format("Proxy-Authorization: {}\r\n", way_->via->authorization);
  reply->request += "\r\n";
  asio::async_write(socket_, asio::buffer(reply->request),
                    [self = shared_from_this(), reply](const error_code& ec, std::size_t) {
                      if (!self->done_)
                        return;
                      if (ec)
                        return self->give_up(self->describe(ec));
                      self->read_tunnel_reply(reply);
                    });
}

void dialer::read_tunnel_reply(std::shared_ptr<tunnel_reply> reply) {
  auto room = asio::buffer(reply->buffer) + reply->filled;
  socket_.async_read_some(room, [self = shared_from_this(), reply](const error_code& ec, std::size_t bytes) {
    if (!self->done_)
      return;
    if (ec)
      return self->give_up(ec == asio::error::eof
                               ? self->peer_name() + " closed the connection instead of CONNECT"
                               : self->describe(ec));
    self->on_tunnel_bytes(reply, bytes);
  });
}

void dialer::on_tunnel_bytes(const std::shared_ptr<tunnel_reply>& reply, std::size_t bytes) {
  reply->filled += bytes;
  auto used = reply->parser.feed({reply->buffer.data(), reply->filled});
  if (!used)
    return give_up(fmt::format("{}: {}", peer_name(), used.error().detail), false);
  if (!reply->parser.done()) {
    reply->filled -= *used;
    std::copy_n(reply->buffer.data() + *used, reply->filled, reply->buffer.data());
    if (reply->filled == reply->buffer.size())
      return give_up(peer_name() + " answered CONNECT with too long a header", false);
    return read_tunnel_reply(reply);
  }
  const auto status = reply->parser.take().status;
  if (status < 200 || status > 299)
    return give_up(fmt::format("{} refused CONNECT to {} with status {}", peer_name(),
                               host_and_port(way_->origin.host, way_->origin.port), status),
                   status >= 500);
  // We speak first in HTTP and in TLS: what comes before is not from the origin.
  if (*used != reply->filled)
    return give_up(peer_name() + " sent more than its answer to CONNECT", false);
  if (way_->tls)
    start_tls();
  else
    succeed(make_transport(std::move(socket_)));
}

void dialer::start_tls() {
  stream_ = std::make_unique<tls_stream>(std::move(socket_), *way_->tls);
  expect_host(*stream_, way_->origin.host);
  stream_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](const error_code& ec) {
    if (!self->done_)
      return;
    if (ec)
      return self->give_up(describe_tls_failure(*self->stream_, ec));
    self->succeed(make_transport(std::move(self->stream_)));
  });
}

void dialer::arm(steady_clock::time_point when) {
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    // A wait that has already ended when the timer is set anew comes here without an error.
    if (!ec && self->done_ && self->timer_.expiry() <= steady_clock::now())
      self->on_timer();
  });
}

void dialer::on_timer() {
  if (connecting_) {
    address_timed_out_ = true;
    error_code ignored;
    socket_.close(ignored);
    return;
  }
  give_up(fmt::format("no connection to {} within {}", host_and_port(way_->origin.host, way_->origin.port),
                      seconds(way_->connect_timeout)));
}

void dialer::succeed(std::unique_ptr<transport> made) {
  timer_.cancel();
  std::exchange(done_, nullptr)(std::move(made), {});
}

void dialer::give_up(std::string detail, bool worth_another_try) {
  close_all();
  std::exchange(done_, nullptr)(nullptr, {fail(errc::io_failed, std::move(detail)), worth_another_try});
}

void dialer::close_all() {
  error_code ignored;
  timer_.cancel();
  resolver_.cancel();
  socket_.close(ignored);
  if (stream_)
    stream_->next_layer().close(ignored);
}

std::string dialer::peer_name() const {
  return way_->via ? "proxy " + host_and_port(way_->via->host, way_->via->port)
                   : host_and_port(way_->origin.host, way_->origin.port);
}

std::string dialer::describe(const error_code& ec) const {
  if (ec == asio::error::connection_refused)
    return "connection refused by " + peer_name();
  if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe)
    return "connection reset by " + peer_name();
  return fmt::format("cannot connect to {}: {}", peer_name(), ec.message());
}

} // namespace troupe::io
