#include "apps/troupe/one_voice.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace troupe::cli {

namespace {

/// Who did it; empty for what concerns the whole run.
std::string agent_of(const run_event& event) {
  return std::visit(
      [](const auto& what) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(what)>, handed_off>)
          return what.from;
        else if constexpr (requires { what.agent; })
          return what.agent;
        else
          return {};
      },
      event);
}

bool is_speech(const run_event& event) {
  return std::holds_alternative<text_streamed>(event) || std::holds_alternative<reasoning_streamed>(event);
}

bool ends_speech(const run_event& event) {
  return std::holds_alternative<usage_added>(event);
}

} // namespace

void one_voice::take(run_event event) {
  const auto who = agent_of(event);
  if (!speaker_.empty() && who != speaker_) {
    waiting_.push_back(std::move(event));
    return;
  }
  if (is_speech(event))
    speaker_ = who;
  out_(event);
  if (!ends_speech(event))
    return;
  speaker_.clear();
  for (auto& each : std::exchange(waiting_, {}))
    take(std::move(each));
}

void one_voice::finish() {
  // Each round lets at least the first of them through.
  while (!waiting_.empty()) {
    speaker_.clear();
    for (auto& each : std::exchange(waiting_, {}))
      take(std::move(each));
  }
  speaker_.clear();
}

} // namespace troupe::cli
