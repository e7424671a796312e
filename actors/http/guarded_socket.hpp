#pragma once

#include "actors/http/connections.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace troupe::http {

/// The socket that RESTinio is given: a TCP socket that tells its `connection` what passes through it.
/// RESTinio has one timeout for a whole request, closes without an answer to what it cannot parse, and takes
/// a client that has closed its sending side for one that is gone; this does better underneath it.
///
/// A read that must not go on is dropped with its handler. The handler holds RESTinio's connection, which so
/// dies, and closes the socket, as soon as no answer is owed any more.
class guarded_socket : public boost::asio::ip::tcp::socket {
public:
  using tcp_socket = boost::asio::ip::tcp::socket;

  guarded_socket(tcp_socket accepted, std::shared_ptr<connection> owner)
      : tcp_socket(std::move(accepted)), owner_(std::move(owner)) {
    owner_->attach(this);
  }
  guarded_socket(guarded_socket&& other) noexcept
      : tcp_socket(static_cast<tcp_socket&&>(other)), owner_(std::move(other.owner_)) {
    if (owner_)
      owner_->attach(this);
  }
  guarded_socket& operator=(guarded_socket&&) = delete;
  ~guarded_socket() {
    if (owner_)
      owner_->attach(nullptr);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (owner_->is_deaf())
      return;
    auto executor = boost::asio::get_associated_executor(handler, get_executor());
    tcp_socket::async_read_some(
        buffers, boost::asio::bind_executor(
                     executor, [owner = owner_, on_read = std::forward<Handler>(handler)](
                                   const boost::system::error_code& failed, std::size_t length) mutable {
                       if (failed)
                         owner->read_failed(failed);
                       if (owner->is_deaf())
                         return;
                       const connection::scope now(*owner, connection::event::read);
                       on_read(failed, length);
                     }));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    owner_->writing(true);
    auto executor = boost::asio::get_associated_executor(handler, get_executor());
    tcp_socket::async_write_some(
        buffers, boost::asio::bind_executor(
                     executor, [owner = owner_, on_written = std::forward<Handler>(handler)](
                                   const boost::system::error_code& failed, std::size_t length) mutable {
                       owner->writing(false);
                       if (owner->is_closed())
                         return;
                       const connection::scope now(*owner, connection::event::written);
                       on_written(failed, length);
                     }));
  }

  // These two are how RESTinio ends a connection. After a fault the client may still be sending, and to close
  // while unread bytes wait would make the kernel destroy the answer.

  void shutdown(shutdown_type what, boost::system::error_code& failed) {
    if (!must_linger())
      tcp_socket::shutdown(what, failed);
  }

  void close() {
    if (must_linger())
      owner_->linger(tcp_socket(static_cast<tcp_socket&&>(*this)));
    boost::system::error_code ignored;
    tcp_socket::close(ignored);
  }

private:
  bool must_linger() const { return is_open() && owner_->current_fault() != fault::none; }

  std::shared_ptr<connection> owner_;
};

} // namespace troupe::http
