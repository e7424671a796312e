#include "actors/io/child_process_impl.hpp"

#include "actors/io/defaults.hpp"
#include "actors/io/reactor.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::io {

using boost::system::error_code;

child_process::impl::impl(reactor& io, process_options options, process_handlers handlers)
    : context_(io.context()), dies_with_thread_(io.owns_thread()), options_(std::move(options)),
      handlers_(std::move(handlers)),
      writer_(std::make_shared<stdin_writer>(context_, options_.max_write_queue_bytes)), ended_(context_),
      stdout_(context_), stderr_(context_), stderr_rate_(options_.max_stderr_bytes_a_minute),
      stderr_timer_(context_), splitter_(options_.max_line_bytes), timer_(context_) {}

child_process::impl::~impl() {
  if (pid_ == 0)
    return;
  // The reactor is gone, so nobody else will see to it.
  ::kill(-pid_, SIGKILL);
  pollfd ended{ended_.native_handle(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(defaults::reap_limit.count()));
  guard_->remove(pid_);
  ::waitpid(pid_, nullptr, WNOHANG);
}

template <class F>
void child_process::impl::post(F function) {
  boost::asio::post(context_, [self = shared_from_this(), function] { function(*self); });
}

void child_process::impl::begin() {
  post([](impl& self) { self.launch(); });
}

void child_process::impl::consumed(std::size_t bytes) {
  if (bytes == 0 || returned_credit_.fetch_add(bytes) != 0)
    return;
  post([](impl& self) {
    const auto credit = self.returned_credit_.exchange(0);
    self.unconsumed_ -= std::min(credit, self.unconsumed_);
    self.read_when_ready(self.stdout_);
  });
}

void child_process::impl::shutdown(shutdown_stages stages) {
  writer_->refuse();
  post([stages](impl& self) {
    if (self.pid_ == 0 || std::exchange(self.stopping_, true))
      return;
    self.writer_->close_when_drained();
    self.timer_.expires_after(stages.after_stdin_closed);
    self.timer_.async_wait([kept = self.shared_from_this(), stages](const error_code& ec) {
      if (!ec && kept->pid_ != 0)
        kept->terminate(stages.after_sigterm);
    });
  });
}

void child_process::impl::kill() {
  post([](impl& self) { self.signal_group(SIGKILL); });
}

void child_process::impl::disown() {
  disowned_ = true;
  gate_.close();
  writer_->refuse();
  post([](impl& self) {
    self.signal_group(SIGKILL);
    self.handlers_ = {};
  });
}

void child_process::impl::launch() {
  if (disowned_)
    return;
  if (auto started = start_program(); !started) {
    writer_->close_now();
    gate_.run([&] {
      if (handlers_.on_start_failed)
        handlers_.on_start_failed(started.error());
    });
    handlers_ = {};
    return;
  }
  buffer_.resize(defaults::pipe_read_bytes);
  watch();
  gate_.run([this] {
    if (handlers_.on_started)
      handlers_.on_started(pid_);
  });
  read_when_ready(stdout_);
  read_when_ready(stderr_);
}

result<void> child_process::impl::start_program() {
  guard_ = &boost::asio::use_service<process_guard>(context_);
  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  for (auto* made : {&in, &out, &err})
    if (!*made)
      return made->error();
  spawn_request request{.command = options_.command,
                        .args = options_.args,
                        .env = options_.env,
                        .cwd = options_.cwd,
                        .in = in->reading.get(),
                        .out = out->writing.get(),
                        .err = err->writing.get(),
                        .announce_fd = guard_->announce_fd(),
                        .dies_with_thread = dies_with_thread_,
                        .limits = options_.limits};
  auto started = spawn(request);
  if (!started)
    return started.error();
  guard_->add(*started);
  unique_fd ended(static_cast<int>(::syscall(SYS_pidfd_open, *started, 0)));
  if (!ended) {
    const int code = errno;
    ::kill(-*started, SIGKILL);
    guard_->remove(*started);
    ::waitpid(*started, nullptr, 0);
    return fail(errc::io_failed, fmt::format("cannot watch '{}': {}", options_.command, std::strerror(code)));
  }
  pid_ = *started;
  ended_.assign(ended.release());
  stdout_.pipe.assign(out->reading.release());
  stderr_.pipe.assign(err->reading.release());
  stdout_.pipe.native_non_blocking(true);
  stderr_.pipe.native_non_blocking(true);
  writer_->open(std::move(in->writing));
  return {};
}

void child_process::impl::watch() {
  ended_.async_wait(descriptor::wait_read, [self = shared_from_this()](const error_code& ec) {
    if (!ec)
      self->on_ended();
  });
}

bool child_process::impl::is_paused(const output& from) const {
  // What a process that has ended left in its pipe is little, and nobody waits for room there.
  if (exit_)
    return false;
  return &from == &stdout_ ? unconsumed_ > options_.max_unconsumed_bytes : stderr_waits_;
}

void child_process::impl::read_when_ready(output& from) {
  if (from.waiting || from.ended || !from.pipe.is_open() || is_paused(from))
    return;
  from.waiting = true;
  // Reads are our own, so that none is under way when the rest must be drained.
  from.pipe.async_wait(descriptor::wait_read, [self = shared_from_this(), &from](const error_code& ec) {
    from.waiting = false;
    if (!ec && !from.ended && self->read_once(from))
      self->read_when_ready(from);
  });
}

bool child_process::impl::read_once(output& from) {
  const auto size = ::read(from.pipe.native_handle(), buffer_.data(), buffer_.size());
  if (size > 0) {
    take(from, {buffer_.data(), static_cast<std::size_t>(size)});
    return !from.ended;
  }
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return true;
  end(from);
  return false;
}

void child_process::impl::take(output& from, std::string_view bytes) {
  if (&from == &stdout_)
    return take_stdout(bytes);
  gate_.run([&] {
    if (handlers_.on_stderr)
      handlers_.on_stderr(std::string(bytes));
  });
  pace_stderr(bytes.size());
}

void child_process::impl::pace_stderr(std::size_t bytes) {
  const auto now = std::chrono::steady_clock::now();
  stderr_rate_.take(static_cast<double>(bytes), now);
  const auto wait = stderr_rate_.wait_for(1, now);
  if (wait.count() == 0)
    return;
  stderr_waits_ = true;
  stderr_timer_.expires_after(wait);
  stderr_timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (ec)
      return;
    self->stderr_waits_ = false;
    self->read_when_ready(self->stderr_);
  });
}

void child_process::impl::take_stdout(std::string_view bytes) {
  if (overlong_)
    return;
  std::vector<std::string> lines;
  overlong_ = !splitter_.feed(bytes, lines);
  hand_over(std::move(lines));
  if (!overlong_)
    return;
  signal_group(SIGKILL);
  gate_.run([this] {
    if (handlers_.on_overlong)
      handlers_.on_overlong();
  });
}

void child_process::impl::hand_over(std::vector<std::string> lines) {
  if (lines.empty())
    return;
  for (const auto& line : lines)
    unconsumed_ += line.size();
  gate_.run([&] {
    if (handlers_.on_stdout_lines)
      handlers_.on_stdout_lines(std::move(lines));
  });
}

void child_process::impl::end(output& from) {
  if (std::exchange(from.ended, true))
    return;
  error_code ignored;
  from.pipe.close(ignored);
  if (&from == &stdout_ && !overlong_) {
    std::vector<std::string> lines;
    splitter_.finish(lines);
    hand_over(std::move(lines));
    watch_mute_process();
  }
  finish_if_done();
}

void child_process::impl::watch_mute_process() {
  if (exit_ || stopping_)
    return;
  // Most often the process is ending, and the timer is needed for that in a moment.
  timer_.expires_after(defaults::pipe_grace);
  timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (ec || self->exit_ || self->stopping_)
      return;
    self->gate_.run([&] {
      if (self->handlers_.on_stdout_closed)
        self->handlers_.on_stdout_closed();
    });
  });
}

void child_process::impl::on_ended() {
  siginfo_t info{};
  const bool ours = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) == 0;
  if (!ours)
    exit_ = process_exit{-1, 0};
  else if (info.si_code == CLD_EXITED)
    exit_ = process_exit{info.si_status, 0};
  else
    exit_ = process_exit{-1, info.si_status};
  clear_group(ours);
  writer_->close_now();
  error_code ignored;
  ended_.close(ignored);
  timer_.expires_after(defaults::pipe_grace);
  timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (!ec)
      self->on_pipe_grace_over();
  });
  read_when_ready(stdout_);
  read_when_ready(stderr_);
  finish_if_done();
}

void child_process::impl::clear_group(bool leader_is_ours) {
  // Until it is reaped the dead leader keeps the group's number from being given out again.
  if (leader_is_ours)
    ::kill(-pid_, SIGKILL);
  guard_->remove(pid_);
  if (leader_is_ours)
    ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void child_process::impl::on_pipe_grace_over() {
  drain(stdout_);
  drain(stderr_);
}

void child_process::impl::drain(output& from) {
  for (std::size_t left = defaults::final_drain_bytes; left > 0 && !from.ended;) {
    const auto size = ::read(from.pipe.native_handle(), buffer_.data(), std::min(left, buffer_.size()));
    if (size <= 0)
      break;
    take(from, {buffer_.data(), static_cast<std::size_t>(size)});
    left -= static_cast<std::size_t>(size);
  }
  end(from);
}

void child_process::impl::finish_if_done() {
  if (!exit_ || !stdout_.ended || !stderr_.ended || std::exchange(finished_, true))
    return;
  timer_.cancel();
  stderr_timer_.cancel();
  gate_.run([this] {
    if (handlers_.on_exit)
      handlers_.on_exit(*exit_);
  });
  handlers_ = {};
}

void child_process::impl::terminate(std::chrono::milliseconds after_sigterm) {
  writer_->close_now();
  signal_group(SIGTERM);
  timer_.expires_after(after_sigterm);
  timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (!ec)
      self->signal_group(SIGKILL);
  });
}

void child_process::impl::signal_group(int number) {
  if (pid_ != 0)
    ::kill(-pid_, number);
}

} // namespace troupe::io
