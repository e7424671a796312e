#pragma once

#include "actors/http/connections.hpp"
#include "actors/io/tls.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace troupe::http {

/// The socket that RESTinio is given: a TCP socket that tells its `connection` what passes through it.
/// RESTinio has one timeout for a whole request, closes without an answer to what it cannot parse, and takes
/// a client that has closed its sending side for one that is gone; this does better underneath it.
///
/// A read that must not go on is dropped with its handler. The handler holds RESTinio's connection, which so
/// dies, and closes the socket, as soon as no answer is owed any more.
///
/// With a context it speaks TLS: the first read shakes hands before it reads. The TCP socket has then moved
/// into the TLS stream, and what is inherited is empty.
class guarded_socket : public boost::asio::ip::tcp::socket {
public:
  using tcp_socket = boost::asio::ip::tcp::socket;
  using tls_context = boost::asio::ssl::context;

  guarded_socket(tcp_socket accepted, std::shared_ptr<tls_context> tls, std::shared_ptr<connection> owner)
      : tcp_socket(std::move(accepted)), context_(std::move(tls)), owner_(std::move(owner)) {
    owner_->attach(this);
  }
  /// Not once it has been read from.
  guarded_socket(guarded_socket&& other) noexcept
      : tcp_socket(static_cast<tcp_socket&&>(other)), context_(std::move(other.context_)),
        owner_(std::move(other.owner_)) {
    if (owner_)
      owner_->attach(this);
  }
  guarded_socket& operator=(guarded_socket&&) = delete;
  ~guarded_socket() {
    if (!owner_)
      return;
    owner_->attach(nullptr);
    owner_->send_by(nullptr);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (owner_->is_deaf())
      return;
    if (context_)
      return shake_hands(buffers, std::forward<Handler>(handler));
    auto executor = boost::asio::get_associated_executor(handler, get_executor());
    auto told = boost::asio::bind_executor(
        executor, [owner = owner_, on_read = std::forward<Handler>(handler)](
                      const boost::system::error_code& failed, std::size_t length) mutable {
          if (failed)
            owner->read_failed(failed);
          if (owner->is_deaf())
            return;
          const connection::scope now(*owner, connection::event::read);
          on_read(failed, length);
        });
    if (tls_)
      tls_->async_read_some(buffers, std::move(told));
    else
      tcp_socket::async_read_some(buffers, std::move(told));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    owner_->write_begins();
    auto executor = boost::asio::get_associated_executor(handler, get_executor());
    auto told = boost::asio::bind_executor(
        executor, [owner = owner_, on_written = std::forward<Handler>(handler)](
                      const boost::system::error_code& failed, std::size_t length) mutable {
          owner->write_ends(length);
          if (owner->is_closed())
            return;
          const connection::scope now(*owner, connection::event::written);
          on_written(failed, length);
          owner->writes_pause();
        });
    if (tls_)
      tls_->async_write_some(buffers, std::move(told));
    else
      tcp_socket::async_write_some(buffers, std::move(told));
  }

  // These are how RESTinio ends a connection. After a fault the client may still be sending, and to close
  // while unread bytes wait would make the kernel destroy the answer. The end of TLS has to be announced.

  bool is_open() const { return tls_ ? !has_left_ && tls_->next_layer().is_open() : tcp_socket::is_open(); }

  void cancel(boost::system::error_code& failed) {
    if (tls_)
      tls_->next_layer().cancel(failed);
    else
      tcp_socket::cancel(failed);
  }

  void shutdown(shutdown_type what, boost::system::error_code& failed) {
    if (!tls_ && !must_linger())
      tcp_socket::shutdown(what, failed);
  }

  void close() {
    if (tls_ && is_open()) {
      has_left_ = true;
      owner_->attach(this);
      return owner_->linger(tls_);
    }
    if (must_linger())
      owner_->linger(tcp_socket(static_cast<tcp_socket&&>(*this)));
    boost::system::error_code ignored;
    tcp_socket::close(ignored);
  }

private:
  bool must_linger() const { return is_open() && owner_->current_fault() != fault::none; }

  /// Reads once the hands are shaken. If they are not, the handler is dropped as above.
  template <class Buffers, class Handler>
  void shake_hands(const Buffers& buffers, Handler&& handler) {
    const auto context = std::move(context_);
    tls_ = std::make_shared<io::tls_stream>(static_cast<tcp_socket&&>(*this), *context);
    owner_->attach(&tls_->next_layer());
    owner_->send_by([tls = tls_](std::string_view bytes) {
      tls->async_write_some(boost::asio::buffer(bytes), [tls](const auto&, std::size_t) {});
    });
    tls_->async_handshake(io::tls_stream::server,
                          // The handler keeps this object alive.
                          [this, context, buffers, on_read = std::forward<Handler>(handler)](
                              const boost::system::error_code& failed) mutable {
                            if (failed)
                              owner_->handshake_failed(io::describe_tls_failure(*tls_, failed));
                            else
                              async_read_some(buffers, std::move(on_read));
                          });
  }

  std::shared_ptr<tls_context> context_;
  /// From the first read on.
  std::shared_ptr<io::tls_stream> tls_;
  bool has_left_ = false;
  std::shared_ptr<connection> owner_;
};

} // namespace troupe::http
