#include "actors/supervisor.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/stand_in.hpp"
#include "actors/wiring.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

config::restart_options actor_restarts() {
  config::restart_options options;
  options.initial_backoff = defaults::actor_backoff;
  options.max_backoff = defaults::actor_max_backoff;
  options.max_restarts = defaults::actor_max_restarts;
  options.within = defaults::actor_restarts_within;
  options.cooldown = defaults::actor_cooldown;
  options.stable_after = defaults::actor_stable_after;
  return options;
}

/// Whether somebody wanted it to end.
bool is_in_order(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown ||
         reason == caf::exit_reason::unreachable;
}

bool is_model(const part& what) {
  return what.kind == "model" || what.kind == "recording" || what.kind == "fallback";
}

bool is_front(const part& what) {
  return what.kind == "http_front";
}

std::string title(const part& what) {
  return what.name == what.kind ? fmt::format("the {}", what.kind)
                                : fmt::format("the {} '{}'", what.kind, what.name);
}

} // namespace

supervisor_state::supervisor_state(root_actor::pointer self)
    : self_(self), random_(static_cast<std::minstd_rand::result_type>(
                       std::chrono::steady_clock::now().time_since_epoch().count())) {}

supervisor_state::~supervisor_state() {
  for (auto& promise : asked_)
    promise.deliver(to_caf(fail(errc::shutting_down, "the runtime is shutting down")));
}

void supervisor_state::begin(const supervisor_setup& setup) {
  shop_ = setup.shop;
  actors_ = setup.actors;
  actors_.supervisor = supervisor_actor(self_);
  where_ = setup.where;
  began_ = self_->clock().now();
  for (std::size_t i = 0; i < setup.parts.size(); ++i) {
    child made{setup.parts[i], restart_policy(actor_restarts(), true), setup.handles[i], 0, {}, false};
    made.restarts.came_up(began_);
    self_->monitor(made.handle);
    children_.push_back(std::move(made));
  }
}

void supervisor_state::died(const caf::down_msg& what) {
  const auto dead = std::find_if(children_.begin(), children_.end(), [&](const child& each) {
    return each.handle && each.handle.address() == what.source;
  });
  if (dead == children_.end())
    return;
  dead->handle = nullptr;
  dead->is_over = stopping_ || is_in_order(what.reason);
  if (!dead->is_over)
    failed(static_cast<std::size_t>(dead - children_.begin()), self_->system().render(what.reason));
}

void supervisor_state::failed(std::size_t index, std::string why) {
  auto& which = children_[index];
  which.last_error = std::move(why);
  if (!which.what.make) {
    log().error("{} has ended: {}; it is the embedder's, and stays down", title(which.what),
                which.last_error);
    which.is_over = is_front(which.what);
    put_stand_in(which);
    return rewire();
  }
  const auto jitter = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
  const auto next = which.restarts.went_down(self_->clock().now(), true, jitter);
  log().error("{} has ended: {}; it is started again in {}", title(which.what), which.last_error, *next.wait);
  if (next.wait->count() == 0)
    return start_again(index);
  put_stand_in(which);
  rewire();
  self_->delayed_send(self_, *next.wait, start_again_atom::value, std::uint64_t{index});
}

void supervisor_state::start_again(std::uint64_t index) {
  auto& which = children_[index];
  if (stopping_ || which.handle)
    return;
  which.restarts.starting();
  auto made = which.what.make(actors_);
  if (!made)
    return failed(index, made.error().detail);
  ++which.times_restarted;
  which.handle = std::move(*made);
  which.what.put(actors_, which.handle);
  which.restarts.came_up(self_->clock().now());
  self_->monitor(which.handle);
  rewire();
  if (is_front(which.what))
    learn_port(index);
}

error supervisor_state::why_down(const child& which) const {
  const auto code = is_model(which.what) ? errc::model_unavailable : errc::unavailable;
  auto text = fmt::format("{} is down: {}", title(which.what), which.last_error);
  if (const auto breaker = which.restarts.breaker(self_->clock().now()); breaker.open_for)
    text += fmt::format("; it has failed {} times in a row", breaker.failures);
  return fail(code, std::move(text));
}

void supervisor_state::put_stand_in(child& which) {
  const auto now = self_->clock().now();
  std::optional<caf::actor_clock::time_point> next_try;
  if (const auto wait = which.restarts.retry_in(now))
    next_try = now + *wait;
  which.what.put(actors_, spawn_stand_in(self_->system(), why_down(which), next_try));
}

void supervisor_state::rewire() {
  const auto& options = shop_->options();
  renew_wirings(options, actors_);
  // Nobody may find a new actor before that knows whom to deal with.
  tell_wirings(options, actors_);
  where_->renew(std::make_shared<const cast>(actors_));
  const auto backend = std::make_shared<const http_backend>(make_backend());
  for (const auto& each : children_)
    if (is_front(each.what) && each.handle)
      caf::anon_send(each.handle, wire_atom::value, http_backend_ptr(backend));
}

http_backend supervisor_state::make_backend() const {
  return make_http_backend(actors_, shop_->options().config.limits.run_timeout, shop_->options().counted);
}

void supervisor_state::adopt(const http_front_actor& front, front_maker_ptr maker) {
  // In the place of one that has ended in order, if there is one.
  const auto place = std::find_if(children_.begin(), children_.end(),
                                  [](const child& each) { return is_front(each.what) && each.is_over; });
  const auto index = static_cast<std::size_t>(place - children_.begin());
  part what;
  what.kind = "http_front";
  what.name = place != children_.end() ? place->what.name : std::to_string(1 + actors_.fronts.size());
  what.put = [name = what.name](cast& into, const caf::actor& handle) {
    into.fronts[name] = caf::actor_cast<http_front_actor>(handle);
  };
  child made{what,
             restart_policy(actor_restarts(), true),
             caf::actor_cast<caf::actor>(front),
             0,
             {},
             false,
             std::move(maker)};
  made.restarts.came_up(self_->clock().now());
  made.what.put(actors_, made.handle);
  self_->monitor(made.handle);
  if (place != children_.end())
    *place = std::move(made);
  else
    children_.push_back(std::move(made));
  // Some part may have been replaced since it was made.
  rewire();
  learn_port(index);
}

void supervisor_state::learn_port(std::size_t index) {
  const auto front = children_[index].handle;
  ask<std::uint16_t>(
      self_, caf::actor_cast<http_front_actor>(front), defaults::front_opening,
      [this, index](std::uint16_t port) {
        auto& which = children_[index];
        which.what.make = [this, maker = which.maker, port](const cast&) -> result<caf::actor> {
          return caf::actor_cast<caf::actor>(maker->make(make_backend(), port));
        };
      },
      [this, index, front](const caf::error& reason) {
        // The first time that is for whoever has started it.
        if (children_[index].what.make)
          self_->send_exit(front, reason);
      },
      port_atom::value);
}

root_actor::behavior_type supervisor(root_actor::stateful_pointer<supervisor_state> self,
                                     const supervisor_setup& setup) {
  self->state.begin(setup);
  self->set_down_handler([self](const caf::down_msg& what) { self->state.died(what); });
  return {
      [self](status_atom) { return self->state.status(); },
      [self](adopt_atom, const http_front_actor& front, const front_maker_ptr& maker) {
        self->state.adopt(front, maker);
      },
      [self](stop_atom) {
        self->state.stop();
        return acknowledgement{};
      },
      [self](start_again_atom, std::uint64_t index) { self->state.start_again(index); },
  };
}

} // namespace troupe
