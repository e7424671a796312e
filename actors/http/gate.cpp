#include "actors/http/gate.hpp"

#include <boost/asio/post.hpp>

namespace troupe::http {

void gate::open(const std::shared_ptr<inside>& behind) {
  const std::lock_guard lock(mutex_);
  inside_ = behind;
}

void gate::close() {
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
  work_ = {};
}

void gate::reply(request_id id, answer value) {
  const std::lock_guard lock(mutex_);
  if (io_ == nullptr)
    return;
  wake();
  work_.replies.emplace_back(id, std::move(value));
}

void gate::step(stream_step what) {
  const std::lock_guard lock(mutex_);
  if (io_ == nullptr)
    return;
  wake();
  work_.steps.push_back(std::move(what));
}

void gate::stop(std::chrono::milliseconds grace) {
  const std::lock_guard lock(mutex_);
  if (io_ == nullptr)
    return;
  boost::asio::post(*io_, [inside = inside_, grace] {
    if (const auto still = inside.lock())
      still->stop(grace);
  });
}

void gate::wake() {
  if (!work_.empty())
    return;
  // What is inside keeps its gate alive.
  boost::asio::post(*io_, [this, inside = inside_] {
    if (const auto still = inside.lock())
      still->deliver(take());
  });
}

gathered_work gate::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(work_, {});
}

} // namespace troupe::http
