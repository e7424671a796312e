#include "tests/libagent/run/game.hpp"

#include "libagent/run/paused_json.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <deque>
#include <map>
#include <set>

namespace troupe::run::testing {

namespace {

tool_list plain_tools() {
  tool_list list;
  for (const auto* name : {"a", "b", "c"})
    list.push_back({name, "", json_schema()});
  const auto number =
      json::parse(R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})");
  list.push_back({"add", "", json_schema::compile(number).value()});
  return list;
}

move verdict(std::string guardrail, guardrail::action what, std::string text, std::string message) {
  return std::function<event(const game&)>([=](const game& so_far) -> event {
    for (auto i = so_far.done.rbegin(); i != so_far.done.rend(); ++i)
      if (const auto* asked = std::get_if<check>(&*i); asked != nullptr && asked->guardrail == guardrail)
        return checked{asked->ticket, guardrail::verdict{what, text, message}};
    FAIL("the guardrail '" << guardrail << "' was not asked: " << so_far.effects);
    return stopped{};
  });
}

const char* name_of(phase at) {
  constexpr const char* names[] = {"created",  "guarding_input", "collecting",      "reserving",
                                   "thinking", "holding",        "resuming",        "reserving_tools",
                                   "acting",   "handing_off",    "guarding_output", "paused",
                                   "finished"};
  return names[static_cast<std::size_t>(at)];
}

} // namespace

agent_ptr make_agent(std::string name, const change& with) {
  auto agent = std::make_shared<agent_definition>();
  agent->instructions = "be " + name;
  agent->name = std::move(name);
  if (with)
    with(*agent);
  return agent;
}

toolbox_ptr tools_of(const agent_ptr& agent) {
  static const auto plain = std::make_shared<const tool_list>(plain_tools());
  std::vector<handoff_target> handoffs;
  for (const auto& each : agent->handoffs)
    handoffs.push_back(make_handoff_target(each, *make_agent(each.agent)));
  std::vector<agent_target> agents;
  for (const auto& each : agent->agent_tools)
    agents.push_back(make_agent_target(each, *make_agent(each.agent)));
  return std::make_shared<const toolbox>(std::vector<tool_source>{{"srv", plain}}, handoffs, agents, agent);
}

const move collected = std::function<event(const game&)>([](const game& so_far) -> event {
  return tools_collected{tools_of(so_far.run.agent ? so_far.run.agent : make_agent("nobody"))};
});

move enter(agent_ptr agent) {
  return entered_agent{std::move(agent)};
}

move answers(item_list output) {
  model_response response;
  response.output = std::move(output);
  response.used = {1, 10, 5, 0, 0};
  response.model = "m";
  return model_answered{std::move(response)};
}

move says(std::string text) {
  return answers({assistant_message{"", std::move(text)}});
}

move wishes(std::vector<wish> all) {
  return std::function<event(const game&)>([all = std::move(all)](const game& so_far) -> event {
    item_list output;
    for (const auto& each : all) {
      auto id = each.id.empty() ? fmt::format("c{}_{}", so_far.run.turns, output.size()) : each.id;
      output.emplace_back(tool_call{std::move(id), each.name, each.arguments, ""});
    }
    return answers(std::move(output))(so_far);
  });
}

move calls(std::vector<std::string> names) {
  std::vector<wish> all;
  for (auto& name : names)
    all.push_back({std::move(name)});
  return wishes(std::move(all));
}

move model_fails(errc code) {
  return model_failed{fail(code, "no model")};
}

move tool_says(std::size_t index, std::string text) {
  return tool_answered{index, tool_result::text(std::move(text))};
}

move tool_fails(std::size_t index, std::string text) {
  return tool_answered{index, tool_result::failure(std::move(text))};
}

move agent_fails(std::size_t index, errc code) {
  return tool_answered{
      index, tool_result::failure("it failed"), {}, fail(code, fmt::format("number {}", index))};
}

move passes(std::string guardrail) {
  return verdict(std::move(guardrail), guardrail::action::pass, "", "");
}

move rewrites(std::string guardrail, std::string text) {
  return verdict(std::move(guardrail), guardrail::action::rewrite, std::move(text), "rewritten");
}

move rejects(std::string guardrail, std::string message) {
  return verdict(std::move(guardrail), guardrail::action::reject, "", std::move(message));
}

move trips(std::string guardrail, std::string why) {
  return verdict(std::move(guardrail), guardrail::action::trip, "", std::move(why));
}

move fails_to_judge(std::string guardrail) {
  return std::function<event(const game&)>([guardrail = std::move(guardrail)](const game& so_far) -> event {
    auto made = std::get<checked>(passes(guardrail)(so_far));
    made.outcome = fail(errc::model_timeout, "no judge");
    return made;
  });
}

move stop(errc code) {
  return stopped{fail(code, "by the user")};
}

move stop_after(errc code) {
  return stop_after_turn{fail(code, "by the user")};
}

move refuse() {
  return refused{fail(errc::budget_exceeded, "nothing is left")};
}

move decide(std::vector<decision> decisions) {
  return std::function<event(const game&)>([decisions = std::move(decisions)](const game& so_far) -> event {
    if (so_far.run.at == phase::paused) {
      const auto fits = check_decisions(so_far.run, decisions);
      INFO((fits ? std::string() : fits.error().detail));
      CHECK(fits.has_value());
    }
    return resumed{decisions};
  });
}

decision approve(std::string id) {
  return {std::move(id), decision::verdict::approve, {}, false, {}};
}

decision approve_always(std::string id) {
  return {std::move(id), decision::verdict::approve, {}, true, {}};
}

decision approve_with(std::string id, json arguments) {
  return {std::move(id), decision::verdict::approve, {}, false, std::move(arguments)};
}

decision reject(std::string id, std::string message) {
  return {std::move(id), decision::verdict::reject, std::move(message), false, {}};
}

void play_on(game& so_far, const moves& all) {
  for (const auto& each : all) {
    std::deque<event> due{each(so_far)};
    for (; !due.empty(); due.pop_front()) {
      for (auto& effect : step(so_far.run, due.front())) {
        if (const auto* told = std::get_if<report_call>(&effect)) {
          so_far.reports +=
              fmt::format("{}{}:{}{}{}", so_far.reports.empty() ? "" : " ", told->call_id,
                          told->was_started ? "" : "-", told->is_error ? "!" : "", told->output);
          due.push_back(call_reported{told->index});
          continue;
        }
        so_far.effects += (so_far.effects.empty() ? "" : " ") + describe(effect);
        so_far.done.push_back(std::move(effect));
      }
    }
  }
}

game play(const moves& all, limits bounds, shared_items past, bool has_budget) {
  game fresh{begin(std::move(past), "hello", bounds), {}, {}};
  fresh.run.has_budget = has_budget;
  play_on(fresh, all);
  return fresh;
}

std::string describe(const effect& what) {
  struct describer {
    std::string operator()(const collect_tools&) const { return "collect"; }
    std::string operator()(const reserve& e) const {
      return e.request ? "reserve(model)" : fmt::format("reserve({} tools)", e.tool_calls);
    }
    std::string operator()(const call_model&) const { return "model"; }
    std::string operator()(const call_tools& e) const {
      std::string indices;
      for (const auto& call : e.calls)
        indices += fmt::format("{}{}", indices.empty() ? "" : " ", call.index);
      return fmt::format("tools({})", indices);
    }
    std::string operator()(const report_call& e) const { return fmt::format("report({})", e.index); }
    std::string operator()(const repair&) const { return "repair"; }
    std::string operator()(const check& e) const {
      const bool is_tool =
          e.ticket.stage == guard_stage::tool_input || e.ticket.stage == guard_stage::tool_output;
      return fmt::format("check({}{} {})", to_string(e.ticket.stage),
                         is_tool ? fmt::format(" {}", e.ticket.index) : std::string(), e.guardrail);
    }
    std::string operator()(const hand_off& e) const { return fmt::format("handoff({})", e.agent); }
    std::string operator()(const pause&) const { return "pause"; }
    std::string operator()(const finish&) const { return "finish"; }
  };
  return std::visit(describer{}, what);
}

std::string describe(const item& what) {
  if (const auto* user = std::get_if<user_message>(&what))
    return "U:" + user->text;
  if (const auto* said = std::get_if<assistant_message>(&what))
    return "A:" + said->text;
  if (const auto* call = std::get_if<tool_call>(&what))
    return "C:" + call->name;
  if (const auto* thought = std::get_if<reasoning>(&what))
    return "R:" + thought->text;
  const auto& output = std::get<tool_output>(what);
  return (output.is_error ? "O:!" : "O:") + plain_text(output.parts);
}

std::string story(const item_list& items) {
  std::string text;
  for (const auto& entry : items)
    text += (text.empty() ? "" : " ") + describe(entry);
  return text;
}

std::string ending(const state& run) {
  if (run.at != phase::finished)
    return name_of(run.at);
  return run.failure ? std::string(to_string(run.failure->code)) : "ok:" + run.output;
}

std::string flaw(const item_list& items) {
  std::map<std::string, unsigned> outputs;
  for (const auto& entry : items) {
    if (const auto* call = std::get_if<tool_call>(&entry)) {
      if (call->call_id.empty())
        return fmt::format("a call of '{}' without an id", call->name);
      if (!outputs.emplace(call->call_id, 0).second)
        return fmt::format("two calls '{}'", call->call_id);
    } else if (const auto* output = std::get_if<tool_output>(&entry)) {
      const auto call_of = outputs.find(output->call_id);
      if (call_of == outputs.end())
        return fmt::format("an output for '{}', which nobody called", output->call_id);
      if (++call_of->second > 1)
        return fmt::format("two outputs for '{}'", output->call_id);
    }
  }
  for (const auto& [id, count] : outputs)
    if (count == 0)
      return fmt::format("no output for '{}'", id);
  return {};
}

item_list last_request(const game& played) {
  for (auto i = played.done.rbegin(); i != played.done.rend(); ++i) {
    if (const auto* asked = std::get_if<call_model>(&*i)) {
      auto all = asked->request->past ? *asked->request->past : item_list{};
      all.insert(all.end(), asked->request->fresh.begin(), asked->request->fresh.end());
      return all;
    }
  }
  return {};
}

void keep(state& run) {
  const auto text = dump_json(paused_to_json(run));
  auto read = paused_from_json(parse_json(text, 1024).value()).value();
  CHECK(dump_json(paused_to_json(read)) == text);
  read.past = run.past;
  read.bounds = run.bounds;
  read.has_budget = run.has_budget;
  run = std::move(read);
}

void check_rows(const std::vector<row>& rows) {
  for (const auto& r : rows) {
    INFO(r.situation);
    auto played = play(r.events, r.bounds, nullptr, r.has_budget);
    CHECK(played.effects == r.effects);
    CHECK(story(played.run.fresh) == r.story);
    CHECK(ending(played.run) == r.ending);
    if (played.run.at != phase::finished)
      continue;
    CHECK(flaw(played.run.fresh) == "");
    for (const auto& each : r.events)
      CHECK(step(played.run, each(played)).empty());
    CHECK(story(played.run.fresh) == r.story);
  }
}

} // namespace troupe::run::testing
