#include "actors/http/server.hpp"

#include "actors/http/acceptor.hpp"
#include "actors/http/admission.hpp"
#include "actors/http/binding.hpp"
#include "actors/http/defaults.hpp"
#include "actors/http/gate.hpp"
#include "actors/http/reception.hpp"
#include "actors/http/request_counts.hpp"
#include "actors/http/routes.hpp"
#include "actors/http/server_tls.hpp"
#include "actors/http/streams.hpp"
#include "actors/http/wire.hpp"
#include "actors/io/log.hpp"
#include "actors/io/reactor.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <ctime>
#include <deque>
#include <unordered_map>
#include <utility>

namespace troupe::http {

using clock = connection::clock;
using std::chrono::milliseconds;

namespace {

answer shutting_down() {
  return refuse(fail(errc::shutting_down, "the server is shutting down"));
}

} // namespace

/// Everything that is open. Kept alive by what is pending on the reactor, first of all its timer.
class server::core : public gate::inside, public std::enable_shared_from_this<core> {
public:
  core(io::reactor& io, config::server_options options, milliseconds keep_alive,
       std::shared_ptr<const api> decisions, const std::shared_ptr<metrics>& counted,
       std::shared_ptr<memory_watch> memory, handlers events, std::shared_ptr<gate> way_in,
       redactor_ptr hides);
  ~core() override;

  void open();
  void deliver(gathered_work work) override;
  void stop(milliseconds grace) override;

private:
  void make_acceptor(boost::asio::io_context& io, std::size_t max_connections);
  void make_streams(milliseconds keep_alive);
  /// Reads the files that are needed, and listens.
  result<std::uint16_t> listen();
  void handle(const std::shared_ptr<exchange>& request);
  void go_on(const std::shared_ptr<exchange>& request, const auth::identity& who);
  /// Requests that were handed out and are not answered yet.
  std::size_t in_work() const { return waiting_.size() + streams_->count(); }
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
  handlers events_;
  std::shared_ptr<gate> gate_;
  std::shared_ptr<connections> connections_;
  std::unique_ptr<wire> wire_;
  std::shared_ptr<acceptor> acceptor_;
  boost::asio::steady_timer timer_;
  milliseconds sweep_period_;
  milliseconds keep_alive_;
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

server::core::core(io::reactor& io, config::server_options options, milliseconds keep_alive,
                   std::shared_ptr<const api> decisions, const std::shared_ptr<metrics>& counted,
                   std::shared_ptr<memory_watch> memory, handlers events, std::shared_ptr<gate> way_in,
                   redactor_ptr hides)
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

server::core::~core() {
  close();
}

void server::core::make_acceptor(boost::asio::io_context& io, std::size_t max_connections) {
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

void server::core::make_streams(milliseconds keep_alive) {
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

result<std::uint16_t> server::core::listen() {
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

void server::core::open() {
  connections_->on_change = [this] { connections_changed(); };
  auto bound = listen();
  const bool listens = bound.has_value();
  events_.on_opened(std::move(bound));
  if (listens)
    watch();
  else
    close();
}

void server::core::handle(const std::shared_ptr<exchange>& request) {
  if (request->problem() != fault::none)
    return respond(*request, api_->refuse_fault(request->problem()));
  reception_->receive(request);
}

void server::core::go_on(const std::shared_ptr<exchange>& request, const auth::identity& who) {
  const auto& asked = request->request();
  const auto what = find_route(asked.method, asked.target).what;
  if (auto refusal = what ? admission_.refuse(*what, in_work(), clock::now()) : std::nullopt)
    return respond(*request, std::move(*refusal));
  auto decided = decide(asked, who);
  if (auto* at_once = std::get_if<answer>(&decided)) {
    at_once->body = hides_->hide_json(std::move(at_once->body));
    return respond(*request, std::move(*at_once));
  }
  if (draining_ || !hand_out(request, std::move(std::get<call>(decided)), {who.subject, who.is_operator}))
    respond(*request, shutting_down());
}

bool server::core::hand_out(const std::shared_ptr<exchange>& request, call what, caller who) {
  const auto id = ++last_request_;
  if (is_streamed(what))
    to_begin_.push_back(id);
  if (is_streamed(what) || ends_with_client(what)) {
    request->when_closed([inside = weak_from_this(), id] {
      if (const auto self = inside.lock())
        self->gone(id);
    });
    request->when_ended([inside = weak_from_this(), id, streamed = is_streamed(what)] {
      if (const auto self = inside.lock())
        self->ended(id, streamed);
    });
  }
  waiting_.emplace(id, request);
  admission_.show_requests(in_work());
  if (events_.on_call(id, std::move(what), std::move(who)))
    return true;
  waiting_.erase(id);
  return false;
}

void server::core::ended(request_id id, bool streamed) {
  if (streamed) {
    begin_stream(id);
    streams_->try_client(id);
  } else if (!closed_ && waiting_.contains(id)) {
    // Nothing can be written that would not be the answer; which is that of a cancelled run then.
    events_.on_gone(id);
  }
}

void server::core::gone(request_id id) {
  if (waiting_.erase(id) == 0)
    return streams_->drop(id);
  if (!closed_)
    events_.on_gone(id);
}

decision server::core::decide(const request_view& request, const auth::identity& who) const {
  try {
    return api_->decide(request, who);
  } catch (const std::exception& thrown) {
    log().error("http: {} {}: {}", request.method, path_of(request.target), thrown.what());
    return refuse(fail(errc::internal, "an exception in the front end"));
  }
}

void server::core::deliver(gathered_work work) {
  for (const auto& step : work.steps)
    carry_out(step);
  streams_->flush();
  for (auto& [id, value] : work.replies)
    if (const auto request = waiting_.extract(id)) {
      respond(*request.mapped(), std::move(value));
    } else if (streams_->contains(id)) {
      streams_->write(id, last_event(value));
      streams_->end(id, !draining_);
    }
}

void server::core::carry_out(const stream_step& step) {
  switch (step.what) {
  case stream_step::kind::begin:
    return begin_stream(step.id);
  case stream_step::kind::write:
    return streams_->write(step.id, step.event);
  case stream_step::kind::end:
    return streams_->end(step.id, !draining_);
  }
}

void server::core::begin_stream(request_id id) {
  auto request = waiting_.extract(id);
  if (!request)
    return;
  const auto asked = request.mapped()->request();
  counts_.streamed(find_route(asked.method, asked.target).what);
  const bool keep_alive = request.mapped()->keep_alive() && request.mapped()->takes_chunks() && !draining_;
  auto head = render_stream_head(request.mapped()->takes_chunks(), keep_alive, date(),
                                 request.mapped()->more_headers);
  streams_->begin(id, std::move(request.mapped()), std::move(head), keep_alive);
}

void server::core::begin_late_streams(clock::time_point now) {
  for (; !to_begin_.empty(); to_begin_.pop_front()) {
    const auto found = waiting_.find(to_begin_.front());
    if (found == waiting_.end())
      continue;
    if (now - found->second->since < keep_alive_)
      return;
    begin_stream(to_begin_.front());
  }
}

void server::core::respond(exchange& request, answer value) {
  const bool broken = request.problem() != fault::none;
  const auto view = broken ? request_view{"(none)", "(unreadable)", {}, {}} : request.request();
  const auto spent = clock::now() - request.since;
  const std::chrono::duration<double, std::milli> took = spent;
  counts_.answered(broken ? std::nullopt : find_route(view.method, view.target).what, value.status, spent);
  log().debug("http: {} {} {} {:.1f} ms", view.method, path_of(view.target), value.status, took.count());
  const bool keep_alive = request.keep_alive() && !value.close && !draining_;
  value.headers.insert(value.headers.end(), request.more_headers.begin(), request.more_headers.end());
  auto head = render_head(value, keep_alive, date());
  request.write(std::move(head), view.method == "HEAD" ? std::string() : std::move(value.body), keep_alive);
}

std::string_view server::core::date() {
  if (const auto now = std::time(nullptr); now != date_second_) {
    date_second_ = now;
    date_ = http_date(now);
  }
  return date_;
}

void server::core::connections_changed() {
  acceptor_->resume();
  admission_.show_connections(connections_->count());
  admission_.show_requests(in_work());
  if (draining_ && connections_->in_work() == 0)
    timer_.cancel();
}

void server::core::watch() {
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

void server::core::give_up_waiting() {
  // What fits into the kernel's buffers is on its way before the socket is closed.
  for (const auto& [id, request] : std::exchange(waiting_, {}))
    respond(*request, shutting_down());
  reception_->refuse_waiting(shutting_down());
  streams_->end_all(last_event(shutting_down()));
}

void server::core::stop(milliseconds grace) {
  draining_ = true;
  acceptor_->close();
  connections_->close_idle();
  stop_by_ = std::min(stop_by_, clock::now() + grace);
  timer_.cancel();
}

void server::core::close() {
  if (std::exchange(closed_, true))
    return;
  connections_->on_change = nullptr;
  gate_->close();
  acceptor_->close();
  connections_->close_all();
  waiting_.clear();
  reception_.reset();
  streams_->clear();
  timer_.cancel();
  std::exchange(events_, {}).on_closed();
}

server::server(io::reactor& io, const config::server_options& options, milliseconds keep_alive,
               std::shared_ptr<const api> decisions, std::shared_ptr<metrics> counted,
               std::shared_ptr<memory_watch> memory, handlers events, redactor_ptr hides)
    : gate_(std::make_shared<gate>(io.context())), hides_(std::move(hides)) {
  auto inside = std::make_shared<core>(io, options, keep_alive, std::move(decisions), counted,
                                       std::move(memory), std::move(events), gate_, hides_);
  gate_->open(inside);
  boost::asio::post(io.context(), [opening = std::move(inside)] { opening->open(); });
}

server::~server() {
  stop(milliseconds::zero());
}

void server::reply(request_id id, answer value) {
  value.body = hides_->hide_json(std::move(value.body));
  gate_->reply(id, std::move(value));
}

void server::begin_stream(request_id id) {
  gate_->step({id, stream_step::kind::begin, {}});
}

void server::write(request_id id, sse_event event) {
  event.data = hides_->hide_json(std::move(event.data));
  gate_->step({id, stream_step::kind::write, std::move(event)});
}

void server::end_stream(request_id id) {
  gate_->step({id, stream_step::kind::end, {}});
}

void server::stop(milliseconds grace) {
  gate_->stop(grace);
}

} // namespace troupe::http
