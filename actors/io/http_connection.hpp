#pragma once

#include "actors/io/answer_parser.hpp"
#include "actors/io/http_exchange.hpp"
#include "actors/io/transport.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace troupe::io {

/// Whom a connection reports to; called on the reactor's thread.
class connection_owner {
public:
  /// The exchange has left the connection, which is idle now, or closed if it is not `reusable`.
  virtual void on_released(const std::shared_ptr<http_connection>& connection, bool reusable) = 0;
  /// The next part of a streamed answer: the head if it has not been told yet, and bytes of the body, if any.
  virtual void on_part(const std::shared_ptr<http_exchange>& exchange, http_response part) = 0;
  /// Comes after `on_released`. Of a streamed answer all has been told before.
  virtual void on_answer(const std::shared_ptr<http_exchange>& exchange, http_response answer) = 0;
  /// The connection is closed. `stale`: it had served before and gave no byte of this answer.
  virtual void on_broken(const std::shared_ptr<http_connection>& connection,
                         const std::shared_ptr<http_exchange>& exchange, http_failure why, bool stale) = 0;

protected:
  ~connection_owner() = default;
};

/// A kept HTTP/1.1 connection with at most one exchange on it. It reads all the time but while a stream's
/// window is full, so that an idle connection that the peer closes is noticed at once. Used on the reactor's
/// thread only.
class http_connection final : public transport_observer,
                              public std::enable_shared_from_this<http_connection> {
public:
  http_connection(std::unique_ptr<transport> stream, connection_owner& owner,
                  const http_client_options& options, std::string peer);

  /// Starts to read; once, before anything else.
  void open();
  /// Sends the request; only while idle.
  void begin(std::shared_ptr<http_exchange> exchange);
  /// Reads on if the exchange on it is a stream that was held back and is no longer.
  void resume();
  /// Closes without a report; the owner may be gone afterwards.
  void close() noexcept;

  std::chrono::steady_clock::time_point idle_since;

  void on_read(const boost::system::error_code& ec, std::size_t bytes) override;
  void on_written(const boost::system::error_code& ec) override;

private:
  void read();
  void take_bytes();
  void on_end(const boost::system::error_code& ec);
  void finish();
  void break_off(error reason, bool worth_another_try, bool stale = false);

  std::unique_ptr<transport> stream_;
  connection_owner* owner_;
  std::string peer_;
  answer_parser parser_;
  std::size_t max_line_bytes_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::shared_ptr<http_exchange> exchange_;
  bool reading_ = false;
  bool written_ = true;
  bool answer_begun_ = false;
  bool has_served_ = false;
};

} // namespace troupe::io
