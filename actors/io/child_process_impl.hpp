#pragma once

#include "actors/io/child_process.hpp"
#include "actors/io/handler_gate.hpp"
#include "actors/io/line_splitter.hpp"
#include "actors/io/process_guard.hpp"
#include "actors/io/stdin_writer.hpp"
#include "libagent/model/rate_limit.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::io {

/// The process as the reactor sees it. `begin`, `disown` and the public requests may be called on any
/// thread; all else runs on the reactor's.
class child_process::impl : public std::enable_shared_from_this<child_process::impl> {
public:
  impl(reactor& io, process_options options, process_handlers handlers);
  ~impl();

  void begin();
  bool write_line(std::string line) { return writer_->push(std::move(line)); }
  void consumed(std::size_t bytes);
  void shutdown(shutdown_stages stages);
  void kill();
  void disown();

private:
  using descriptor = boost::asio::posix::stream_descriptor;

  /// One of the child's output pipes.
  struct output {
    explicit output(boost::asio::io_context& context) : pipe(context) {}
    descriptor pipe;
    bool waiting = false;
    bool ended = false;
  };

  template <class F>
  void post(F function);
  void launch();
  result<void> start_program();
  void watch();
  void read_when_ready(output& from);
  /// True while more may come.
  bool read_once(output& from);
  void take(output& from, std::string_view bytes);
  void take_stdout(std::string_view bytes);
  /// Leaves a flood of stderr in its pipe for a while.
  void pace_stderr(std::size_t bytes);
  void hand_over(std::vector<std::string> lines);
  void end(output& from);
  void watch_mute_process();
  void drain(output& from);
  bool is_paused(const output& from) const;
  void on_ended();
  void clear_group(bool leader_is_ours);
  void on_pipe_grace_over();
  void finish_if_done();
  void terminate(std::chrono::milliseconds after_sigterm);
  void signal_group(int number);

  boost::asio::io_context& context_;
  const bool dies_with_thread_;
  const process_options options_;
  process_handlers handlers_;
  handler_gate gate_;
  std::shared_ptr<stdin_writer> writer_;
  std::atomic<std::size_t> returned_credit_{0};
  std::atomic<bool> disowned_{false};

  process_guard* guard_ = nullptr;
  /// Not 0 from the start until the process is reaped: only then is it safe to signal.
  pid_t pid_ = 0;
  descriptor ended_;
  output stdout_;
  output stderr_;
  token_bucket stderr_rate_;
  bool stderr_waits_ = false;
  boost::asio::steady_timer stderr_timer_;
  std::vector<char> buffer_;
  line_splitter splitter_;
  std::size_t unconsumed_ = 0;
  bool overlong_ = false;
  bool stopping_ = false;
  std::optional<process_exit> exit_;
  bool finished_ = false;
  boost::asio::steady_timer timer_;
};

} // namespace troupe::io
