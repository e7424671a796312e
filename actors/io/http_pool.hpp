#pragma once

#include "actors/io/deadline_heap.hpp"
#include "actors/io/dialer.hpp"
#include "actors/io/handler_gate.hpp"
#include "actors/io/http_client.hpp"
#include "actors/io/http_connection.hpp"
#include "actors/io/http_exchange.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace troupe::io {

/// The client's other half. `send`, `stream`, `consumed`, `cancel` and `shut` may be called on any thread;
/// the rest runs on the reactor's.
class http_client::pool final : public connection_owner,
                                public std::enable_shared_from_this<http_client::pool> {
public:
  pool(boost::asio::io_context& context, http_client_options options, std::shared_ptr<const route> way);
  ~pool();

  http_request_id send(http_request request, http_handler handler);
  http_request_id stream(http_request request, const http_stream_options& options,
                         http_stream_handlers handlers);
  void consumed(http_request_id id, std::size_t bytes);
  void cancel(http_request_id id);
  /// Ends all requests with `cancelled`, on the caller's thread, and closes the connections soon after.
  void shut();
  std::size_t open_connections() const { return open_.load(std::memory_order_relaxed); }

  void on_released(const std::shared_ptr<http_connection>& connection, bool reusable) override;
  void on_part(const std::shared_ptr<http_exchange>& exchange, http_response part) override;
  void on_answer(const std::shared_ptr<http_exchange>& exchange, http_response answer) override;
  void on_broken(const std::shared_ptr<http_connection>& connection,
                 const std::shared_ptr<http_exchange>& exchange, http_failure why, bool stale) override;

private:
  using exchange_ptr = std::shared_ptr<http_exchange>;
  using connection_ptr = std::shared_ptr<http_connection>;

  /// A new request, or the number of one to cancel, or of a stream whose window has room again.
  struct command {
    exchange_ptr exchange{};
    http_request_id cancelled = 0;
    http_request_id resumed = 0;
  };

  exchange_ptr make_exchange(http_request request, http_handler handler);
  http_request_id start(exchange_ptr exchange);
  void post(command what);
  void drain();
  void admit(exchange_ptr exchange);
  void dispatch();
  void dial();
  void on_dialed(const std::shared_ptr<dialer>& from, std::unique_ptr<transport> stream, http_failure why);
  void on_dial_failed(const http_failure& why);
  void abort_surplus_dials();
  void abandon(http_request_id id, error reason);
  void resume(http_request_id id);
  void complete(const exchange_ptr& exchange, std::optional<http_response> answer, http_failure why);
  exchange_ptr find(http_request_id id);
  void forget(const connection_ptr& connection);
  void close_all();
  void watch(http_exchange& exchange, http_exchange::time_point at);
  error late(const http_exchange& exchange, http_exchange::time_point now) const;
  void arm_sweep();
  void sweep();
  void arm_idle();
  void close_idle();

  boost::asio::io_context& context_;
  const http_client_options options_;
  const std::shared_ptr<const route> way_;
  handler_gate gate_;

  std::mutex mutex_;
  /// Every request whose handler has not been called; whoever takes one out of it calls the handler.
  std::unordered_map<http_request_id, exchange_ptr> live_;
  std::vector<command> inbox_;
  http_request_id last_id_ = 0;
  bool drain_posted_ = false;

  std::atomic<std::size_t> open_{0};
  std::deque<exchange_ptr> waiting_;
  /// Requests that met a stale connection, and wait for a fresh one.
  std::deque<exchange_ptr> retries_;
  std::vector<std::shared_ptr<dialer>> dialing_;
  std::unordered_set<connection_ptr> connections_;
  /// The one used last is at the back and is used first, so that the others can age.
  std::vector<connection_ptr> idle_;
  std::vector<command> drained_;
  deadline_heap deadlines_;
  boost::asio::steady_timer sweep_timer_;
  boost::asio::steady_timer idle_timer_;
  bool sweep_armed_ = false;
  bool idle_armed_ = false;
  bool closed_ = false;
};

} // namespace troupe::io
