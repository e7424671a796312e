#include "apps/troupe/one_voice.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::cli;

namespace {

std::string in_words(const run_event& event) {
  if (const auto* text = std::get_if<text_streamed>(&event))
    return text->agent + ":" + text->text;
  if (const auto* used = std::get_if<usage_added>(&event))
    return used->agent + ".";
  if (const auto* tool = std::get_if<tool_started>(&event))
    return tool->agent + "!";
  return "?";
}

/// "a:text" speaks, "a." ends a model call, "a!" calls a tool.
run_event event_of(const std::string& words) {
  const auto agent = words.substr(0, 1);
  if (words[1] == ':')
    return text_streamed{agent, words.substr(2)};
  if (words[1] == '.')
    return usage_added{agent, "model", {}};
  return tool_started{agent, "id", "tool", "{}"};
}

using script = std::vector<std::string>;

script order_of(const script& events) {
  auto heard = script{};
  auto voices = one_voice{[&](const run_event& event) { heard.push_back(in_words(event)); }};
  for (const auto& each : events)
    voices.take(event_of(each));
  voices.finish();
  return heard;
}

} // namespace

TEST_CASE("agents that speak at once are heard one after the other") {
  struct row {
    const char* situation;
    script events;
    script heard;
  };
  const auto rows = std::vector<row>{
      {"one alone", {"a:1", "a:2", "a.", "a!", "a:3", "a."}, {"a:1", "a:2", "a.", "a!", "a:3", "a."}},
      {"two in turns", {"a:1", "b:1", "a:2", "b:2", "a.", "b."}, {"a:1", "a:2", "a.", "b:1", "b:2", "b."}},
      {"the second is done first", {"a:1", "b:1", "b.", "a:2", "a."}, {"a:1", "a:2", "a.", "b:1", "b."}},
      {"three",
       {"a:1", "b:1", "c:1", "c.", "b:2", "a.", "b."},
       {"a:1", "a.", "b:1", "b:2", "b.", "c:1", "c."}},
      {"one calls while another speaks",
       {"a:1", "b!", "a:2", "a.", "b:1"},
       {"a:1", "a:2", "a.", "b!", "b:1"}},
      {"calls wait for nobody", {"a!", "b!", "a!"}, {"a!", "b!", "a!"}},
      {"one that never ends", {"a:1", "b:1", "c:1", "b:2", "c."}, {"a:1", "b:1", "b:2", "c:1", "c."}},
  };
  for (const auto& each : rows) {
    INFO(each.situation);
    CHECK(order_of(each.events) == each.heard);
  }
}
