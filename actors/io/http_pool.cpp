#include "actors/io/http_pool.hpp"

#include "actors/io/defaults.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::io {

using std::chrono::steady_clock;

http_client::pool::pool(boost::asio::io_context& context, http_client_options options,
                        std::shared_ptr<const route> way)
    : context_(context), options_(std::move(options)), way_(std::move(way)), sweep_timer_(context),
      idle_timer_(context) {}

http_client::pool::~pool() {
  close_all();
}

http_client::pool::exchange_ptr http_client::pool::make_exchange(http_request request, http_handler handler) {
  auto exchange = std::make_shared<http_exchange>();
  if (auto head = make_request_head(way_->origin, request))
    exchange->head = std::move(*head);
  else
    exchange->rejected = head.error();
  exchange->body = std::move(request.body);
  exchange->bodiless_answer = request.method == "HEAD";
  exchange->handler = std::move(handler);
  exchange->timeout = std::min<std::chrono::milliseconds>(request.timeout, defaults::longest_timeout);
  exchange->deadline = steady_clock::now() + exchange->timeout;
  return exchange;
}

http_request_id http_client::pool::start(exchange_ptr exchange) {
  std::unique_lock lock(mutex_);
  const auto id = exchange->id = ++last_id_;
  live_.emplace(id, exchange);
  lock.unlock();
  post({.exchange = std::move(exchange)});
  return id;
}

http_request_id http_client::pool::send(http_request request, http_handler handler) {
  return start(make_exchange(std::move(request), std::move(handler)));
}

http_request_id http_client::pool::stream(http_request request, const http_stream_options& options,
                                          http_stream_handlers handlers) {
  request.timeout = std::min(request.timeout, options.total_timeout);
  auto exchange = make_exchange(std::move(request),
                                [on_end = std::move(handlers.on_end)](const auto& answer, http_failure why) {
                                  if (on_end)
                                    on_end(answer ? std::nullopt : std::optional(std::move(why)));
                                });
  exchange->stream = std::make_unique<http_stream>(options, std::move(handlers.on_head),
                                                   std::move(handlers.on_data), steady_clock::now());
  return start(std::move(exchange));
}

void http_client::pool::consumed(http_request_id id, std::size_t bytes) {
  auto exchange = find(id);
  // Only what frees a full window is worth waking the reactor for.
  if (exchange != nullptr && exchange->stream && exchange->stream->consume(bytes))
    post({.resumed = id});
}

void http_client::pool::cancel(http_request_id id) {
  post({.cancelled = id});
}

void http_client::pool::post(command what) {
  {
    std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(what));
    // One wake-up serves all that arrives until the reactor looks.
    if (std::exchange(drain_posted_, true))
      return;
  }
  boost::asio::post(context_, [self = shared_from_this()] { self->drain(); });
}

void http_client::pool::shut() {
  gate_.close();
  std::unordered_map<http_request_id, exchange_ptr> ended;
  {
    std::lock_guard lock(mutex_);
    ended.swap(live_);
    inbox_.clear();
  }
  boost::asio::post(context_, [self = shared_from_this()] { self->close_all(); });
  for (auto& [id, exchange] : ended)
    if (exchange->handler)
      exchange->handler(std::nullopt, {fail(errc::cancelled, "the HTTP client is gone"), false});
}

void http_client::pool::drain() {
  drained_.clear();
  {
    std::lock_guard lock(mutex_);
    drained_.swap(inbox_);
    drain_posted_ = false;
  }
  for (auto& what : drained_) {
    if (closed_)
      break;
    if (what.exchange != nullptr)
      admit(std::move(what.exchange));
    else if (what.resumed != 0)
      resume(what.resumed);
    else
      abandon(what.cancelled, fail(errc::cancelled, "the request was cancelled"));
  }
}

void http_client::pool::admit(exchange_ptr exchange) {
  if (exchange->rejected)
    return complete(exchange, std::nullopt, {*exchange->rejected, false});
  watch(*exchange, exchange->deadline);
  waiting_.push_back(exchange);
  dispatch();
  // Those for which a connection is being opened wait for that, not in the queue.
  if (waiting_.size() <= dialing_.size() || waiting_.size() - dialing_.size() <= options_.max_queue)
    return;
  waiting_.pop_back();
  complete(exchange, std::nullopt,
           {fail(errc::overloaded, fmt::format("{} requests wait for a connection to {} already",
                                               waiting_.size(), way_->origin.host)),
            false});
}

void http_client::pool::dispatch() {
  while (!waiting_.empty() && !idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    auto exchange = std::move(waiting_.front());
    waiting_.pop_front();
    connection->begin(std::move(exchange));
  }
  while (waiting_.size() + retries_.size() > dialing_.size() &&
         connections_.size() + dialing_.size() < options_.max_connections)
    dial();
}

void http_client::pool::dial() {
  // The dialer's handler must not keep the dialer alive, nor the pool.
  auto made = std::make_shared<std::weak_ptr<dialer>>();
  auto started = std::make_shared<dialer>(
      context_, way_, [weak = weak_from_this(), made](std::unique_ptr<transport> stream, http_failure why) {
        auto self = weak.lock();
        auto from = made->lock();
        if (self && from && !self->closed_)
          self->on_dialed(from, std::move(stream), std::move(why));
      });
  *made = started;
  dialing_.push_back(started);
  started->start();
}

void http_client::pool::on_dialed(const std::shared_ptr<dialer>& from, std::unique_ptr<transport> stream,
                                  http_failure why) {
  std::erase(dialing_, from);
  if (stream == nullptr)
    return on_dial_failed(why);
  auto connection = std::make_shared<http_connection>(std::move(stream), *this, options_,
                                                      host_and_port(way_->origin.host, way_->origin.port));
  connections_.insert(connection);
  open_.store(connections_.size(), std::memory_order_relaxed);
  if (!retries_.empty()) {
    connection->begin(std::move(retries_.front()));
    retries_.pop_front();
    connection->open();
  } else {
    // Opened first: what it is given to do comes after.
    connection->open();
    on_released(connection, true);
  }
}

void http_client::pool::on_dial_failed(const http_failure& why) {
  std::vector<exchange_ptr> failed;
  auto take = [&](std::deque<exchange_ptr>& from) {
    failed.push_back(std::move(from.front()));
    from.pop_front();
  };
  if (!retries_.empty())
    take(retries_);
  else if (!waiting_.empty())
    take(waiting_);
  // With no connection at all the others would only meet the same failure, one after the other.
  while (connections_.empty() && waiting_.size() > dialing_.size())
    take(waiting_);
  dispatch();
  for (const auto& exchange : failed)
    complete(exchange, std::nullopt, why);
}

void http_client::pool::abort_surplus_dials() {
  while (dialing_.size() > waiting_.size() + retries_.size()) {
    dialing_.back()->abort();
    dialing_.pop_back();
  }
}

void http_client::pool::on_released(const connection_ptr& connection, bool reusable) {
  if (!reusable) {
    forget(connection);
  } else {
    connection->idle_since = steady_clock::now();
    idle_.push_back(connection);
  }
  dispatch();
  abort_surplus_dials();
  arm_idle();
}

void http_client::pool::on_part(const exchange_ptr& exchange, http_response part) {
  auto& stream = *exchange->stream;
  const auto now = steady_clock::now();
  stream.go_on(now);
  if (const auto due = exchange->due(now); due < exchange->watched)
    watch(*exchange, due);
  try {
    gate_.run([&] { stream.tell(std::move(part)); });
  } catch (...) {
    abandon(exchange->id, fail(errc::internal, "a handler of the stream threw"));
    throw;
  }
}

void http_client::pool::on_answer(const exchange_ptr& exchange, http_response answer) {
  complete(exchange, std::move(answer), {});
}

void http_client::pool::on_broken(const connection_ptr& connection, const exchange_ptr& exchange,
                                  http_failure why, bool stale) {
  forget(connection);
  std::erase(idle_, connection);
  if (exchange != nullptr && stale && !exchange->retried) {
    exchange->retried = true;
    exchange->connection.reset();
    retries_.push_back(exchange);
  }
  dispatch();
  if (exchange != nullptr && (retries_.empty() || retries_.back() != exchange))
    complete(exchange, std::nullopt, std::move(why));
}

void http_client::pool::abandon(http_request_id id, error reason) {
  auto exchange = find(id);
  if (exchange == nullptr)
    return;
  if (auto connection = exchange->connection.lock()) {
    connection->close();
    forget(connection);
    dispatch();
  } else {
    std::erase(waiting_, exchange);
    std::erase(retries_, exchange);
    abort_surplus_dials();
  }
  complete(exchange, std::nullopt, {std::move(reason), false});
}

void http_client::pool::resume(http_request_id id) {
  if (auto exchange = find(id))
    if (auto connection = exchange->connection.lock())
      connection->resume();
}

void http_client::pool::complete(const exchange_ptr& exchange, std::optional<http_response> answer,
                                 http_failure why) {
  gate_.run([&] {
    {
      std::lock_guard lock(mutex_);
      if (live_.erase(exchange->id) == 0)
        return;
    }
    if (auto handler = std::move(exchange->handler))
      handler(std::move(answer), std::move(why));
  });
}

http_client::pool::exchange_ptr http_client::pool::find(http_request_id id) {
  std::lock_guard lock(mutex_);
  auto found = live_.find(id);
  return found == live_.end() ? nullptr : found->second;
}

void http_client::pool::forget(const connection_ptr& connection) {
  connections_.erase(connection);
  open_.store(connections_.size(), std::memory_order_relaxed);
}

void http_client::pool::close_all() {
  closed_ = true;
  sweep_timer_.cancel();
  idle_timer_.cancel();
  for (const auto& one : dialing_)
    one->abort();
  for (const auto& one : connections_)
    one->close();
  dialing_.clear();
  connections_.clear();
  idle_.clear();
  waiting_.clear();
  retries_.clear();
  open_.store(0, std::memory_order_relaxed);
}

} // namespace troupe::io
