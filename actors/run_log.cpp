#include "actors/run_log.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/told_event.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

run_events_ptr nothing_more(std::uint64_t last) {
  auto events = std::make_shared<run_events>();
  events->last = last;
  events->is_over = true;
  return events;
}

} // namespace

run_log_state::~run_log_state() {
  for (auto& each : waiting_)
    each.promise.deliver(to_caf(fail(errc::internal, "the log of the run's events has ended")));
}

void run_log_state::begin(run_log_setup setup) {
  setup_ = std::move(setup);
  cleaner_ = event_redactor(setup_.hides);
  flow_ = event_flow<caf::actor_addr>(setup_.window);
  if (setup_.is_new || !setup_.is_journaled)
    return ready(0, false);
  look_up();
}

void run_log_state::look_up() {
  is_looking_ = true;
  ask_untimed<run_head_ptr>(
      self_, setup_.store, [this](const run_head_ptr& run) { looked_up(*run); },
      [this, asked = setup_.store.address()](const caf::error& reason) {
        const auto why = from_caf(reason);
        if (why.code == errc::unknown_run) {
          run_head gone;
          gone.status = "cancelled";
          gone.last_event = last_;
          return looked_up(gone);
        }
        if (!looks_again(why, asked))
          return;
        // To count from 1 again would be to write over what there is.
        log().warn("run '{}': its events cannot be read now: {}", setup_.run_id, why.detail);
        self_->delayed_send(self_, defaults::log_look_up_pause, look_up_atom::value);
      },
      head_atom::value, setup_.run_id);
}

bool run_log_state::looks_again(const error& reason, const caf::actor_addr& asked) {
  if (!setup_.follows && reason.code == errc::shutting_down) {
    // The store has ended. There may be another one; without it nothing is waited for.
    needs_store_ = asked == setup_.store.address();
    if (!needs_store_)
      look_up();
    return false;
  }
  const bool is_wanted = !setup_.follows || !readers_.empty() || !pending_.empty();
  if (is_wanted && may_pass(reason.code))
    return true;
  if (!setup_.follows)
    log().error("run '{}': its events cannot be read, and no further ones are kept: {}", setup_.run_id,
                reason.detail);
  failure_ = reason;
  ready(last_, is_over_);
  answer_readers();
  return false;
}

void run_log_state::looked_up(const run_head& run) {
  is_looking_ = false;
  const bool is_over = run.is_over() || run.status == "paused";
  if (!is_ready_) {
    ready(run.last_event, is_over);
  } else {
    is_over_ = is_over;
    last_ = saving_ = std::max(last_, run.last_event);
    saved(last_);
  }
  look_later();
}

void run_log_state::use(store_actor store) {
  setup_.store = std::move(store);
  if (std::exchange(needs_store_, false))
    look_up();
}

void run_log_state::look_later() {
  if (!setup_.follows || is_looking_ || is_over_ || waiting_.empty())
    return;
  is_looking_ = true;
  self_->delayed_send(self_, defaults::log_follow_pause, look_up_atom::value);
}

void run_log_state::wait_for_more(reader next) {
  if (answer(next))
    return;
  waiting_.push_back(std::move(next));
  look_later();
}

void run_log_state::ready(std::uint64_t last, bool is_over) {
  last_ = saved_ = saving_ = read_ = paused_at_ = last;
  is_over_ = is_over;
  is_ready_ = true;
  for (const auto& task : std::exchange(pending_, {}))
    task();
}

void run_log_state::when_ready(std::function<void()> task) {
  if (is_ready_)
    task();
  else
    pending_.push_back(std::move(task));
}

void run_log_state::add(const run_event& what) {
  auto texts = texts_of(cleaner_.take(what));
  std::size_t bytes = 0;
  for (const auto& each : texts)
    bytes += each.size();
  const auto& sender = self_->current_sender();
  const auto is_new = flow_.came(caf::actor_cast<caf::actor_addr>(sender), bytes, acknowledge);
  if (is_new && sender)
    self_->monitor(sender);
  add_texts(std::move(texts));
}

std::vector<std::string> run_log_state::texts_of(const std::vector<run_event>& events) const {
  std::vector<std::string> texts;
  for (const auto& each : events)
    if (auto event = told(each, setup_.run_id)) {
      event->data = setup_.hides->hide_json(std::move(event->data));
      texts.push_back(to_stored(*event));
    }
  return texts;
}

void run_log_state::add_texts(std::vector<std::string> texts) {
  if (!texts.empty())
    when_ready([this, texts = std::move(texts)] {
      for (const auto& each : texts)
        add_text(each);
    });
}

void run_log_state::add_text(std::string text) {
  if (failure_)
    return flow_.taken(text.size(), acknowledge);
  is_over_ = false;
  bytes_ += text.size();
  events_.push_back({++last_, std::move(text)});
  if (setup_.is_journaled)
    return save();
  saved_ = last_;
  answer_readers();
  trim();
}

void run_log_state::take_unsaved(run_change& change) {
  change.first_event = saving_ + 1;
  for (const auto& each : events_)
    if (each.number > saving_)
      change.events.push_back(each.text);
  saving_ = last_;
}

void run_log_state::save() {
  // What comes meanwhile goes along the next time.
  if (is_saving_ || saving_ == last_)
    return;
  is_saving_ = true;
  session_append addition;
  addition.run = run_change{setup_.run_id};
  take_unsaved(*addition.run);
  ask_untimed<acknowledgement>(
      self_, setup_.store,
      [this, upto = saving_](acknowledgement) {
        is_saving_ = false;
        saved(upto);
        save();
      },
      [this, upto = saving_](const caf::error& reason) {
        is_saving_ = false;
        log().warn("run '{}': its events could not be written down: {}", setup_.run_id,
                   from_caf(reason).detail);
        // The run itself goes on; who reads along sees them all the same.
        saved(upto);
      },
      std::move(addition));
}

void run_log_state::saved(std::uint64_t upto) {
  saved_ = std::max(saved_, upto);
  answer_readers();
  trim();
}

caf::typed_response_promise<acknowledgement> run_log_state::append(session_append&& what) {
  auto promise = self_->make_response_promise<acknowledgement>();
  when_ready([this, promise, what = std::move(what)]() mutable { write(std::move(what), promise); });
  return promise;
}

void run_log_state::write(session_append&& what, caf::typed_response_promise<acknowledgement> promise) {
  if (setup_.is_journaled && what.run && !failure_) {
    take_unsaved(*what.run);
    what.run->last_event = last_;
  }
  ask_untimed<acknowledgement>(
      self_, setup_.store,
      [this, promise, upto = saving_](acknowledgement) mutable {
        saved(upto);
        promise.deliver(acknowledgement{});
      },
      [this, promise, upto = saving_](const caf::error& reason) mutable {
        saved(upto);
        promise.deliver(to_caf(from_caf(reason)));
      },
      std::move(what));
}

caf::typed_response_promise<run_events_ptr> run_log_state::read(std::uint64_t after) {
  const auto who = self_->current_sender();
  reader next{after, caf::actor_cast<caf::actor_addr>(who), self_->make_response_promise<run_events_ptr>()};
  if (who && readers_.insert(next.who).second)
    self_->monitor(who);
  auto promise = next.promise;
  when_ready([this, next]() mutable {
    if (next.after == from_here)
      next.after = paused_at_;
    wait_for_more(std::move(next));
  });
  return promise;
}

bool run_log_state::answer(reader& waiting) {
  if (failure_) {
    waiting.promise.deliver(to_caf(*failure_));
    return true;
  }
  const auto first = events_.empty() ? last_ + 1 : events_.front().number;
  if (waiting.after < saved_ && waiting.after + 1 < first && setup_.is_journaled) {
    answer_from_store(waiting);
    return true;
  }
  auto found = std::make_shared<run_events>();
  std::size_t bytes = 0;
  for (const auto& each : events_) {
    if (each.number <= waiting.after)
      continue;
    if (each.number > saved_ || (bytes > 0 && bytes + each.text.size() > setup_.window))
      break;
    bytes += each.text.size();
    found->events.push_back(each);
  }
  if (found->events.empty()) {
    if (!is_over_)
      return false;
    waiting.promise.deliver(nothing_more(last_));
    return true;
  }
  hand_out(found->events.back().number);
  waiting.promise.deliver(run_events_ptr(std::move(found)));
  return true;
}

void run_log_state::answer_from_store(reader& waiting) {
  ask_untimed<stored_events_ptr>(
      self_, setup_.store,
      [this, promise = waiting.promise, who = waiting.who,
       after = waiting.after](const stored_events_ptr& found) mutable {
        if (found->empty()) {
          // All that there was does not count any more.
          const auto from = std::max(after, events_.empty() ? last_ : events_.front().number - 1);
          return wait_for_more({from, who, promise});
        }
        auto events = std::make_shared<run_events>();
        events->events = *found;
        hand_out(events->events.back().number);
        promise.deliver(run_events_ptr(std::move(events)));
      },
      [promise = waiting.promise](const caf::error& reason) mutable {
        promise.deliver(to_caf(from_caf(reason)));
      },
      events_atom::value, setup_.run_id, waiting.after, std::uint64_t{defaults::events_read_at_once},
      std::uint64_t{setup_.window});
}

void run_log_state::answer_readers() {
  auto waiting = std::exchange(waiting_, {});
  for (auto& each : waiting)
    if (!answer(each))
      waiting_.push_back(std::move(each));
  // Nobody is there to be waited for.
  if (readers_.empty())
    hand_out(saved_);
}

void run_log_state::hand_out(std::uint64_t upto) {
  if (upto <= read_)
    return;
  std::size_t bytes = 0;
  for (const auto& each : events_)
    if (each.number > read_ && each.number <= upto)
      bytes += each.text.size();
  read_ = upto;
  flow_.taken(bytes, acknowledge);
}

void run_log_state::trim() {
  while (bytes_ > setup_.kept_bytes && events_.size() > 1 &&
         events_.front().number <= std::min(saved_, read_)) {
    bytes_ -= events_.front().text.size();
    events_.pop_front();
  }
}

void run_log_state::finish() {
  add_texts(texts_of(cleaner_.finish()));
  when_ready([this] {
    is_over_ = true;
    answer_readers();
  });
}

void run_log_state::goes_on() {
  when_ready([this] {
    is_over_ = false;
    paused_at_ = last_;
  });
}

void run_log_state::down(const caf::actor_addr& who) {
  flow_.ended(who);
  std::erase_if(waiting_, [&who](const reader& each) { return each.who == who; });
  if (readers_.erase(who) > 0 && readers_.empty())
    answer_readers();
}

void run_log_state::acknowledge(const caf::actor_addr& source, std::uint64_t events) {
  if (const auto still = caf::actor_cast<caf::actor>(source))
    caf::anon_send(still, consumed_atom::value, events);
}

looking_run_log_actor::behavior_type
run_log_behavior(looking_run_log_actor::stateful_pointer<run_log_state> self, run_log_setup setup) {
  self->set_down_handler([self](const caf::down_msg& what) { self->state.down(what.source); });
  self->state.begin(std::move(setup));
  return {
      [self](const run_event& what) { self->state.add(what); },
      [self](session_append& what) { return self->state.append(std::move(what)); },
      [self](events_atom, std::uint64_t after) { return self->state.read(after); },
      [self](recover_atom) { self->state.goes_on(); },
      [self](wire_atom, const caf::strong_actor_ptr& store) {
        self->state.use(caf::actor_cast<store_actor>(store));
      },
      [self](finished_atom) { self->state.finish(); },
      [self](look_up_atom) { self->state.look_up(); },
  };
}

} // namespace troupe
