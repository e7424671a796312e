#include "libagent/model/circuit_breaker.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// The part of a cooldown that jitter may take off, so that what failed together is not tried together.
constexpr double jitter_share = 0.25;

} // namespace

std::string_view to_string(breaker_state state) noexcept {
  switch (state) {
  case breaker_state::closed:
    return "closed";
  case breaker_state::open:
    return "open";
  case breaker_state::half_open:
    return "half_open";
  }
  return "closed";
}

circuit_breaker::admission circuit_breaker::admit(time_point now) {
  if (openings_ == 0)
    return admission::pass;
  if (probing_ || now < open_until_)
    return admission::refused;
  probing_ = true;
  return admission::probe;
}

void circuit_breaker::succeeded(bool was_probe) noexcept {
  // What was on its way when it opened says little about now.
  if (openings_ > 0 && !was_probe)
    return;
  failures_ = 0;
  openings_ = 0;
  probing_ = false;
}

void circuit_breaker::failed(bool was_probe, time_point now, double jitter) {
  ++failures_;
  if (was_probe) {
    probing_ = false;
    open(now, jitter);
  } else if (openings_ == 0 && options_.failures > 0 && failures_ >= options_.failures) {
    open_since_ = now;
    open(now, jitter);
  }
}

void circuit_breaker::abandoned(bool was_probe) noexcept {
  if (was_probe)
    probing_ = false;
}

void circuit_breaker::open(time_point now, double jitter) {
  const auto doublings = static_cast<int>(std::min(openings_, 62u));
  const auto full = std::min(std::ldexp(static_cast<double>(options_.cooldown.count()), doublings),
                             static_cast<double>(std::max(options_.max_cooldown, options_.cooldown).count()));
  ++openings_;
  open_until_ = now + milliseconds{std::llround(full * (1.0 - jitter_share * std::clamp(jitter, 0.0, 1.0)))};
}

breaker_state circuit_breaker::state(time_point now) const noexcept {
  if (openings_ == 0)
    return breaker_state::closed;
  return probing_ || now >= open_until_ ? breaker_state::half_open : breaker_state::open;
}

std::optional<milliseconds> circuit_breaker::retry_in(time_point now) const noexcept {
  if (openings_ == 0)
    return std::nullopt;
  if (probing_ || now >= open_until_)
    return milliseconds{0};
  return std::chrono::ceil<milliseconds>(open_until_ - now);
}

std::optional<milliseconds> circuit_breaker::open_for(time_point now) const noexcept {
  if (openings_ == 0)
    return std::nullopt;
  return std::chrono::floor<milliseconds>(now - open_since_);
}

bool is_endpoint_fault(unsigned status, errc code, bool connection_error) noexcept {
  if (status != 0)
    return status >= 500 && status <= 599;
  return connection_error || code == errc::model_timeout || code == errc::deadline_exceeded ||
         code == errc::model_stream_cut;
}

} // namespace troupe
