#include "tests/libagent/run/paused_rows.hpp"

#include <catch2/catch.hpp>

namespace troupe::run::testing {

void careful(agent_definition& agent) {
  agent.tool_policies["a"].approval.needed = true;
  agent.tool_policies["add"].approval.needed = true;
}

std::shared_ptr<const state> paused_helper() {
  auto played = play({enter(make_agent("helper", careful)), collected, calls({"a", "a"})});
  CHECK(ending(played.run) == "paused");
  return std::make_shared<const state>(std::move(played.run));
}

move pauses(std::size_t index, std::shared_ptr<const state> nested) {
  return call_paused{index, std::move(nested)};
}

strings waiting(const state& run) {
  strings all;
  for (const auto& each : interruptions(run))
    all.push_back(each.id + " " + each.agent + "." + each.tool);
  return all;
}
void check_paused(const std::vector<paused_row>& rows) {
  for (const auto& r : rows) {
    for (const bool is_kept : {false, true}) {
      INFO(r.situation << (is_kept ? ", kept as JSON" : ""));
      auto played = play(r.before, {}, nullptr, r.has_budget);
      CHECK(ending(played.run) == "paused");
      if (is_kept)
        keep(played.run);
      CHECK(waiting(played.run) == r.waits);
      played.effects.clear();
      play_on(played, r.after);
      CHECK(played.effects == r.effects);
      CHECK(story(played.run.fresh) == r.story);
      CHECK(ending(played.run) == r.ending);
      if (played.run.at == phase::finished)
        CHECK(flaw(played.run.fresh) == "");
    }
  }
}

} // namespace troupe::run::testing
