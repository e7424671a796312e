#include "actors/http/server.hpp"

#include "actors/http/acceptor.hpp"
#include "actors/http/defaults.hpp"
#include "actors/http/routes.hpp"
#include "actors/http/wire.hpp"
#include "actors/io/log.hpp"
#include "actors/io/reactor.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <ctime>
#include <mutex>
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

/// What other threads reach the core by: it outlives the core, and knows when that is gone.
class server::gate {
public:
  explicit gate(boost::asio::io_context& io) : io_(&io) {}

  void reply(request_id id, answer value);
  void stop(milliseconds grace);

  void open(const std::shared_ptr<core>& inside);
  void close();
  std::vector<std::pair<request_id, answer>> take_replies();

private:
  template <class Task>
  void post(Task task) {
    boost::asio::post(*io_, [inside = core_, run = std::move(task)] {
      if (const auto still = inside.lock())
        run(*still);
    });
  }

  std::mutex mutex_;
  /// Null once it is closed.
  boost::asio::io_context* io_;
  std::weak_ptr<core> core_;
  std::vector<std::pair<request_id, answer>> replies_;
};

/// Everything that is open. Kept alive by what is pending on the reactor, first of all its timer.
class server::core : public std::enable_shared_from_this<core> {
public:
  core(boost::asio::io_context& io, const config::server_options& options,
       std::shared_ptr<const api> decisions, handlers events, std::shared_ptr<gate> way_in);
  ~core();

  void open(const std::string& host, std::uint16_t port);
  void deliver();
  void stop(milliseconds grace);

private:
  void make_acceptor(boost::asio::io_context& io, std::size_t max_connections);
  void handle(const std::shared_ptr<exchange>& request);
  decision decide(const request_view& request) const;
  void respond(exchange& request, answer value);
  void give_up_waiting();
  void connections_changed();
  void watch();
  void close();
  std::string_view date();

  std::shared_ptr<const api> api_;
  handlers events_;
  std::shared_ptr<gate> gate_;
  std::shared_ptr<connections> connections_;
  std::unique_ptr<wire> wire_;
  std::shared_ptr<acceptor> acceptor_;
  boost::asio::steady_timer timer_;
  milliseconds sweep_period_;
  std::unordered_map<request_id, std::shared_ptr<exchange>> waiting_;
  request_id last_request_ = 0;
  clock::time_point stop_by_ = clock::time_point::max();
  bool draining_ = false;
  bool closed_ = false;
  std::time_t date_second_ = 0;
  std::string date_;
};

void server::gate::reply(request_id id, answer value) {
  const std::lock_guard lock(mutex_);
  if (io_ == nullptr)
    return;
  replies_.emplace_back(id, std::move(value));
  // One wake-up of the reactor serves all the replies that come before it is awake.
  if (replies_.size() == 1)
    post([](core& inside) { inside.deliver(); });
}

void server::gate::stop(milliseconds grace) {
  const std::lock_guard lock(mutex_);
  if (io_ != nullptr)
    post([grace](core& inside) { inside.stop(grace); });
}

void server::gate::open(const std::shared_ptr<core>& inside) {
  const std::lock_guard lock(mutex_);
  core_ = inside;
}

void server::gate::close() {
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
  replies_.clear();
}

std::vector<std::pair<request_id, answer>> server::gate::take_replies() {
  const std::lock_guard lock(mutex_);
  return std::exchange(replies_, {});
}

server::core::core(boost::asio::io_context& io, const config::server_options& options,
                   std::shared_ptr<const api> decisions, handlers events, std::shared_ptr<gate> way_in)
    : api_(std::move(decisions)), events_(std::move(events)), gate_(std::move(way_in)),
      connections_(std::make_shared<connections>(
          connections::timeouts{options.header_timeout, options.body_timeout, options.idle_timeout})),
      timer_(io) {
  const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout});
  sweep_period_ = std::clamp(shortest / 4, defaults::min_sweep_period, defaults::max_sweep_period);
  make_acceptor(io, options.max_connections);
  // Safe with `this`: once this is closed, so are all connections, and those make no more requests.
  wire_ = wire::make(options.max_body_bytes,
                     [this](const std::shared_ptr<exchange>& request) { handle(request); });
}

server::core::~core() {
  close();
}

void server::core::make_acceptor(boost::asio::io_context& io, std::size_t max_connections) {
  acceptor_ = std::make_shared<acceptor>(
      io,
      [this](boost::asio::ip::tcp::socket accepted) {
        wire_->serve(std::move(accepted), std::make_shared<connection>(connections_));
      },
      [all = connections_, max_connections] { return all->count() < max_connections; });
}

void server::core::open(const std::string& host, std::uint16_t port) {
  connections_->on_change = [this] { connections_changed(); };
  auto bound = acceptor_->listen(host, port);
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
  auto decided = decide(request->request());
  if (auto* at_once = std::get_if<answer>(&decided))
    return respond(*request, std::move(*at_once));
  if (!draining_) {
    const auto id = ++last_request_;
    waiting_.emplace(id, request);
    if (events_.on_call(id, std::move(std::get<call>(decided))))
      return;
    waiting_.erase(id);
  }
  respond(*request, shutting_down());
}

decision server::core::decide(const request_view& request) const {
  try {
    return api_->decide(request);
  } catch (const std::exception& thrown) {
    log().error("http: {} {}: {}", request.method, path_of(request.target), thrown.what());
    return refuse(fail(errc::internal, "an exception in the front end"));
  }
}

void server::core::deliver() {
  for (auto& [id, value] : gate_->take_replies())
    if (const auto request = waiting_.extract(id))
      respond(*request.mapped(), std::move(value));
}

void server::core::respond(exchange& request, answer value) {
  const bool broken = request.problem() != fault::none;
  const auto view = broken ? request_view{"(none)", "(unreadable)", {}, {}} : request.request();
  const std::chrono::duration<double, std::milli> took = clock::now() - request.since;
  log().debug("http: {} {} {} {:.1f} ms", view.method, path_of(view.target), value.status, took.count());
  const bool keep_alive = request.keep_alive() && !value.close && !draining_;
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
  if (draining_ && connections_->in_work() == 0)
    timer_.cancel();
}

void server::core::watch() {
  if (closed_)
    return;
  const auto now = clock::now();
  connections_->sweep(now);
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
  timer_.cancel();
  std::exchange(events_, {}).on_closed();
}

server::server(io::reactor& io, const config::server_options& options, std::shared_ptr<const api> decisions,
               handlers events)
    : gate_(std::make_shared<gate>(io.context())) {
  auto inside = std::make_shared<core>(io.context(), options, std::move(decisions), std::move(events), gate_);
  gate_->open(inside);
  boost::asio::post(io.context(), [opening = std::move(inside), host = options.host, port = options.port] {
    opening->open(host, port);
  });
}

server::~server() {
  stop(milliseconds::zero());
}

void server::reply(request_id id, answer value) {
  gate_->reply(id, std::move(value));
}

void server::stop(milliseconds grace) {
  gate_->stop(grace);
}

} // namespace troupe::http
