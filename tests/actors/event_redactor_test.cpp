#include "actors/event_redactor.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

event_redactor cleaner() {
  return event_redactor(std::make_shared<const redactor>(std::vector{secret{"0123456789"}}));
}

/// "a:text" for each piece of text, or "-" for other events.
std::string brief(const std::vector<run_event>& events) {
  std::string all;
  for (const auto& each : events) {
    const auto* text = std::get_if<text_streamed>(&each);
    all += (all.empty() ? "" : " ") + (text != nullptr ? text->agent + ":" + text->text : "-");
  }
  return all;
}

} // namespace

TEST_CASE("a secret in pieces is told as redacted once it is whole, and what is none when that is known") {
  auto events = cleaner();
  CHECK(brief(events.take(text_streamed{"a", "is 0123"})) == "a:is ");
  CHECK(brief(events.take(text_streamed{"a", "4567"})).empty());
  CHECK(brief(events.take(text_streamed{"a", "89 it"})) == "a:[redacted] it");
  CHECK(brief(events.take(text_streamed{"a", " 012"})) == "a: ");
  CHECK(brief(events.take(text_streamed{"a", "4"})) == "a:0124");
}

TEST_CASE("what is held back is told before the same run tells something else, and at the end") {
  auto events = cleaner();
  CHECK(brief(events.take(text_streamed{"a", "012"})).empty());
  CHECK(brief(events.take(usage_added{"b", "m", {}, "inner"})) == "-");
  CHECK(brief(events.take(usage_added{"a", "m", {}})) == "a:012 -");
  CHECK(brief(events.take(text_streamed{"a", "01"})).empty());
  CHECK(brief(events.finish()) == "a:01");
  CHECK(events.finish().empty());
}

TEST_CASE("agents that speak at the same time do not complete each other's secrets") {
  auto events = cleaner();
  CHECK(brief(events.take(text_streamed{"a", "01234", "r/1"})).empty());
  CHECK(brief(events.take(text_streamed{"b", "56789", "r/2"})) == "b:56789");
  CHECK(brief(events.take(text_streamed{"a", "56789", "r/1"})) == "a:[redacted]");
}

TEST_CASE("secrets are hidden in all that events tell in words") {
  auto events = cleaner();
  const auto finished = events.take(tool_finished{"a", "c", "t", "x 0123456789"});
  CHECK(std::get<tool_finished>(finished.at(0)).output == "x [redacted]");
  const auto started = events.take(tool_started{"a", "c", "t", R"({"k":"0123456789"})"});
  CHECK(std::get<tool_started>(started.at(0)).arguments == R"({"k":"[redacted]"})");
  const auto acted = events.take(guardrail_acted{"a", "g", "input", "reject", "no 0123456789"});
  CHECK(std::get<guardrail_acted>(acted.at(0)).message == "no [redacted]");
  const auto spoken = events.take(said{"a", "0123456789"});
  CHECK(std::get<said>(spoken.at(0)).text == "[redacted]");
}
