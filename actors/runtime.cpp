#include "actors/runtime.hpp"

#include "actors/defaults.hpp"
#include "actors/http/front.hpp"
#include "actors/io/reactor.hpp"
#include "actors/system_config.hpp"
#include "actors/wiring.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <fmt/format.h>

#include <mutex>
#include <set>

namespace troupe {

void extend(caf::actor_system_config& config) {
  config.add_error_category(error_category,
                            [](std::uint8_t code, caf::atom_value category, const caf::message& context) {
                              const auto reason = from_caf(caf::error(code, category, context));
                              return fmt::format("{}: {}", to_string(reason.code), reason.detail);
                            });
}

namespace {

using std::chrono::milliseconds;

/// Asks actors to stop and waits until all have answered, or are gone.
class stopper {
public:
  explicit stopper(caf::actor_system& system) : self_(system) {}

  template <class Handle, class... Args>
  void ask(const Handle& handle, milliseconds within, const Args&... what) {
    pending_.push_back([this, answer = std::make_shared<decltype(self_->request(handle, within, what...))>(
                                  self_->request(handle, within, what...))] {
      answer->receive([](acknowledgement) {}, [](const caf::error&) {});
    });
  }

  void wait() {
    for (const auto& receive : pending_)
      receive();
    pending_.clear();
  }

  template <class Handle>
  void exit(const Handle& handle) {
    self_->monitor(handle);
    self_->send_exit(handle, caf::exit_reason::user_shutdown);
    bool is_down = false;
    bool is_late = false;
    const auto address = handle.address();
    while (!is_down && !is_late)
      self_->receive([&](const caf::down_msg& what) { is_down = what.source == address; },
                     caf::after(defaults::actor_exit) >> [&] { is_late = true; });
  }

private:
  caf::scoped_actor self_;
  std::vector<std::function<void()>> pending_;
};

/// What is asked to listen after the end.
http_front_actor::behavior_type closed_front(http_front_actor::pointer self) {
  return {
      [](port_atom) -> caf::result<std::uint16_t> {
        return to_caf(fail(errc::shutting_down, "the runtime was shut down"));
      },
      [self](stop_atom, caf::timespan) {
        self->quit();
        return acknowledgement{};
      },
  };
}

} // namespace

struct runtime::impl {
  impl(caf::actor_system& sys, const runtime_options& options)
      : system(sys), io(options.io != nullptr ? std::make_unique<io::reactor>(*options.io)
                                              : std::make_unique<io::reactor>()),
        run_timeout(options.config.limits.run_timeout), counted(options.counted) {}
  ~impl() { shutdown(milliseconds(0)); }

  void shutdown(milliseconds grace) {
    const std::lock_guard guard(shutdown_lock);
    if (is_down)
      return;
    is_down = true;
    stopper stop(system);
    if (where) {
      stop.ask(where->current()->supervisor, defaults::quick_answer, stop_atom::value);
      stop.wait();
    }
    const auto patience = grace + defaults::cancelled_run_grace + defaults::run_answer_grace;
    // Front ends answer their last requests while the sessions finish, and at last cancel, their last runs.
    const auto end_front = [&](const http_front_actor& front) {
      stop.ask(front, patience, stop_atom::value, caf::timespan(grace + defaults::cancelled_run_grace));
    };
    for (const auto& front : taken_fronts())
      end_front(front);
    // Some may have been made again since.
    if (where)
      for (const auto& [name, front] : where->current()->fronts)
        end_front(front);
    if (where)
      stop.ask(where->current()->sessions, patience, stop_atom::value, caf::timespan(grace));
    stop.wait();
    stop_actors(stop);
  }

  void stop_actors(stopper& stop) {
    if (!where)
      return;
    const auto actors = where->current();
    stop.exit(actors->sessions);
    for (const auto& [name, server] : actors->mcp_servers) {
      stop.ask(server, defaults::mcp_stdin_grace + defaults::mcp_sigterm_grace + defaults::quick_answer,
               stop_atom::value);
      stop.wait();
      stop.exit(server);
    }
    for (const auto& [name, agent] : *actors->agents)
      stop.exit(agent);
    // Those that pass calls on before those that they pass them on to; the embedder's are the embedder's.
    for (const auto& [name, chain] : actors->chains)
      stop.exit(chain);
    for (const auto& [name, recording] : actors->recordings)
      stop.exit(recording);
    for (const auto& [name, model] : actors->plain_models)
      if (!given_models.contains(name))
        stop.exit(model);
    for (const auto& hook : actors->hooks)
      stop.exit(hook);
    stop.exit(actors->store);
    stop.exit(actors->supervisor);
    // What is left are handles; none may keep an actor of the embedder's alive.
    auto ended = *actors;
    ended.wirings.clear();
    ended.environment.reset();
    ended.fronts.clear();
    where->renew(std::make_shared<const cast>(std::move(ended)));
  }

  std::vector<http_front_actor> taken_fronts() {
    const std::lock_guard guard(fronts_lock);
    takes_fronts = false;
    return std::move(fronts);
  }

  caf::actor_system& system;
  std::unique_ptr<io::reactor> io;
  milliseconds run_timeout;
  std::shared_ptr<metrics> counted;
  std::shared_ptr<directory> where;
  /// Names of models that are the embedder's.
  std::set<std::string> given_models;
  std::vector<std::string> agent_names;
  std::vector<orphaned_run> taken_up;
  std::mutex fronts_lock;
  std::vector<http_front_actor> fronts;
  bool takes_fronts = true;
  std::mutex shutdown_lock;
  bool is_down = false;
};

runtime::runtime(std::shared_ptr<impl> state) : impl_(std::move(state)) {}

result<runtime> runtime::start(caf::actor_system& system, runtime_options options) {
  if (!options.counted)
    options.counted = metrics::make();
  auto state = std::make_shared<impl>(system, options);
  auto spawned = spawn_cast(system, *state->io, options);
  if (!spawned)
    return spawned.error();
  state->where = std::move(spawned->where);
  state->agent_names = std::move(spawned->actors.agent_names);
  state->taken_up = std::move(spawned->taken_up);
  for (const auto& [name, handle] : options.models)
    state->given_models.insert(name);
  return runtime(std::move(state));
}

result<agent_actor> runtime::agent(std::string_view name) const {
  const auto agents = impl_->where->current()->agents;
  const auto found = agents->find(name);
  if (found == agents->end())
    return fail(errc::unknown_agent, fmt::format("there is no agent '{}'", name));
  return found->second;
}

const std::vector<std::string>& runtime::agent_names() const noexcept {
  return impl_->agent_names;
}

sessions_actor runtime::sessions() const {
  return impl_->where->current()->sessions;
}

std::vector<std::pair<std::string, mcp_server_actor>> runtime::mcp_servers() const {
  return impl_->where->current()->mcp_servers;
}

supervisor_actor runtime::supervisor() const {
  return impl_->where->current()->supervisor;
}

const std::vector<orphaned_run>& runtime::taken_up() const noexcept {
  return impl_->taken_up;
}

const std::shared_ptr<metrics>& runtime::counted() const noexcept {
  return impl_->counted;
}

http_front_actor runtime::serve_http(config::server_options options) const {
  const std::lock_guard guard(impl_->fronts_lock);
  if (!impl_->takes_fronts)
    return impl_->system.spawn(closed_front);
  const auto actors = impl_->where->current();
  const auto wanted_port = options.port;
  front_maker maker{[&system = impl_->system, &io = *impl_->io,
                     options = std::move(options)](http_backend backend, std::uint16_t port) {
    auto bound = options;
    bound.port = port;
    http_streaming streaming;
    streaming.keep_alive = options.sse_keep_alive;
    return spawn_http_front(system, io, std::move(bound), std::move(backend), streaming);
  }};
  auto front = maker.make(make_http_backend(*actors, impl_->run_timeout, impl_->counted), wanted_port);
  impl_->fronts.push_back(front);
  caf::anon_send(actors->supervisor, adopt_atom::value, front,
                 std::make_shared<const front_maker>(std::move(maker)));
  return front;
}

void runtime::shutdown(std::chrono::milliseconds grace) {
  impl_->shutdown(grace);
}

} // namespace troupe
