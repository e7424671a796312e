#pragma once

#include "actors/http/admission.hpp"
#include "actors/http/connections.hpp"
#include "actors/http/gate.hpp"
#include "actors/http/reception.hpp"
#include "actors/http/request_counts.hpp"
#include "actors/http/server.hpp"
#include "actors/http/wire.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::http {

class acceptor;
class streams;

/// Everything that is open. Kept alive by what is pending on the reactor, first of all its timer.
class server_core : public gate::inside, public std::enable_shared_from_this<server_core> {
public:
  using clock = connection::clock;

  server_core(io::reactor& io, config::server_options options, std::chrono::milliseconds keep_alive,
              std::shared_ptr<const api> decisions, const std::shared_ptr<metrics>& counted,
              std::shared_ptr<memory_watch> memory, server::handlers events, std::shared_ptr<gate> way_in,
              redactor_ptr hides);
  ~server_core() override;

  void open();
  void deliver(gathered_work work) override;
  void stop(std::chrono::milliseconds grace) override;

private:
  void make_acceptor(boost::asio::io_context& io, std::size_t max_connections);
  void make_streams(std::chrono::milliseconds keep_alive);
  /// Reads the files that are needed, and listens.
  result<std::uint16_t> listen();
  void handle(const std::shared_ptr<exchange>& request);
  void go_on(const std::shared_ptr<exchange>& request, const auth::identity& who);
  /// Requests that were handed out and are not answered yet.
  std::size_t in_work() const;
  /// Whether somebody will answer.
  bool hand_out(const std::shared_ptr<exchange>& request, call what, caller who);
  void carry_out(const stream_step& step);
  void begin_stream(request_id id);
  /// Begins streams whose runs have not: somebody on the way may take a quiet connection for dead.
  void begin_late_streams(clock::time_point now);
  /// The client of a streamed call is gone.
  void gone(request_id id);
  /// It has closed its side, as it does when it goes away; but it may still want its answer.
  void ended(request_id id, bool streamed);
  decision decide(const request_view& request, const auth::identity& who) const;
  void respond(exchange& request, answer value);
  void give_up_waiting();
  void connections_changed();
  void watch();
  void close();
  std::string_view date();

  config::server_options options_;
  std::shared_ptr<const api> api_;
  redactor_ptr hides_;
  request_counts counts_;
  admission admission_;
  /// Null once it is closed.
  std::unique_ptr<reception> reception_;
  /// Null for plain HTTP.
  std::shared_ptr<boost::asio::ssl::context> tls_;
  server::handlers events_;
  std::shared_ptr<gate> gate_;
  std::shared_ptr<connections> connections_;
  std::unique_ptr<wire> wire_;
  std::shared_ptr<acceptor> acceptor_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds sweep_period_;
  std::chrono::milliseconds keep_alive_;
  std::unordered_map<request_id, std::shared_ptr<exchange>> waiting_;
  /// Those among them that are to be streams, oldest first; also some that wait no more.
  std::deque<request_id> to_begin_;
  std::shared_ptr<streams> streams_;
  request_id last_request_ = 0;
  clock::time_point stop_by_ = clock::time_point::max();
  bool draining_ = false;
  bool closed_ = false;
  std::time_t date_second_ = 0;
  std::string date_;
};

/// The answer to what comes too late.
answer shutting_down();

} // namespace troupe::http
