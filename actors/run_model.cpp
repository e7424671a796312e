#include "actors/metrics/measures.hpp"
#include "actors/run.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

void run_state::carry_out(run::call_model& what) {
  auto facts = facts_for(hook_point::before_model, [this, &what] {
    auto items = json::array();
    if (what.request->past)
      items = to_json(*what.request->past);
    for (const auto& entry : what.request->fresh)
      items.push_back(to_json(entry));
    return json{{"model", wiring_->definition->model}, {"items", std::move(items)}};
  });
  at_hooks(hook_point::before_model, std::move(facts),
           [this, request = what.request] { ask_model(request); });
}

void run_state::ask_model(model_request_ptr request) {
  const auto key = next_key();
  open_[key].model = wiring_->model;
  saw_progress_ = false;
  streamed_calls_.clear();
  model_call call{key, std::move(request), {}};
  if (is_streamed())
    call.listener = caf::actor_cast<caf::strong_actor_ptr>(self_);
  const auto began = self_->clock().now();
  self_->request(wiring_->model, remaining(), std::move(call))
      .then([this, key, began](model_response& response) { model_answered(key, response, began); },
            [this, key, began](const caf::error& reason) {
              count_failed(wiring_->definition->model, reason, began);
              settle_failed(std::exchange(reservation_, 0), from_caf(reason));
              request_failed(reason, key, [this, &reason](const error&) {
                feed(run::model_failed{model_error(wiring_->definition->model, reason)});
              });
            });
}

void run_state::model_answered(call_key key, model_response& response, caf::actor_clock::time_point began) {
  open_.erase(key);
  if (response.model.empty())
    response.model = wiring_->definition->model;
  fill_in_usage(response, estimated_input_);
  count_answered(response, began);
  settle(std::exchange(reservation_, 0), response.model, response.used);
  tell_spent(wiring_->definition->name, response.model, response.used);
  tell_answer(response);
  if (run_.company && run_.company->observer)
    tell(usage_added{wiring_->definition->name, response.model, response.used});
  auto facts = facts_for(hook_point::after_model, [&response] {
    return json{
        {"model", response.model}, {"output", to_json(response.output)}, {"usage", to_json(response.used)}};
  });
  at_hooks(hook_point::after_model, std::move(facts), [this, response = std::move(response)]() mutable {
    feed(run::model_answered{std::move(response)});
  });
}

void run_state::count_answered(const model_response& response, caf::actor_clock::time_point began) const {
  const auto* measures = wiring_->measures ? wiring_->measures->model(response.model) : nullptr;
  if (measures == nullptr)
    return;
  measures->calls.count();
  measures->seconds.observe(in_seconds(self_->clock().now() - began));
  measures->used(response.used);
}

void run_state::count_failed(const std::string& model, const caf::error& reason,
                             caf::actor_clock::time_point began) const {
  const auto* measures = wiring_->measures ? wiring_->measures->model(model) : nullptr;
  if (measures == nullptr)
    return;
  measures->calls.count(model_error(model, reason).code);
  measures->seconds.observe(in_seconds(self_->clock().now() - began));
}

void run_state::fill_in_usage(model_response& response, std::uint64_t input) const {
  if (!run_.state.has_budget || response.used.total_tokens() > 0)
    return;
  response.used.requests = std::max<std::uint64_t>(response.used.requests, 1);
  response.used.input_tokens = input;
  response.used.output_tokens = estimate_output(response.output);
}

void run_state::settle(std::uint64_t reserved, const std::string& model, const usage& used) {
  if (reserved != 0 && run_.company && run_.company->ledger)
    caf::anon_send(run_.company->ledger, settle_atom::value, reserved, model, used);
}

void run_state::settle_failed(std::uint64_t reserved, const error& reason) {
  // An answer that came in part was worked for.
  usage used;
  if (reason.code == errc::model_stream_cut)
    used.requests = 1;
  settle(reserved, wiring_->definition->model, used);
}

void run_state::tell_answer(const model_response& response) {
  if (!run_.company || !run_.company->observer)
    return;
  const auto& agent = wiring_->definition->name;
  const auto is_call = [](const item& entry) { return std::holds_alternative<tool_call>(entry); };
  const bool has_calls = std::any_of(response.output.begin(), response.output.end(), is_call);
  const bool tells_growth = is_streamed() && !saw_progress_;
  for (const auto& entry : response.output) {
    if (const auto* message = std::get_if<assistant_message>(&entry);
        message != nullptr && !message->text.empty()) {
      if (tells_growth)
        tell(text_streamed{agent, message->text});
      if (has_calls)
        tell(said{agent, message->text});
    } else if (const auto* thought = std::get_if<reasoning>(&entry); thought != nullptr && tells_growth) {
      if (!thought->text.empty())
        tell(reasoning_streamed{agent, thought->text});
    } else if (const auto* call = std::get_if<tool_call>(&entry); call != nullptr && tells_growth) {
      tell(call_streamed{agent, call->call_id, call->name});
      tell(arguments_streamed{agent, call->call_id, call->arguments});
    }
  }
}

void run_state::progressed(const model_progress& what, const caf::strong_actor_ptr& source) {
  if (!open_.contains(what.key) || is_over_)
    return;
  saw_progress_ = true;
  for (const auto& delta : *what.deltas)
    tell_delta(delta);
  if (what.bytes == 0 || !source)
    return;
  held_.push_back(
      {caf::actor_cast<stream_source_actor>(source), what.key, what.bytes, consumed_ + unconsumed_});
  release_progress();
}

void run_state::tell_delta(const model_delta& delta) {
  const auto& agent = wiring_->definition->name;
  if (const auto* text = std::get_if<text_delta>(&delta)) {
    tell(text_streamed{agent, text->text});
  } else if (const auto* thought = std::get_if<reasoning_delta>(&delta)) {
    tell(reasoning_streamed{agent, thought->text});
  } else if (const auto* call = std::get_if<tool_call_delta>(&delta)) {
    streamed_calls_.resize(std::max(streamed_calls_.size(), call->index + 1));
    streamed_calls_[call->index] = call->call_id;
    tell(call_streamed{agent, call->call_id, call->name});
  } else if (const auto* more = std::get_if<arguments_delta>(&delta)) {
    auto id = more->index < streamed_calls_.size() ? streamed_calls_[more->index] : std::string();
    tell(arguments_streamed{agent, std::move(id), more->text});
  }
}

void run_state::consumed(std::uint64_t events) {
  events = std::min(events, unconsumed_);
  unconsumed_ -= events;
  consumed_ += events;
  release_progress();
}

void run_state::release_progress() {
  for (; !held_.empty() && held_.front().last_event <= consumed_; held_.pop_front())
    self_->send(held_.front().source, consumed_atom::value, held_.front().key, held_.front().bytes);
}

} // namespace troupe
