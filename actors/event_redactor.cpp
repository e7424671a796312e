#include "actors/event_redactor.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace troupe {

namespace {

template <class Event>
constexpr bool is_delta = std::is_same_v<Event, text_streamed> || std::is_same_v<Event, reasoning_streamed> ||
                          std::is_same_v<Event, arguments_streamed>;

template <class Event>
const std::string* nested_run_of(const Event& what) {
  if constexpr (requires { what.nested_run; })
    return &what.nested_run;
  else
    return nullptr;
}

/// Unique among all that speak at the same time.
template <class Delta>
std::string key_of(const Delta& what) {
  auto key = what.nested_run + '\n' + what.agent + '\n';
  if constexpr (requires { what.call_id; })
    key += "c" + what.call_id;
  else
    key += std::is_same_v<Delta, text_streamed> ? "t" : "r";
  return key;
}

/// Hides secrets in what an event tells in words.
template <class Event>
void clean(Event& what, const redactor& with) {
  if constexpr (requires { what.text; })
    what.text = with.hide(std::move(what.text));
  if constexpr (requires { what.arguments; })
    what.arguments = with.hide(std::move(what.arguments));
  if constexpr (requires { what.output; })
    what.output = with.hide(std::move(what.output));
  if constexpr (requires { what.message; })
    what.message = with.hide(std::move(what.message));
}

} // namespace

std::vector<run_event> event_redactor::take(const run_event& what) {
  if (hides_->empty())
    return {what};
  std::vector<run_event> told;
  std::visit(
      [&]<class Event>(const Event& event) {
        if constexpr (is_delta<Event>)
          return speak(event, key_of(event), told);
        release(nested_run_of(event), told);
        auto cleaned = event;
        clean(cleaned, *hides_);
        told.push_back(std::move(cleaned));
      },
      what);
  return told;
}

std::vector<run_event> event_redactor::finish() {
  std::vector<run_event> told;
  release(nullptr, told);
  return told;
}

template <class Delta>
void event_redactor::speak(const Delta& what, std::string key, std::vector<run_event>& into) {
  auto& voice = voices_[std::move(key)];
  auto now = what;
  now.text = voice.held.take(what.text, *hides_);
  voice.last = what;
  if (!now.text.empty())
    into.push_back(std::move(now));
}

void event_redactor::release(const std::string* nested_run, std::vector<run_event>& into) {
  for (auto next = voices_.begin(); next != voices_.end();) {
    auto& [key, voice] = *next;
    const auto is_its = std::visit(
        [&](const auto& event) {
          const auto* whose = nested_run_of(event);
          return nested_run == nullptr || whose == nullptr || *whose == *nested_run;
        },
        voice.last);
    if (!is_its) {
      ++next;
      continue;
    }
    auto rest = std::move(voice.last);
    const auto text = voice.held.finish(*hides_);
    next = voices_.erase(next);
    if (text.empty())
      continue;
    std::visit(
        [&text]<class Event>(Event& event) {
          if constexpr (is_delta<Event>)
            event.text = text;
        },
        rest);
    into.push_back(std::move(rest));
  }
}

} // namespace troupe
