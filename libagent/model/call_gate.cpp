#include "libagent/model/call_gate.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

using std::chrono::milliseconds;

bool call_gate::is_refusing(time_point now) const noexcept {
  const auto state = breaker_.state(now);
  return state == breaker_state::open || (state == breaker_state::half_open && probing_);
}

bool call_gate::is_crowded() const noexcept {
  return options_.max_concurrency && in_flight_ >= *options_.max_concurrency;
}

std::optional<call_gate::answer> call_gate::admit(std::uint64_t estimated, time_point now) {
  if (rate_.is_bounded()) {
    const auto wait = rate_.take(estimated, now);
    if (wait.count() > 0) {
      due_ = now + wait;
      return std::nullopt;
    }
  }
  due_.reset();
  const auto admitted = breaker_.admit(now);
  ticket pass{estimated, admitted == circuit_breaker::admission::probe, false};
  probing_ = probing_ || pass.is_probe;
  ++in_flight_;
  return answer{verdict::go, pass};
}

call_gate::answer call_gate::ask(call_id id, std::uint64_t estimated, time_point now) {
  if (is_refusing(now))
    return {verdict::refused};
  if (waiting_.empty() && !is_crowded())
    if (const auto admitted = admit(estimated, now))
      return *admitted;
  if (waiting_.size() >= options_.max_queue)
    return {verdict::full};
  waiting_.push_back({id, estimated});
  return {verdict::waits};
}

std::optional<call_gate::waiting_call> call_gate::next(time_point now) {
  if (waiting_.empty())
    return std::nullopt;
  const auto first = waiting_.front();
  auto decided = answer{verdict::refused};
  if (!is_refusing(now)) {
    if (is_crowded())
      return std::nullopt;
    const auto admitted = admit(first.estimated, now);
    if (!admitted)
      return std::nullopt;
    decided = *admitted;
  }
  waiting_.pop_front();
  return waiting_call{first.id, decided};
}

std::optional<milliseconds> call_gate::look_in(time_point now) {
  if (waiting_.empty() || is_crowded() || !due_)
    return std::nullopt;
  return std::max(std::chrono::ceil<milliseconds>(*due_ - now), milliseconds{1});
}

bool call_gate::withdraw(call_id id) {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [id](const entry& each) { return each.id == id; });
  if (found == waiting_.end())
    return false;
  waiting_.erase(found);
  return true;
}

void call_gate::answered(ticket& pass) noexcept {
  breaker_.succeeded(pass.is_probe);
  if (std::exchange(pass.is_probe, false))
    probing_ = false;
}

void call_gate::failed(ticket& pass, time_point now, double jitter) {
  breaker_.failed(pass.is_probe, now, jitter);
  if (std::exchange(pass.is_probe, false))
    probing_ = false;
}

bool call_gate::may_retry(ticket& pass, time_point now) noexcept {
  if (breaker_.state(now) != breaker_state::closed && !pass.is_probe)
    return false;
  if (pass.is_retry)
    return true;
  if (retries_ >= options_.max_retries_in_flight)
    return false;
  ++retries_;
  pass.is_retry = true;
  return true;
}

bool call_gate::retry(ticket& pass, time_point now) noexcept {
  if (breaker_.state(now) != breaker_state::closed && !pass.is_probe)
    return false;
  rate_.force(pass.estimated, now);
  return true;
}

void call_gate::end(const ticket& pass, std::optional<std::uint64_t> cost, time_point now) noexcept {
  --in_flight_;
  if (pass.is_retry)
    --retries_;
  if (pass.is_probe) {
    breaker_.abandoned(true);
    probing_ = false;
  }
  if (cost && rate_.counts_tokens())
    rate_.correct(pass.estimated, *cost, now);
}

} // namespace troupe
