#include "actors/io/http_connection.hpp"

#include "actors/io/defaults.hpp"

#include <boost/asio/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::io {

namespace asio = boost::asio;
using boost::system::error_code;

http_connection::http_connection(std::unique_ptr<transport> stream, connection_owner& owner,
                                 const http_client_options& options, std::string peer)
    : stream_(std::move(stream)), owner_(&owner), peer_(std::move(peer)),
      parser_(options.max_header_bytes, options.max_response_bytes),
      max_line_bytes_(options.max_header_bytes), buffer_(defaults::socket_read_bytes) {}

void http_connection::open() {
  read();
}

void http_connection::begin(std::shared_ptr<http_exchange> exchange) {
  exchange->connection = weak_from_this();
  exchange_ = std::move(exchange);
  parser_.start(exchange_->bodiless_answer, exchange_->stream != nullptr);
  answer_begun_ = false;
  written_ = false;
  stream_->write_all({asio::buffer(exchange_->head), asio::buffer(exchange_->body)}, shared_from_this());
}

void http_connection::resume() {
  if (!reading_ && exchange_ != nullptr && exchange_->stream) {
    exchange_->stream->go_on(std::chrono::steady_clock::now());
    read();
  }
}

void http_connection::close() noexcept {
  owner_ = nullptr;
  stream_->close();
  // What is being written stays in memory until the write has ended.
  if (written_)
    exchange_ = nullptr;
}

void http_connection::on_written(const error_code& ec) {
  // After a failure the read under way tells what became of the connection: a peer that refuses a large
  // body answers before it closes.
  written_ = !ec;
  if (owner_ == nullptr)
    exchange_ = nullptr;
}

void http_connection::read() {
  if (reading_ || (exchange_ != nullptr && exchange_->stream && exchange_->stream->hold_back()))
    return;
  if (filled_ == buffer_.size())
    buffer_.resize(buffer_.size() * 2);
  reading_ = true;
  stream_->read_some(asio::buffer(buffer_) + filled_, shared_from_this());
}

void http_connection::on_read(const error_code& ec, std::size_t bytes) {
  reading_ = false;
  if (owner_ == nullptr)
    return;
  filled_ += bytes;
  if (bytes > 0 && exchange_ == nullptr)
    return break_off(fail(errc::protocol_violation, peer_ + " sent bytes unasked"), false);
  if (bytes > 0)
    take_bytes();
  if (owner_ == nullptr)
    return;
  if (ec)
    on_end(ec);
  else
    read();
}

void http_connection::take_bytes() {
  answer_begun_ = true;
  auto used = parser_.feed({buffer_.data(), filled_});
  // What came before an error is good.
  if (exchange_->stream && parser_.head_done())
    owner_->on_part(std::shared_ptr(exchange_), parser_.take());
  if (!used)
    return break_off(fail(used.error().code, fmt::format("{}: {}", peer_, used.error().detail)), false);
  filled_ -= *used;
  if (*used > 0)
    std::copy_n(buffer_.data() + *used, filled_, buffer_.data());
  if (parser_.done())
    finish();
  else if (filled_ > max_line_bytes_)
    break_off(fail(errc::protocol_violation, peer_ + " sent too long a line"), false);
}

void http_connection::finish() {
  // Bytes behind the answer, or a request that has not gone out in full, leave the connection out of step.
  const bool reusable = parser_.keeps_alive() && filled_ == 0 && written_;
  auto self = shared_from_this();
  auto* owner = owner_;
  auto exchange = written_ ? std::exchange(exchange_, nullptr) : exchange_;
  auto answer = parser_.take();
  has_served_ = true;
  if (!reusable)
    close();
  owner->on_released(self, reusable);
  // Before the handler runs, which may take its time or throw.
  if (owner_ != nullptr)
    read();
  owner->on_answer(exchange, std::move(answer));
}

void http_connection::on_end(const error_code& ec) {
  if (exchange_ == nullptr)
    return break_off(fail(errc::io_failed, peer_ + " closed the connection"), true);
  // With TLS a cut is told from an end: only `eof` is an orderly close.
  if (ec == asio::error::eof && answer_begun_ && parser_.ends_with_connection() && parser_.finish())
    return finish();
  if (!answer_begun_)
    return break_off(fail(errc::io_failed, ec == asio::error::connection_reset
                                               ? "connection reset by " + peer_
                                               : peer_ + " closed the connection without an answer"),
                     true, has_served_);
  break_off(fail(errc::io_failed, peer_ + " closed the connection in the middle of its answer"), true);
}

void http_connection::break_off(error reason, bool worth_another_try, bool stale) {
  auto self = shared_from_this();
  auto* owner = owner_;
  auto exchange = exchange_;
  close();
  owner->on_broken(self, exchange, {std::move(reason), worth_another_try}, stale);
}

} // namespace troupe::io
