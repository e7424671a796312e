#include "actors/session.hpp"

#include "actors/metrics/measures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

error gone() {
  return fail(errc::shutting_down, "the session's actor ended before the run did");
}

} // namespace

session_state::~session_state() {
  for (auto& waiting : jobs_)
    std::visit(
        [](auto& each) {
          if constexpr (requires { each.promise; })
            each.promise.deliver(to_caf(gone()));
          if constexpr (requires { each.again; })
            for (auto& promise : each.again)
              promise.deliver(to_caf(gone()));
        },
        waiting);
}

void session_state::begin(std::string id, session_environment_ptr environment, sessions_actor parent) {
  id_ = std::move(id);
  environment_ = std::move(environment);
  parent_ = std::move(parent);
}

template <class Job>
const caller& session_state::caller_of(const Job& wanted) {
  if constexpr (requires { wanted.request; })
    return wanted.request.by;
  else
    return wanted.by;
}

template <class Job>
error session_state::unknown_to(const Job& wanted) const {
  if constexpr (requires { wanted.run_id; })
    return unknown_run(wanted.run_id);
  else if constexpr (requires { wanted.request.decisions; })
    return unknown_run(wanted.request.run_id);
  else
    return unknown();
}

template <class Job, class Promise>
Promise session_state::enqueue(Job&& wanted, Promise promise) {
  constexpr bool is_prompt = std::is_same_v<std::remove_cvref_t<Job>, prompt_job>;
  std::optional<error> refusal;
  // The queue is its owner's.
  if (loaded_ && !may_see(caller_of(wanted)))
    refusal = unknown_to(wanted);
  const auto& measures = environment_->measures;
  if (measures)
    measures->queue.observe(static_cast<double>(jobs_.size()));
  if constexpr (is_prompt)
    if (!refusal && policy_of(wanted.request) == busy_policy::reject)
      refusal = make_way(wanted.request, jobs_.size());
  // What ends the run under way, or all of them, finds a place where the queue is full. What is held waits
  // for a word that has to come in.
  const auto places = environment_->max_queue + (ends_others(wanted) ? 1 : 0);
  if (!refusal && jobs_.size() > places && count_free() > places) {
    if (measures)
      measures->refused_queue.add();
    refusal =
        fail(errc::overloaded, fmt::format("{} requests already wait for this session", jobs_.size() - 1));
  }
  if constexpr (is_prompt)
    if (!refusal && policy_of(wanted.request) != busy_policy::reject)
      refusal = make_way(wanted.request, jobs_.size());
  if (refusal) {
    count_handled(1);
    if constexpr (is_prompt)
      report_unbegun(wanted.request, *refusal);
    promise.deliver(to_caf(*refusal));
    return promise;
  }
  wanted.promise = promise;
  jobs_.emplace_back(std::forward<Job>(wanted));
  next();
  accept_waiting();
  return promise;
}

template <class Job>
bool session_state::ends_others(const Job& wanted) const {
  if constexpr (std::is_same_v<Job, prompt_job>) {
    const auto policy = policy_of(wanted.request);
    return policy == busy_policy::interrupt || policy == busy_policy::rollback;
  }
  return std::is_same_v<Job, erase_job>;
}

std::size_t session_state::count_free() const {
  return static_cast<std::size_t>(
      std::count_if(jobs_.begin(), jobs_.end(), [this](const job& each) { return !is_held(each); }));
}

busy_policy session_state::policy_of(const chat_request& request) const {
  return request.busy.value_or(environment_->busy);
}

std::optional<error> session_state::make_way(const chat_request& request, std::size_t ahead) {
  const auto policy = policy_of(request);
  // Else what there is is found out once it is loaded.
  if (policy == busy_policy::enqueue || !loaded_)
    return std::nullopt;
  const auto place = jobs_.begin() + static_cast<std::ptrdiff_t>(ahead);
  const bool finds_run =
      std::any_of(jobs_.begin(), place, [this](const job& each) { return is_run(each) && !is_held(each); });
  if (policy == busy_policy::reject)
    return finds_run ? std::optional(fail(errc::conflict, "a run of the session is under way"))
                     : std::nullopt;
  const auto reason = fail(errc::cancelled, "another prompt to the session has taken its place");
  const bool rolls_back = policy == busy_policy::rollback;
  if (finds_run && busy_ && is_run(jobs_.front())) {
    rolls_back_ = rolls_back_ || rolls_back;
    cancel_front(reason, cancel_mode::at_once);
  } else if (!finds_run && paused_) {
    jobs_.insert(place, drop_job{paused_->run_id, reason, true, rolls_back});
  }
  return std::nullopt;
}

void session_state::make_way_for_waiting() {
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    auto* prompt = std::get_if<prompt_job>(&jobs_[i]);
    // One that was begun before the server ended is not told about policies.
    if (prompt == nullptr || prompt->is_accepted)
      continue;
    const auto before = jobs_.size();
    const bool is_known = may_see(prompt->request.by);
    // The front one's turn has come, where it is seen to.
    if (i == 0 && !is_known)
      continue;
    if (const auto refusal = is_known ? make_way(prompt->request, i) : unknown()) {
      report_unbegun(prompt->request, *refusal);
      prompt->promise.deliver(to_caf(*refusal));
      jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i--));
      count_handled(1);
    }
    i += jobs_.size() > before ? 1 : 0;
  }
}

void session_state::cancel_front(const error& reason, cancel_mode mode) {
  const bool is_shutdown = reason.code == errc::shutting_down;
  // One that is cancelled already ends by that, not by the server's end.
  if (!is_shutdown || !cancelled_ || cancelled_->second != cancel_mode::at_once)
    cancelled_ = {reason, mode};
  if (!is_shutdown && (is_in_journal_ || std::holds_alternative<recover_job>(jobs_.front())))
    write_cancellation(run_id_, reason, mode);
  if (carrier_)
    self_->send(carrier_, cancel_atom::value, reason, mode);
}

caf::typed_response_promise<chat_reply> session_state::chat(chat_request&& request, observer_actor observer) {
  prompt_job wanted{std::move(request), std::move(observer), {}};
  if (const auto within = wanted.request.within) {
    wanted.deadline = self_->clock().now() + *within;
    if (busy_)
      self_->delayed_send(self_, *within, overdue_atom::value, wanted.request.run_id);
  }
  return enqueue(std::move(wanted), self_->make_response_promise<chat_reply>());
}

void session_state::overdue(const std::string& run_id) {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const job& each) {
    const auto* prompt = std::get_if<prompt_job>(&each);
    return prompt != nullptr && prompt->request.run_id == run_id;
  });
  // Once it runs it has a deadline of its own.
  if (found == jobs_.end() || (busy_ && found == jobs_.begin()))
    return;
  auto& late = std::get<prompt_job>(*found);
  const auto reason = fail(errc::deadline_exceeded, "the prompt's time was over before its session was free");
  report_unbegun(late.request, reason);
  late.promise.deliver(to_caf(reason));
  jobs_.erase(found);
  count_handled(1);
}

bool session_state::may_see(const caller& by) const {
  return !owner_ || by.is_operator || *owner_ == by.subject;
}

error session_state::unknown_run(const std::string& run_id) {
  return fail(errc::unknown_run, fmt::format("there is no run '{}'", run_id));
}

error session_state::unknown() const {
  return fail(errc::unknown_session, fmt::format("there is no session '{}'", id_));
}

caf::typed_response_promise<chat_reply> session_state::resume(resume_request&& request,
                                                              observer_actor observer) {
  return enqueue(resume_job{std::move(request), std::move(observer), {}},
                 self_->make_response_promise<chat_reply>());
}

caf::typed_response_promise<run_record_ptr> session_state::show(const std::string& run_id, caller by) {
  return enqueue(show_job{run_id, std::move(by), {}}, self_->make_response_promise<run_record_ptr>());
}

caf::typed_response_promise<acknowledgement> session_state::erase(caller by) {
  return enqueue(erase_job{std::move(by), {}}, self_->make_response_promise<acknowledgement>());
}

void session_state::next() {
  if (busy_ || jobs_.empty())
    return;
  if (std::exchange(is_stale_, false))
    forget();
  const auto first =
      std::find_if(jobs_.begin(), jobs_.end(), [this](const job& each) { return !is_held(each); });
  if (first == jobs_.end())
    return only_held();
  std::rotate(jobs_.begin(), first, first + 1);
  busy_ = true;
  cancelled_.reset();
  rolls_back_ = false;
  was_paused_ = false;
  has_saved_loaded_ = false;
  is_in_journal_ = false;
  log_ = nullptr;
  key_hash_.clear();
  const auto* prompt = std::get_if<prompt_job>(&jobs_.front());
  if (prompt != nullptr)
    take_log(prompt->observer, prompt->request.is_logged);
  else if (const auto* resumed = std::get_if<resume_job>(&jobs_.front()))
    take_log(resumed->observer, resumed->request.is_logged);
  if (prompt != nullptr)
    run_id_ = prompt->request.run_id;
  else if (const auto* resumed = std::get_if<resume_job>(&jobs_.front()))
    run_id_ = resumed->request.run_id;
  else if (const auto* recovered = std::get_if<recover_job>(&jobs_.front()))
    run_id_ = recovered->run_id;
  const auto* erased = std::get_if<erase_job>(&jobs_.front());
  // One that cannot be read can still be erased.
  if (loaded_ || (prompt != nullptr && prompt->request.is_new) ||
      (erased != nullptr && erased->by.is_operator))
    start();
  else
    load();
}

bool session_state::is_held(const job& each) const {
  const auto* prompt = std::get_if<prompt_job>(&each);
  return paused_ && prompt != nullptr && prompt->is_answered;
}

void session_state::hold() {
  const auto& held = std::get<prompt_job>(jobs_.front());
  if (held.deadline)
    self_->delayed_send(
        self_,
        std::max(std::chrono::ceil<std::chrono::milliseconds>(*held.deadline - self_->clock().now()),
                 std::chrono::milliseconds(0)),
        overdue_atom::value, held.request.run_id);
  // Those that it was taken from behind are held too, and were there before.
  const auto free =
      std::find_if(jobs_.begin(), jobs_.end(), [this](const job& each) { return !is_held(each); });
  std::rotate(jobs_.begin(), jobs_.begin() + 1, free);
  busy_ = false;
  next();
}

void session_state::only_held() {
  if (is_stopping_)
    refuse(held_runs(), fail(errc::shutting_down, "the server is shutting down"));
  else
    self_->send(parent_, finished_atom::value, id_, handled_);
}

std::set<std::string> session_state::held_runs() const {
  std::set<std::string> held;
  for (const auto& each : jobs_)
    if (is_held(each))
      held.insert(std::get<prompt_job>(each).request.run_id);
  return held;
}

void session_state::refuse(const std::set<std::string>& waiting, const error& reason) {
  for (const auto& run_id : waiting) {
    report_unbegun(find_prompt(run_id)->request, reason);
    std::erase_if(jobs_, [&run_id](const job& each) {
      const auto* prompt = std::get_if<prompt_job>(&each);
      return prompt != nullptr && prompt->request.run_id == run_id;
    });
  }
  count_handled(waiting.size());
}

void session_state::stop() {
  is_stopping_ = true;
  next();
}

void session_state::count_handled(std::uint64_t more) {
  if (more == 0)
    return;
  handled_ += more;
  self_->send(parent_, finished_atom::value, id_, handled_);
}

void session_state::done() {
  if (log_)
    self_->send(log_, finished_atom::value);
  log_ = nullptr;
  const auto* dropped = std::get_if<drop_job>(&jobs_.front());
  const bool counts = dropped == nullptr || !dropped->is_counted;
  jobs_.pop_front();
  busy_ = false;
  count_handled(counts ? 1 : 0);
  next();
}

void session_state::cancel(const std::string& run_id, const error& reason, cancel_mode mode) {
  const auto concerns = [&run_id](const job& each) {
    if (const auto* prompt = std::get_if<prompt_job>(&each))
      return run_id.empty() || prompt->request.run_id == run_id;
    if (const auto* recovered = std::get_if<recover_job>(&each))
      return run_id.empty() || recovered->run_id == run_id;
    const auto* resumed = std::get_if<resume_job>(&each);
    return resumed != nullptr && (run_id.empty() || resumed->request.run_id == run_id);
  };
  bool found = false;
  bool drops = false;
  std::uint64_t erased = 0;
  if (busy_ && concerns(jobs_.front())) {
    found = true;
    cancel_front(reason, mode);
  }
  for (auto waiting = jobs_.begin() + (busy_ ? 1 : 0); waiting != jobs_.end();) {
    if (!concerns(*waiting)) {
      ++waiting;
      continue;
    }
    found = true;
    if (auto* recovered = std::get_if<recover_job>(&*waiting);
        recovered != nullptr && reason.code != errc::shutting_down) {
      recovered->cancelled = reason;
      write_cancellation(recovered->run_id, reason, mode);
      ++waiting;
      continue;
    }
    if (const auto* prompt = std::get_if<prompt_job>(&*waiting))
      report_unbegun(prompt->request, reason);
    // The run that was to go on is still there.
    drops = drops || std::holds_alternative<resume_job>(*waiting);
    std::visit(
        [&reason](auto& each) {
          if constexpr (requires { each.promise; })
            each.promise.deliver(to_caf(reason));
        },
        *waiting);
    ++erased;
    waiting = jobs_.erase(waiting);
  }
  // To cancel all is the parent's own word; it does not count it among what it passed on.
  if (run_id.empty() || (found && !drops))
    return count_handled(erased + (run_id.empty() ? 0 : 1));
  count_handled(erased);
  jobs_.emplace_back(drop_job{run_id, reason});
  next();
}

void session_state::run_moved(const std::string& run_id, const caf::strong_actor_ptr& to) {
  if (!busy_ || run_id != run_id_)
    return;
  carrier_ = caf::actor_cast<run_actor>(to);
  // The cancellation may have missed the run on its way.
  if (cancelled_)
    self_->send(carrier_, cancel_atom::value, cancelled_->first, cancelled_->second);
}

renewable_session_actor::behavior_type
session_behavior(renewable_session_actor::stateful_pointer<session_state> self, std::string id,
                 session_environment_ptr environment, sessions_actor parent) {
  self->state.begin(std::move(id), std::move(environment), std::move(parent));
  return {
      [self](chat_request& request, const observer_actor& observer) {
        return self->state.chat(std::move(request), observer);
      },
      [self](resume_request& request, const observer_actor& observer) {
        return self->state.resume(std::move(request), observer);
      },
      [self](run_atom, const std::string& run_id, const caller& by) { return self->state.show(run_id, by); },
      [self](erase_atom, const caller& by) { return self->state.erase(by); },
      [self](recover_atom, const std::string& run_id, const observer_actor& observer) {
        self->state.recover(run_id, observer);
      },
      [self](journal_atom, const std::string& run_id) { return self->state.accepted(run_id); },
      [self](cancel_atom, const std::string& run_id, const error& reason, cancel_mode mode) {
        self->state.cancel(run_id, reason, mode);
      },
      [self](moved_atom, const std::string& run_id, const caf::strong_actor_ptr& to) {
        self->state.run_moved(run_id, to);
      },
      [self](stop_atom) { self->state.stop(); },
      [self](overdue_atom, const std::string& run_id) { self->state.overdue(run_id); },
      [self](again_atom, const std::string& run_id) { self->state.again(run_id); },
      [self](settle_atom, const std::string& run_id) { self->state.went_on_elsewhere(run_id); },
      [self](wire_atom, const session_environment_ptr& now) { self->state.renew(now); },
  };
}

} // namespace troupe
