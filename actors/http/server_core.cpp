#include "actors/http/server_core.hpp"

#include "actors/http/acceptor.hpp"
#include "actors/http/binding.hpp"
#include "actors/http/defaults.hpp"
#include "actors/http/server_tls.hpp"
#include "actors/http/streams.hpp"
#include "actors/io/reactor.hpp"

#include <algorithm>
#include <utility>

namespace troupe::http {

using std::chrono::milliseconds;

answer shutting_down() {
  return refuse(fail(errc::shutting_down, "the server is shutting down"));
}

server_core::server_core(io::reactor& io, config::server_options options, milliseconds keep_alive,
                         std::shared_ptr<const api> decisions, const std::shared_ptr<metrics>& counted,
                         std::shared_ptr<memory_watch> memory, server::handlers events,
                         std::shared_ptr<gate> way_in, redactor_ptr hides)
    : options_(std::move(options)), api_(std::move(decisions)), hides_(std::move(hides)), counts_(counted),
      admission_(*counted, options_, std::move(memory)), events_(std::move(events)), gate_(std::move(way_in)),
      connections_(std::make_shared<connections>(
          connections::timeouts{options_.header_timeout, options_.body_timeout, options_.idle_timeout})),
      timer_(io.context()), keep_alive_(keep_alive) {
  const auto shortest =
      std::min({options_.header_timeout, options_.body_timeout, options_.idle_timeout, keep_alive});
  sweep_period_ = std::clamp(shortest / 4, defaults::min_sweep_period, defaults::max_sweep_period);
  make_acceptor(io.context(), options_.max_connections);
  make_streams(keep_alive);
  // Safe with `this`: nobody else has the reception.
  reception_ = std::make_unique<reception>(
      io, options_,
      reception::handlers{[this](const auto& request, const auth::identity& who) { go_on(request, who); },
                          [this](exchange& request, answer value) { respond(request, std::move(value)); }});
  // Safe with `this`: once this is closed, so are all connections, and those make no more requests.
  wire_ = wire::make(options_.max_body_bytes,
                     [this](const std::shared_ptr<exchange>& request) { handle(request); });
}

server_core::~server_core() {
  close();
}

void server_core::make_acceptor(boost::asio::io_context& io, std::size_t max_connections) {
  acceptor_ = std::make_shared<acceptor>(
      io,
      [this, max_connections](boost::asio::ip::tcp::socket accepted) {
        if (connections_->count() >= max_connections)
          return connections_->refuse(std::move(accepted), admission_.no_connection());
        wire_->serve(std::move(accepted), tls_, std::make_shared<connection>(connections_));
        admission_.show_connections(connections_->count());
      },
      // Over TLS nothing can be said before hands are shaken: there they wait to be accepted.
      [all = connections_, most = max_connections + (options_.tls ? 0 : defaults::max_refused_connections)] {
        return all->count() < most;
      });
}

void server_core::make_streams(milliseconds keep_alive) {
  streams::handlers told;
  // Safe with `this`: nobody else has the streams.
  told.on_written = [this](request_id id, std::size_t bytes) {
    if (!closed_)
      events_.on_written(id, bytes);
  };
  told.on_gone = [this](request_id id) {
    if (!closed_)
      events_.on_gone(id);
  };
  streams_ = std::make_shared<streams>(keep_alive, std::move(told));
}

result<std::uint16_t> server_core::listen() {
  if (auto allowed = may_listen(options_); !allowed)
    return allowed.error();
  if (options_.tls) {
    auto context = make_server_tls(*options_.tls);
    if (!context)
      return context.error();
    tls_ = std::move(*context);
  }
  if (auto opened = reception_->open(); !opened)
    return opened.error();
  return acceptor_->listen(options_.host, options_.port);
}

void server_core::open() {
  // Safe with `this`: both are taken away when it closes.
  connections_->on_change = [this] { connections_changed(); };
  connections_->before_body = [this](const visitor& from) { return reception_->refuse_body(from); };
  auto bound = listen();
  const bool listens = bound.has_value();
  events_.on_opened(std::move(bound));
  if (listens)
    watch();
  else
    close();
}

void server_core::connections_changed() {
  acceptor_->resume();
  admission_.show_connections(connections_->count());
  admission_.show_requests(in_work());
  if (draining_ && connections_->in_work() == 0)
    timer_.cancel();
}

void server_core::watch() {
  if (closed_)
    return;
  const auto now = clock::now();
  connections_->sweep(now);
  begin_late_streams(now);
  streams_->sweep(now);
  reception_->keep_keys_fresh();
  if (draining_ && (connections_->in_work() == 0 || now >= stop_by_)) {
    give_up_waiting();
    return close();
  }
  timer_.expires_at(std::min(now + sweep_period_, stop_by_));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) { self->watch(); });
}

void server_core::give_up_waiting() {
  // What fits into the kernel's buffers is on its way before the socket is closed.
  for (const auto& [id, request] : std::exchange(waiting_, {}))
    respond(*request, shutting_down());
  reception_->refuse_waiting(shutting_down());
  streams_->end_all(last_event(shutting_down()));
}

void server_core::stop(milliseconds grace) {
  draining_ = true;
  acceptor_->close();
  connections_->close_idle();
  stop_by_ = std::min(stop_by_, clock::now() + grace);
  timer_.cancel();
}

void server_core::close() {
  if (std::exchange(closed_, true))
    return;
  connections_->on_change = nullptr;
  connections_->before_body = nullptr;
  gate_->close();
  acceptor_->close();
  connections_->close_all();
  waiting_.clear();
  reception_.reset();
  streams_->clear();
  timer_.cancel();
  std::exchange(events_, {}).on_closed();
}

} // namespace troupe::http
