#include "actors/io/transport.hpp"

#include <boost/asio/write.hpp>

#include <utility>

namespace troupe::io {
namespace {

using boost::system::error_code;

boost::asio::ip::tcp::socket& layer_of(boost::asio::ip::tcp::socket& stream) {
  return stream;
}
boost::asio::ip::tcp::socket& layer_of(tls_stream& stream) {
  return stream.next_layer();
}

template <class Stream, class Holder>
class stream_transport final : public transport {
public:
  explicit stream_transport(Holder holder) : holder_(std::move(holder)) {}

  void read_some(boost::asio::mutable_buffer into, std::shared_ptr<transport_observer> observer) override {
    stream().async_read_some(into, [observer = std::move(observer)](const error_code& ec, std::size_t bytes) {
      observer->on_read(ec, bytes);
    });
  }
  void write_all(const std::array<boost::asio::const_buffer, 2>& from,
                 std::shared_ptr<transport_observer> observer) override {
    boost::asio::async_write(
        stream(), from,
        [observer = std::move(observer)](const error_code& ec, std::size_t) { observer->on_written(ec); });
  }
  void close() noexcept override {
    error_code ignored;
    layer_of(stream()).close(ignored);
  }

private:
  Stream& stream() {
    if constexpr (std::is_same_v<Stream, Holder>)
      return holder_;
    else
      return *holder_;
  }
  Holder holder_;
};

} // namespace

std::unique_ptr<transport> make_transport(boost::asio::ip::tcp::socket socket) {
  using tcp_socket = boost::asio::ip::tcp::socket;
  return std::make_unique<stream_transport<tcp_socket, tcp_socket>>(std::move(socket));
}

std::unique_ptr<transport> make_transport(std::unique_ptr<tls_stream> stream) {
  return std::make_unique<stream_transport<tls_stream, std::unique_ptr<tls_stream>>>(std::move(stream));
}

} // namespace troupe::io
