#pragma once

#include "actors/io/tls.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <memory>

namespace troupe::io {

/// Told when an operation of a transport has ended, on the reactor's thread, never from inside the call
/// that began it.
class transport_observer {
public:
  virtual void on_read(const boost::system::error_code& ec, std::size_t bytes) = 0;
  virtual void on_written(const boost::system::error_code& ec) = 0;

protected:
  ~transport_observer() = default;
};

/// A connected stream of bytes, plain or with TLS. One read and one write may be under way at once; the
/// buffers stay valid until they end, and the observer is kept alive as long.
class transport {
public:
  virtual ~transport() = default;
  virtual void read_some(boost::asio::mutable_buffer into, std::shared_ptr<transport_observer> observer) = 0;
  virtual void write_all(const std::array<boost::asio::const_buffer, 2>& from,
                         std::shared_ptr<transport_observer> observer) = 0;
  /// Operations under way end with an error.
  virtual void close() noexcept = 0;
};

std::unique_ptr<transport> make_transport(boost::asio::ip::tcp::socket socket);
std::unique_ptr<transport> make_transport(std::unique_ptr<tls_stream> stream);

} // namespace troupe::io
