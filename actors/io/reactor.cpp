#include "actors/io/reactor.hpp"

#include "actors/io/log.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <exception>
#include <thread>

#include <csignal>
#include <pthread.h>

namespace troupe::io {
namespace {

void run_until_stopped(boost::asio::io_context& context) {
  pthread_setname_np(pthread_self(), "troupe-io");
  while (!context.stopped()) {
    try {
      context.run();
    } catch (const std::exception& thrown) {
      // One broken handler must not take down everything else that this thread serves.
      log().error("a handler on the reactor threw: {}", thrown.what());
    }
  }
}

} // namespace

struct reactor::own_thread {
  own_thread() : work(context.get_executor()) {
    // Signals belong to the program's own threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread = std::thread([this] { run_until_stopped(context); });
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~own_thread() {
    context.stop();
    thread.join();
  }

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::thread thread;
};

reactor::reactor() : own_(std::make_unique<own_thread>()), context_(&own_->context) {}

reactor::reactor(boost::asio::io_context& context) : context_(&context) {}

reactor::~reactor() = default;

boost::asio::io_context& reactor::context() noexcept {
  return *context_;
}

bool reactor::owns_thread() const noexcept {
  return own_ != nullptr;
}

} // namespace troupe::io
