#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/supervisor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/sec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

/// The groups of the tree, in order, and the kinds that each holds.
struct group {
  std::string_view name;
  std::array<std::string_view, 3> kinds;
};
constexpr std::array groups{group{"models", {"model", "recording", "fallback"}},
                            group{"mcp_servers", {"mcp_server"}},
                            group{"store", {"store"}},
                            group{"hooks", {"hook"}},
                            group{"agents", {"agent"}},
                            group{"sessions", {"sessions"}},
                            group{"fronts", {"http_front"}}};

bool holds(const group& which, const std::string& kind) {
  // A node that was moved into its group has no kind any more.
  return !kind.empty() && std::find(which.kinds.begin(), which.kinds.end(), kind) != which.kinds.end();
}

system_node make_group(std::string_view name) {
  system_node made;
  made.name = name;
  made.kind = "group";
  return made;
}

} // namespace

system_node supervisor_state::outline(const child& which) const {
  const auto now = self_->clock().now();
  system_node node;
  node.name = which.what.name;
  node.kind = which.what.kind;
  node.restarts = which.times_restarted;
  node.last_error = which.last_error;
  if (which.handle)
    return node;
  node.retry_in = which.restarts.retry_in(now);
  node.state = !which.what.make || which.is_over                            ? "down"
               : which.restarts.breaker(now).state == breaker_state::closed ? "restarting"
                                                                            : "failed";
  if (node.state == "failed")
    node.breaker = which.restarts.breaker(now);
  return node;
}

caf::typed_response_promise<system_status_ptr> supervisor_state::status() {
  auto promise = self_->make_response_promise<system_status_ptr>();
  asked_.push_back(promise);
  // Who asks while the parts are being asked gets the same answer.
  if (asked_.size() > 1)
    return promise;
  const auto all = std::make_shared<round>();
  for (const auto& each : children_)
    all->children.push_back(outline(each));
  all->missing = 1;
  for (std::size_t i = 0; i < children_.size(); ++i)
    if (const auto& each = children_[i]; each.handle) {
      ++all->missing;
      if (each.what.kind == "mcp_server")
        ask_server(all, i, each.handle);
      else
        ask_part(all, i, each.handle, each.what.tells_status);
    }
  answered(all);
  return promise;
}

void supervisor_state::ask_part(const std::shared_ptr<round>& all, std::size_t index,
                                const caf::actor& handle, bool tells_status) {
  const auto failed = [this, all, index](const caf::error& reason) {
    all->children[index].state = reason == caf::sec::request_receiver_down ? "down" : "not_answering";
    answered(all);
  };
  if (!tells_status) {
    // CAF answers this for any actor of its own kind, once it comes to it.
    self_
        ->request(handle, defaults::part_status, caf::sys_atom::value, caf::get_atom::value,
                  std::string("info"))
        .then([this, all](caf::ok_atom, const std::string&, const caf::strong_actor_ptr&,
                          const std::string&) { answered(all); },
              failed);
    return;
  }
  ask<actor_status>(
      self_, caf::actor_cast<observed_actor>(handle), defaults::part_status,
      [this, all, index](const actor_status& told) {
        auto& into = all->children[index];
        into.mailbox = told.mailbox;
        into.in_flight = told.in_flight;
        into.waiting = told.waiting;
        into.breaker = told.breaker;
        into.refused_full = told.refused_full;
        into.refused_open = told.refused_open;
        into.retries = told.retries;
        if (!told.last_error.empty())
          into.last_error = told.last_error;
        answered(all);
      },
      failed, status_atom::value);
}

void supervisor_state::ask_server(const std::shared_ptr<round>& all, std::size_t index,
                                  const caf::actor& handle) {
  ask<mcp_status>(
      self_, caf::actor_cast<mcp_server_actor>(handle), defaults::part_status,
      [this, all, index](const mcp_status& told) {
        auto& into = all->children[index];
        into.state = to_string(told.state);
        into.restarts += told.restarts;
        into.mailbox = told.mailbox;
        into.in_flight = told.calls_in_flight;
        into.waiting = told.calls_waiting;
        into.refused_full = told.calls_refused;
        into.breaker = told.breaker;
        if (!told.last_error.empty())
          into.last_error = told.last_error;
        if (told.state != mcp_state::ready)
          into.retry_in = told.retry_in;
        answered(all);
      },
      [this, all, index](const caf::error&) {
        all->children[index].state = "not_answering";
        answered(all);
      },
      status_atom::value);
}

system_node supervisor_state::tree(round& all) const {
  system_node root;
  root.name = "troupe";
  root.kind = "root";
  root.state = stopping_ ? "stopping" : "running";
  root.mailbox = self_->mailbox().size();
  for (const auto& each : groups) {
    auto made = make_group(each.name);
    for (auto& node : all.children)
      if (holds(each, node.kind))
        made.children.push_back(std::move(node));
    root.children.push_back(std::move(made));
  }
  return root;
}

void supervisor_state::answered(const std::shared_ptr<round>& all) {
  if (--all->missing > 0)
    return;
  system_status status;
  status.uptime = std::chrono::floor<std::chrono::milliseconds>(self_->clock().now() - began_);
  status.root = tree(*all);
  const auto shared = std::make_shared<const system_status>(std::move(status));
  for (auto& promise : std::exchange(asked_, {}))
    promise.deliver(shared);
}

} // namespace troupe
