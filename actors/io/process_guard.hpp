#pragma once

#include "actors/io/spawn.hpp"

#include <boost/asio/execution_context.hpp>

#include <set>

#include <sys/types.h>

namespace troupe::io {

/// Kills the process groups of our children when this program ends without doing so itself, SIGKILL
/// included: a small shell in a session of its own reads from a pipe that only we hold, keeps the list of
/// groups, and kills them when the pipe ends. One for each io_context (`boost::asio::use_service`), started
/// with the first child. Used on the reactor's thread only.
class process_guard : public boost::asio::execution_context::service {
public:
  static boost::asio::execution_context::id id;

  explicit process_guard(boost::asio::execution_context& owner);
  ~process_guard() override;

  /// Where a child announces itself (`spawn_request::announce_fd`); -1 if there can be no guard here.
  int announce_fd();
  /// The child with this group has announced itself.
  void add(pid_t group);
  /// The group is dead; to be called before its leader is reaped and its number can be given out again.
  void remove(pid_t group);

private:
  void shutdown() override;
  bool runs();
  void start();
  void stop();
  bool tell(char sign, pid_t group);

  std::set<pid_t> groups_;
  pid_t shell_ = -1;
  unique_fd pipe_;
  bool over_ = false;
};

} // namespace troupe::io
