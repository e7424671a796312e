#include "actors/http/connections.hpp"

#include "actors/http/defaults.hpp"
#include "actors/io/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace troupe::http {

namespace {

thread_local connection* current_connection = nullptr;

} // namespace

connection::scope::scope(connection& now, event what) noexcept
    : now_(now), before_(std::exchange(current_connection, &now)) {
  now_.in_write_event_ = what == event::written;
}

connection::scope::~scope() {
  now_.in_write_event_ = false;
  current_connection = before_;
}

connection* connection::current() noexcept {
  return current_connection;
}

connection::connection(std::shared_ptr<connections> all)
    : all_(std::move(all)), read_deadline_(clock::now() + all_->bounds().header) {
  all_->all_.insert(this);
}

connection::~connection() {
  all_->all_.erase(this);
  all_->in_work_ -= in_work_;
  all_->changed();
}

void connection::reading(phase now) {
  if (now == phase_)
    return;
  phase_ = now;
  const auto& bounds = all_->bounds();
  if (now == phase::between_requests)
    wait_between_requests();
  else
    read_deadline_ = clock::now() + (now == phase::header ? bounds.header : bounds.body);
}

void connection::wait_between_requests() {
  read_deadline_ = in_work_ == 0 ? clock::now() + all_->bounds().idle : clock::time_point::max();
}

void connection::request_begins(fault problem) {
  fault_ = problem;
  ++in_work_;
  ++all_->in_work_;
  phase_ = phase::between_requests;
  wait_between_requests();
}

bool connection::refuses_body(const visitor& from) {
  if (all_->before_body)
    refusal_ = all_->before_body(from);
  return refusal_.has_value();
}

void connection::request_ends() {
  --in_work_;
  --all_->in_work_;
  if (phase_ == phase::between_requests)
    wait_between_requests();
  if (in_work_ == 0) {
    when_closed_.clear();
    when_ended_.clear();
  }
  // After a fault RESTinio closes, with all that this takes.
  if (in_work_ == 0 && !all_->keeps_idle_ && fault_ == fault::none)
    close();
  all_->changed();
}

void connection::write_begins(clock::time_point now) {
  if (!writing_since_)
    writing_since_ = now;
  const std::chrono::duration<double> earned(static_cast<double>(written_) / defaults::least_write_rate);
  const auto by = std::min(now, *writing_since_ + std::chrono::duration_cast<clock::duration>(earned));
  write_deadline_ = by + all_->bounds().body;
}

void connection::write_ends(std::size_t bytes) {
  written_ += bytes;
  write_deadline_ = clock::time_point::max();
}

void connection::writes_pause() noexcept {
  // What was begun in the meantime is no pause.
  if (write_deadline_ != clock::time_point::max())
    return;
  writing_since_.reset();
  written_ = 0;
}

void connection::read_failed(const boost::system::error_code& reason) {
  // RESTinio stops reading before it writes the last answer of a connection, which is still on its way.
  if (reason == boost::asio::error::operation_aborted) {
    read_deadline_ = clock::time_point::max();
    return;
  }
  if (in_work_ > 0)
    log().debug("http: a client closed its side while {} of its requests are in work", in_work_);
  ended_ = true;
  read_deadline_ = clock::time_point::max();
  // After an end of file the client may still want its answers.
  if (reason != boost::asio::error::eof)
    close();
  else if (in_work_ > 0)
    wait_for_reset();
  if (!closed_)
    run_tasks(when_ended_);
}

void connection::when_ended(std::function<void()> task) {
  when_ended_.push_back(std::move(task));
  if (ended_)
    run_tasks(when_ended_);
}

void connection::run_tasks(std::vector<std::function<void()>>& tasks) {
  if (tasks.empty() || socket_ == nullptr)
    return;
  boost::asio::post(socket_->get_executor(), [now = std::exchange(tasks, {})] {
    for (const auto& task : now)
      task();
  });
}

void connection::handshake_failed(std::string_view reason) {
  log().debug("http: {}", reason);
  close();
}

void connection::wait_for_reset() {
  // Nothing is read any more, so this is the only way to learn of it without writing again.
  socket_->async_wait(socket::wait_error,
                      [watched = weak_from_this()](const boost::system::error_code& failed) {
                        const auto self = watched.lock();
                        if (!failed && self)
                          self->close();
                      });
}

void connection::invite_body() {
  if (in_work_ > 0 || socket_ == nullptr)
    return;
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  if (send_aside_)
    return send_aside_(go_on);
  // Nothing else is being sent, so that there is room for these few bytes; if not, the client goes on by
  // itself.
  [[maybe_unused]] const auto sent =
      ::send(socket_->native_handle(), go_on.data(), go_on.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void connection::run_later(std::function<void()> task) {
  boost::asio::post(socket_->get_executor(), [self = shared_from_this(), task = std::move(task)] {
    if (!self->is_closed())
      task();
  });
}

void connection::linger(socket last) {
  all_->linger(std::move(last));
}

void connection::linger(std::shared_ptr<io::tls_stream> last) {
  left_ = true;
  all_->linger(std::move(last));
}

void connection::close() {
  closed_ = true;
  if (socket_ == nullptr)
    return;
  run_tasks(when_closed_);
  boost::system::error_code ignored;
  socket_->close(ignored);
}

/// A socket that is only read from until the client has closed it.
struct connections::lingering : std::enable_shared_from_this<connections::lingering> {
  lingering(std::shared_ptr<connections> everyone, connection::socket last)
      : all(std::move(everyone)), plain(std::move(last)), socket(*plain) {
    all->lingering_.insert(this);
  }
  lingering(std::shared_ptr<connections> everyone, std::shared_ptr<io::tls_stream> last)
      : all(std::move(everyone)), tls(std::move(last)), socket(tls->next_layer()) {
    all->lingering_.insert(this);
  }
  ~lingering() {
    all->lingering_.erase(this);
    all->changed();
  }

  /// Says that nothing more comes. It ends when the client says the same, or goes on sending.
  void say_goodbye() {
    tls->async_shutdown([self = shared_from_this()](const boost::system::error_code&) {
      boost::system::error_code failed;
      self->socket.shutdown(connection::socket::shutdown_send, failed);
      if (!failed)
        self->drop_next();
    });
  }

  void drop_next() {
    socket.async_read_some(
        boost::asio::buffer(dropped),
        [self = shared_from_this()](const boost::system::error_code& failed, std::size_t n) {
          self->left -= std::min(self->left, n);
          if (!failed && self->left > 0)
            self->drop_next();
        });
  }

  std::shared_ptr<connections> all;
  /// One of the two.
  std::optional<connection::socket> plain;
  std::shared_ptr<io::tls_stream> tls;
  connection::socket& socket;
  connection::clock::time_point deadline = connection::clock::now() + defaults::linger_time;
  std::size_t left = defaults::linger_bytes;
  std::array<char, 4096> dropped{};
};

void connections::refuse(connection::socket unwanted, const std::string& why) {
  // Nothing was sent before, so that there is room for it.
  [[maybe_unused]] const auto sent =
      ::send(unwanted.native_handle(), why.data(), why.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  linger(std::move(unwanted));
}

void connections::linger(connection::socket last) {
  boost::system::error_code failed;
  last.shutdown(connection::socket::shutdown_send, failed);
  if (!failed)
    std::make_shared<lingering>(shared_from_this(), std::move(last))->drop_next();
}

void connections::linger(std::shared_ptr<io::tls_stream> last) {
  std::make_shared<lingering>(shared_from_this(), std::move(last))->say_goodbye();
}

void connections::changed() const {
  if (on_change)
    on_change();
}

void connections::sweep(connection::clock::time_point now) {
  for (auto* each : all_)
    if (each->deadline() <= now)
      each->close();
  boost::system::error_code ignored;
  for (auto* each : lingering_)
    if (each->deadline <= now)
      each->socket.close(ignored);
}

void connections::close_idle() {
  keeps_idle_ = false;
  for (auto* each : all_)
    if (each->is_idle())
      each->close();
}

void connections::close_all() {
  for (auto* each : all_)
    each->close();
  boost::system::error_code ignored;
  for (auto* each : lingering_)
    each->socket.close(ignored);
}

} // namespace troupe::http
