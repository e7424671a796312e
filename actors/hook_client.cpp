#include "actors/hook_client.hpp"

#include "actors/io/http_client.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe {

namespace {

/// What the reactor has to say about one request.
struct hook_answer {
  std::uint64_t key = 0;
  /// Null if the hook has nothing against the run.
  std::shared_ptr<const error> failure;
};

} // namespace

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::hook_answer)

namespace troupe {

namespace {

/// Of an answer that is an error, in messages.
constexpr std::size_t shown_bytes = 200;

using client_actor = hook_actor::extend<caf::reacts_to<hook_answer>>::extend_with<observed_actor>;

struct hook_setup {
  config::hook_options options;
  hook_client_box client;
  redactor_ptr hides;
};

class hook_client_state {
public:
  explicit hook_client_state(client_actor::pointer self) : self_(self) {}

  ~hook_client_state() {
    for (auto& [key, call] : open_)
      call.promise.deliver(to_caf(fail(errc::unavailable, "the hook's actor ended")));
  }

  void begin(const hook_setup& setup) {
    client_ = std::move(*setup.client);
    timeout_ = setup.options.timeout;
    if (const auto query = setup.options.url.find('?'); query != std::string::npos)
      target_ = setup.options.url.substr(query);
    hides_ = setup.hides;
    headers_ = {{"Content-Type", "application/json"}};
    for (const auto& [header, value] : setup.options.headers)
      headers_.emplace_back(header, value.reveal());
  }

  caf::typed_response_promise<acknowledgement> tell(const hook_call& call) {
    // Before the promise, which takes the sender away.
    const auto asker = caf::actor_cast<caf::actor_addr>(self_->current_sender());
    auto promise = self_->make_response_promise<acknowledgement>();
    const auto key = ++last_key_;
    json body = call.facts ? *call.facts : json::object();
    body["point"] = to_string(call.point);
    body["run_id"] = call.run_id;
    body["session_id"] = call.session_id;
    if (!body.contains("agent"))
      body["agent"] = call.agent;
    io::http_request request;
    request.target = target_;
    request.headers = headers_;
    request.body = dump_json(body);
    request.timeout = timeout_;
    const auto sent = client_->send(
        std::move(request), [self = caf::actor_cast<client_actor>(self_), key, hides = hides_](
                                std::optional<io::http_response> response, io::http_failure failure) {
          hook_answer answer{key, nullptr};
          if (!response)
            answer.failure = std::make_shared<const error>(failure.reason);
          else if (response->status < 200 || response->status > 299)
            answer.failure = std::make_shared<const error>(
                // Cut only when nothing of a secret can be cut off.
                fail(errc::hook_failed,
                     fmt::format("it answered {}: {}", response->status,
                                 to_utf8(hides->hide(to_utf8(response->body)).substr(0, shown_bytes)))));
          caf::anon_send(self, std::move(answer));
        });
    if (asker && !waits(asker))
      self_->monitor(asker);
    open_.emplace(key, open_call{promise, sent, asker});
    return promise;
  }

  void answered(const hook_answer& answer) {
    auto waiting = open_.extract(answer.key);
    if (waiting.empty())
      return;
    const auto& call = waiting.mapped();
    if (call.asker && !waits(call.asker))
      self_->demonitor(call.asker);
    auto promise = call.promise;
    if (answer.failure)
      promise.deliver(to_caf(*answer.failure));
    else
      promise.deliver(acknowledgement{});
  }

  actor_status status() const {
    auto status = status_of(self_);
    status.in_flight = open_.size();
    return status;
  }

  /// The asker is gone: nobody waits for what the hook would say.
  void gave_up(const caf::actor_addr& asker) {
    for (auto each = open_.begin(); each != open_.end();) {
      if (each->second.asker != asker) {
        ++each;
        continue;
      }
      client_->cancel(each->second.sent);
      each->second.promise.deliver(to_caf(fail(errc::cancelled, "the run is gone")));
      each = open_.erase(each);
    }
  }

  const char* name = "hook_client";

private:
  struct open_call {
    caf::typed_response_promise<acknowledgement> promise;
    io::http_request_id sent;
    /// Null for one that is no actor.
    caf::actor_addr asker;
  };

  bool waits(const caf::actor_addr& asker) const {
    return std::any_of(open_.begin(), open_.end(),
                       [&](const auto& each) { return each.second.asker == asker; });
  }

  client_actor::pointer self_;
  std::unique_ptr<io::http_client> client_;
  std::chrono::milliseconds timeout_{0};
  /// The URL's query.
  std::string target_;
  redactor_ptr hides_ = nothing_to_hide();
  io::header_list headers_;
  std::map<std::uint64_t, open_call> open_;
  std::uint64_t last_key_ = 0;
};

client_actor::behavior_type hook_client(client_actor::stateful_pointer<hook_client_state> self,
                                        const hook_setup& setup) {
  self->state.begin(setup);
  self->set_down_handler([self](const caf::down_msg& down) { self->state.gave_up(down.source); });
  return {
      [self](const hook_call& call) { return self->state.tell(call); },
      [self](const hook_answer& answer) { self->state.answered(answer); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace

result<hook_client_box> make_hook_client(io::reactor& io, const config::hook_options& options) {
  io::http_client_options wire;
  wire.base_url = options.url.substr(0, options.url.find('?'));
  wire.connect_timeout = options.timeout;
  io::read_proxy_environment(wire);
  auto client = io::http_client::make(io, std::move(wire));
  if (!client)
    return client.error();
  return std::make_shared<std::unique_ptr<io::http_client>>(std::move(*client));
}

hook_actor spawn_hook_client(caf::actor_system& system, const config::hook_options& options,
                             hook_client_box client, redactor_ptr hides) {
  return system.spawn(hook_client, hook_setup{options, std::move(client), std::move(hides)});
}

} // namespace troupe
