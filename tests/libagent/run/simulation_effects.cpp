#include "tests/libagent/run/simulation.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace troupe::run::testing {

namespace {

const tool_result lost = tool_result::failure("Error: it did not answer in time");

} // namespace

void simulation::act(const std::string& path, collect_tools&) {
  plan(path, event{tools_collected{tools_of(agent_named(machines_.at(path).run.agent->name))}},
       1 + luck_.below(20));
}

void simulation::act(const std::string& path, reserve& what) {
  if (!what.request) {
    auto made = ledger_->reserve_tools(what.tool_calls);
    REQUIRE(made.has_value() == (spent_.tool_calls + what.tool_calls <= spending_.tool_calls.value_or(~0u)));
    if (made)
      spent_.tool_calls += what.tool_calls;
    else
      ++refusals;
    check_spent(spent_, spending_);
    return plan(path, made ? event{reserved{}} : event{refused{made.error()}}, 1);
  }
  if (!ask_ledger(path, *what.request))
    waits_for_ledger_.emplace_back(path, what.request);
}

bool simulation::ask_ledger(const std::string& path, const model_request& request) {
  auto made = ledger_->reserve_model({"m", estimate_input(request), {}});
  if (!made)
    return false;
  if (!*made) {
    ++refusals;
    plan(path, event{refused{made->error()}}, 1);
    return true;
  }
  auto& at = machines_.at(path);
  at.reserved = (*made)->id;
  at.max_output_tokens = (*made)->max_output_tokens;
  plan(path, event{reserved{(*made)->max_output_tokens, (*made)->if_cut}}, 1);
  return true;
}

void simulation::settle(std::uint64_t reserved, const usage& used) {
  if (reserved == 0)
    return;
  ledger_->settle(reserved, "m", used);
  auto waiting = std::exchange(waits_for_ledger_, {});
  for (auto& [path, request] : waiting)
    if (machines_.contains(path) && !ask_ledger(path, *request))
      waits_for_ledger_.emplace_back(path, request);
}

void simulation::act(const std::string& path, call_model& what) {
  auto seen = what.request->past ? *what.request->past : item_list{};
  seen.insert(seen.end(), what.request->fresh.begin(), what.request->fresh.end());
  REQUIRE(flaw(seen) == "");
  auto& at = machines_.at(path);
  spent_.requests += 1;
  check_spent(spent_, spending_);
  const auto reserved = std::exchange(at.reserved, 0);
  if (luck_.in(3))
    return answer(path, paid{reserved, {}, model_failed{fail(errc::model_failed, "no model")}});
  model_response response;
  const auto most = at.max_output_tokens.value_or(60);
  response.used = {1, estimate_input(*what.request),
                   1 + luck_.below(std::max<std::uint64_t>(std::min<std::uint64_t>(most, 60), 1)), 0, 0};
  response.model = "m";
  spent_.input_tokens += response.used.input_tokens;
  spent_.output_tokens += response.used.output_tokens;
  check_spent(spent_, spending_);
  if (luck_.in(50))
    response.output.emplace_back(assistant_message{"", luck_.any_of<const char*>({"", "hi", R"({"n":1})"})});
  if (luck_.in(path.empty() ? 70 : 40))
    for (auto calls = luck_.below(4); calls > 0; --calls)
      response.output.emplace_back(random_call());
  response.finish_reason = luck_.in(10) ? "length" : "stop";
  const auto used = response.used;
  answer(path, paid{reserved, used, model_answered{std::move(response)}});
}

void simulation::act(const std::string& path, call_tools& what) {
  for (const auto& call : what.calls) {
    if (call.what == toolbox_entry::kind::agent) {
      start_nested(path, call);
      continue;
    }
    const auto place = path.empty() ? call.place : path + "/" + call.place;
    REQUIRE((called_.insert(place).second || may_repeat_.erase(place) == 1));
    auto got = luck_.in(20) ? tool_result::failure("broken") : tool_result::text("x");
    if (luck_.in(10)) {
      // It took too long, and answers all the same.
      plan(path, event{tool_answered{call.index, lost}}, 100);
      plan(path, event{tool_answered{call.index, got}}, 100 + luck_.below(100));
    } else {
      answer(path, event{tool_answered{call.index, got}});
    }
  }
}

void simulation::start_nested(const std::string& outer, const requested_call& call) {
  const auto path = outer.empty() ? call.place : outer + "/" + call.place;
  REQUIRE_FALSE(machines_.contains(path));
  auto& at = machines_[path];
  at.index = call.index;
  at.run = call.nested ? *call.nested : begin(nullptr, "?", bounds_);
  if (call.nested)
    at.own = machines_.at(outer).own.inside.at(call.place);
  fill(at.run);
  if (at.run.is_interrupted)
    return take_event(path, recovered{helper()});
  const bool was_paused = at.run.at == phase::paused;
  take_event(path, entered_agent{helper()});
  if (!was_paused)
    return;
  REQUIRE(check_decisions(at.run, call.decisions).has_value());
  take_event(path, resumed{call.decisions});
}

void simulation::end_nested(const std::string& path, event outcome) {
  const auto slash = path.rfind('/');
  const auto outer = slash == std::string::npos ? std::string() : path.substr(0, slash);
  machines_.at(path).is_over = true;
  plan(outer, ended_inside{path, std::move(outcome)}, 1);
}

/// Runs end with the one that has started them, which has spent what they have.
void simulation::end_inside(const std::string& path) {
  auto& at = machines_.at(path);
  const auto prefix = path.empty() ? path : path + "/";
  std::erase_if(machines_, [&](const auto& each) {
    const auto& [inner, inside] = each;
    if (inner == path || !inner.starts_with(prefix))
      return false;
    at.run.used += spent_by(inside.run);
    at.own.add_ended(inner.substr(prefix.size()), inside.own);
    return true;
  });
}

void simulation::act(const std::string& path, report_call& what) {
  // Once in each life: a call has one result.
  REQUIRE(reported_.insert(fmt::format("{} {} {}", life_, path, what.call_id)).second);
  plan(path, event{call_reported{what.index}}, luck_.below(10));
}

void simulation::act(const std::string&, repair&) {}

void simulation::act(const std::string& path, check& what) {
  if (luck_.in(2))
    return answer(path, event{checked{what.ticket, fail(errc::model_timeout, "no judge")}});
  guardrail::verdict verdict;
  if (luck_.in(20))
    verdict.what =
        luck_.any_of({guardrail::action::rewrite, guardrail::action::reject, guardrail::action::trip});
  verdict.text = R"({"n":3})";
  verdict.message = "because";
  answer(path, event{checked{what.ticket, verdict}});
}

void simulation::act(const std::string& path, hand_off& what) {
  plan(path, event{entered_agent{agent_named(what.agent)}}, luck_.below(20));
}

void simulation::act(const std::string& path, finish&) {
  auto& at = machines_.at(path);
  end_inside(path);
  check_end(at.own, at.run);
  if (path.empty())
    return end_run();
  tool_answered answered{at.index, tool_result::text(at.run.output), at.run.used};
  if (at.run.failure) {
    answered.result = tool_result::failure(at.run.failure->detail);
    const auto code = at.run.failure->code;
    if (code == errc::cancelled || code == errc::deadline_exceeded || code == errc::budget_exceeded)
      answered.fatal = at.run.failure;
  }
  end_nested(path, std::move(answered));
}

tool_call simulation::random_call() {
  if (!made_.empty() && luck_.in(8))
    return made_[luck_.below(made_.size())];
  tool_call call;
  call.name =
      luck_.any_of<const char*>({"a", "b", "c", "add", "helper", "helper", "nope", "transfer_to_ops"});
  call.arguments = luck_.any_of<const char*>({"{}", R"({"n":1})", R"({"input":"?"})", "{"});
  if (luck_.in(90))
    call.call_id = fmt::format("id{}", ++last_id_);
  made_.push_back(call);
  return call;
}

agent_ptr simulation::agent_named(const std::string& name) const {
  return agents_.at(name);
}

} // namespace troupe::run::testing
