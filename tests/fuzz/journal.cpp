#include "libagent/run/journal.hpp"
#include "libagent/run/machine.hpp"
#include "libagent/run/paused_json.hpp"
#include "libagent/run/state_json.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace troupe::fuzz {

namespace {

using namespace troupe::run;

/// Far more events than a run of this size can take.
constexpr int max_steps = 200;

std::shared_ptr<const agent_definition> agent_named(const std::string& name) {
  auto made = std::make_shared<agent_definition>();
  made->name = name;
  return made;
}

/// What comes back when nothing goes wrong.
std::vector<event> answers(const effect& what) {
  std::vector<event> all;
  if (std::holds_alternative<collect_tools>(what)) {
    all.push_back(tools_collected{std::make_shared<const toolbox>()});
  } else if (std::holds_alternative<reserve>(what)) {
    all.push_back(reserved{});
  } else if (std::holds_alternative<call_model>(what)) {
    all.push_back(model_answered{{{assistant_message{"", "done"}}, {}, "stop", "m"}});
  } else if (const auto* calls = std::get_if<call_tools>(&what)) {
    for (const auto& each : calls->calls)
      all.push_back(tool_answered{each.index, tool_result::text("x"), {}, {}});
  } else if (const auto* told = std::get_if<report_call>(&what)) {
    all.push_back(call_reported{told->index});
  } else if (const auto* asked = std::get_if<check>(&what)) {
    all.push_back(checked{asked->ticket, guardrail::verdict{}});
  } else if (const auto* next = std::get_if<hand_off>(&what)) {
    all.push_back(entered_agent{agent_named(next->agent)});
  }
  return all;
}

void go_on(state run) {
  const auto agent = agent_named(run.agent->name);
  std::vector<event> coming;
  if (run.is_interrupted) {
    coming.push_back(recovered{agent});
  } else {
    std::vector<decision> decisions;
    for (const auto& each : interruptions(run))
      decisions.push_back({each.id, each.what == interruption::kind::in_doubt ? decision::verdict::fail
                                                                              : decision::verdict::reject});
    if (!check_decisions(run, decisions))
      return;
    coming = {entered_agent{agent}, resumed{std::move(decisions)}};
  }
  for (int i = 0; i < max_steps && !coming.empty(); ++i) {
    const auto next = std::move(coming.front());
    coming.erase(coming.begin());
    for (const auto& each : step(run, next))
      for (auto& answer : answers(each))
        coming.push_back(std::move(answer));
  }
  step(run, stopped{fail(errc::cancelled, "enough")});
  expect(run.at == phase::finished, "a run can be stopped");
}

void check_form(const state& run) {
  const auto text = dump_json(state_to_json(run));
  const auto again = state_from_json(parse_json(text, 4096).value());
  expect(again && dump_json(state_to_json(*again)) == text, "a run is written as it is read");
}

} // namespace

void journal(std::string_view input) {
  std::vector<json> records;
  for (const auto line : lines_of(input)) {
    auto record = parse_json(line, 1024);
    if (!record)
      return;
    records.push_back(std::move(*record));
  }
  if (const auto paused = paused_from_json(records.front()); paused) {
    check_form(*paused);
    go_on(*paused);
  }
  auto kept = fold(records);
  if (!kept || !*kept || !(*kept)->run.agent)
    return;
  check_form((*kept)->run);
  go_on(std::move((*kept)->run));
}

} // namespace troupe::fuzz
