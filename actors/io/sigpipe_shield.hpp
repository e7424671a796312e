#pragma once

#include <csignal>
#include <ctime>
#include <pthread.h>

namespace troupe::io {

/// While it lives, a write to a pipe that nobody reads fails with EPIPE on this thread and raises no
/// SIGPIPE. Pipes know no MSG_NOSIGNAL, the disposition of signals is the embedder's, and a socket in a
/// pipe's place would keep children from opening /dev/stdin.
class sigpipe_shield {
public:
  sigpipe_shield() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~sigpipe_shield() {
    const timespec at_once{};
    if (!was_pending_)
      sigtimedwait(&set_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  sigpipe_shield(const sigpipe_shield&) = delete;
  sigpipe_shield& operator=(const sigpipe_shield&) = delete;

private:
  sigset_t set_;
  sigset_t before_;
  bool was_pending_ = false;
};

} // namespace troupe::io
