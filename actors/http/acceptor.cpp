#include "actors/http/acceptor.hpp"

#include "actors/http/defaults.hpp"
#include "actors/io/log.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <cctype>
#include <utility>

#include <fcntl.h>

namespace troupe::http {

namespace {

using boost::system::error_code;

std::string reason_of(const error_code& failed) {
  if (failed == boost::asio::error::address_in_use)
    return "address in use";
  if (failed == boost::system::errc::permission_denied)
    return "permission denied";
  if (failed == boost::system::errc::address_not_available)
    return "this machine does not have that address";
  auto text = failed.message();
  if (!text.empty())
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  return text;
}

error cannot_listen(std::string_view host, std::uint16_t port, std::string_view reason) {
  const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return fail(errc::io_failed, fmt::format("cannot listen on {}{}{}:{}: {}", bare_v6 ? "[" : "", host,
                                           bare_v6 ? "]" : "", port, reason));
}

boost::asio::ip::address parse_host(std::string_view host, error_code& failed) {
  if (host == "localhost")
    host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  return boost::asio::ip::make_address(host, failed);
}

/// No child process of the program's shall keep our port or our connections open.
void close_on_exec(int descriptor) {
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

error_code open_listener(acceptor::tcp::acceptor& listener, const acceptor::tcp::endpoint& where) {
  error_code failed;
  listener.open(where.protocol(), failed);
  if (failed)
    return failed;
  close_on_exec(listener.native_handle());
  listener.set_option(boost::asio::socket_base::reuse_address(true), failed);
  if (!failed)
    listener.bind(where, failed);
  if (!failed)
    listener.listen(boost::asio::socket_base::max_listen_connections, failed);
  return failed;
}

} // namespace

acceptor::acceptor(boost::asio::io_context& io, on_accepted accepted, has_room room)
    : listener_(io), pause_(io), accepted_(std::move(accepted)), room_(std::move(room)) {}

result<std::uint16_t> acceptor::listen(const std::string& host, std::uint16_t port) {
  error_code failed;
  const auto address = parse_host(host, failed);
  if (failed)
    return cannot_listen(host, port, "not an IP address; use one, or localhost");
  failed = open_listener(listener_, {address, port});
  std::uint16_t bound = 0;
  if (!failed)
    bound = listener_.local_endpoint(failed).port();
  if (failed) {
    close();
    return cannot_listen(host, port, reason_of(failed));
  }
  resume();
  return bound;
}

void acceptor::resume() {
  if (!accepting_ && listener_.is_open() && room_())
    accept_next();
}

void acceptor::accept_next() {
  accepting_ = true;
  listener_.async_accept([self = shared_from_this()](const error_code& failed, tcp::socket socket) {
    self->accepting_ = false;
    if (!self->listener_.is_open())
      return;
    if (failed) {
      log().warn("http: cannot accept a connection: {}", failed.message());
      return self->accept_later();
    }
    close_on_exec(socket.native_handle());
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    self->accepted_(std::move(socket));
    self->resume();
  });
}

void acceptor::accept_later() {
  accepting_ = true;
  pause_.expires_after(defaults::accept_pause);
  pause_.async_wait([self = shared_from_this()](const error_code&) {
    self->accepting_ = false;
    self->resume();
  });
}

void acceptor::close() {
  error_code ignored;
  listener_.close(ignored);
  pause_.cancel();
}

} // namespace troupe::http
