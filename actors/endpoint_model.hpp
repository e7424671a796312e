#pragma once

#include "actors/interfaces.hpp"
#include "libagent/config/config.hpp"
#include "libagent/core/redactor.hpp"
#include "libagent/model/call_gate.hpp"
#include "libagent/model/call_ids.hpp"
#include "libagent/model/codec.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::io {
class http_client;
class reactor;
struct http_failure;
struct http_request;
struct http_response;
} // namespace troupe::io

namespace troupe {

/// How one try of a call ended on the wire: an answer, or why there is none. Sent by the reactor.
struct wire_answer {
  call_key key = 0;
  std::shared_ptr<const io::http_response> response;
  std::shared_ptr<const io::http_failure> failure;
};

/// A piece of a streamed answer. Sent by the reactor.
struct wire_piece {
  call_key key = 0;
  /// Which try of the call it belongs to.
  unsigned tried = 0;
  /// Status and headers, without a body.
  std::shared_ptr<const io::http_response> head;
  std::string bytes;
  bool ends = false;
  /// For the end: why it is not complete.
  std::shared_ptr<const io::http_failure> failure;
};

/// Internal: the wait before another try is over.
using retry_atom = caf::atom_constant<caf::atom("retry")>;
/// Internal: connections whose answers are complete have had their time to end.
using sweep_atom = caf::atom_constant<caf::atom("sweep")>;
/// Internal: a call that waits may be allowed now.
using look_atom = caf::atom_constant<caf::atom("look")>;
using wire_model_actor = model_actor::extend<
    caf::reacts_to<wire_answer>, caf::reacts_to<wire_piece>, caf::reacts_to<retry_atom, call_key>,
    caf::reacts_to<sweep_atom>,
    caf::reacts_to<look_atom>>::extend_with<stream_source_actor>::extend_with<observed_actor>;

/// One model endpoint: lets calls through within its bounds, encodes them in its wire format, sends them
/// through a pool of connections, tries again where that may help, decodes answers, whole or as they come.
class endpoint_model_state {
public:
  explicit endpoint_model_state(wire_model_actor::pointer self);
  ~endpoint_model_state();

  void begin(std::string model_name, config::endpoint_options options, redactor_ptr hides,
             std::unique_ptr<io::http_client> client);
  caf::typed_response_promise<model_response> call(const model_call& what);
  void cancel(call_key key);
  void answered(const wire_answer& answer);
  void arrived(const wire_piece& piece);
  void consumed(call_key key, std::uint64_t bytes);
  void send(call_key key);
  void sweep();
  void look();
  actor_status status() const;

  const char* name = "endpoint_model";

private:
  struct open_call {
    explicit open_call(call_ids::source make_id) : ids(std::move(make_id)) {}

    /// While it waits to be let through; its body and pass are made then.
    model_request_ptr asked;
    std::optional<call_gate::ticket> pass;
    std::string body;
    caf::typed_response_promise<model_response> promise;
    /// Null for a call that is not streamed.
    model_listener_actor listener;
    unsigned tries = 0;
    /// While it waits for another try.
    std::optional<error> last_failure;
    /// The request on the wire, or 0 while waiting for another try.
    std::uint64_t request = 0;
    /// Of the try under way, once its head has come: a decoder for a stream, or the body of another answer.
    std::shared_ptr<io::http_response> head;
    std::shared_ptr<stream_decoder> decoder;
    /// Bytes of the stream that have added nothing yet; that the listener has been told of and has not dealt
    /// with; that are to be given back to the client for it to read on.
    std::uint64_t untold = 0;
    std::uint64_t undealt = 0;
    std::uint64_t held_back = 0;
    call_ids ids;
    /// The listener has seen some of the answer, so that another try would repeat it.
    bool passed_on = false;
  };

  /// A connection whose answer is complete.
  struct ending_stream {
    std::uint64_t request = 0;
    bool was_swept = false;
  };

  // endpoint_gate.cpp: which calls may be made.
  void admit(call_key key, open_call& call);
  void begin_call(call_key key, open_call& call, const call_gate::ticket& pass);
  void let_waiting_go();
  /// Has one timer running for what only time holds back.
  void look_later();
  /// Lets the breaker know. `status` is 0 where no answer came.
  void try_ended(open_call& call, unsigned status, errc code, bool connection_error);
  void tell_breaker(caf::actor_clock::time_point now) const;
  void leave_gate(call_key key, const open_call& call, const result<model_response>& outcome);
  /// Why no call is made now.
  error unavailable() const;

  // endpoint_model.cpp, endpoint_stream.cpp
  double jitter();
  io::http_request make_request(open_call& call, std::string_view accept) const;
  void send_whole(call_key key, open_call& call);
  void send_streamed(call_key key, open_call& call);
  void take_head(open_call& call, const io::http_response& head);
  void take_bytes(call_key key, open_call& call, const std::string& bytes);
  /// Lets the client read on if the listener keeps up.
  void read_on(open_call& call);
  /// The answer has come to its own end, whatever becomes of the connection.
  void complete(call_key key, open_call& call);
  void take_end(call_key key, open_call& call, const wire_piece& piece);
  /// The stream cannot go on: another try if nobody has seen any of it, else the call has failed.
  void stream_failed(call_key key, open_call& call, error reason, bool worth_another_try = true);
  void finish(call_key key, result<model_response> outcome);
  void take_result(call_key key, result<model_response> outcome);
  /// Arranges another try; false if the call has failed for good.
  bool try_again(call_key key, open_call& call, const wire_answer& answer);
  error describe(const wire_answer& answer) const;
  error with_name(error reason) const;

  wire_model_actor::pointer self_;
  std::string model_name_;
  config::endpoint_options options_;
  std::shared_ptr<const model_codec> codec_;
  std::string target_;
  std::vector<std::pair<std::string, std::string>> headers_;
  /// Never shown, even if the endpoint repeats them.
  redactor_ptr hides_ = nothing_to_hide();
  std::unique_ptr<io::http_client> client_;
  call_gate gate_;
  std::uint64_t refused_full_ = 0;
  std::uint64_t refused_open_ = 0;
  std::uint64_t retries_ = 0;
  /// Why the last call that failed at the endpoint did.
  std::string last_error_;
  bool looks_ = false;
  bool lets_go_ = false;
  std::map<call_key, open_call> calls_;
  std::map<call_key, ending_stream> ending_;
  bool sweeps_ = false;
  std::minstd_rand random_;
};

/// The client is made by the caller, since a URL that cannot be used is a configuration error.
wire_model_actor::behavior_type endpoint_model(wire_model_actor::stateful_pointer<endpoint_model_state> self,
                                               std::string model_name, config::endpoint_options options,
                                               redactor_ptr hides,
                                               std::shared_ptr<std::unique_ptr<io::http_client>> client);

call_gate make_call_gate(const config::endpoint_options& options);

/// Makes the pool for an endpoint. Error `invalid_argument` for a URL that cannot be used.
result<std::unique_ptr<io::http_client>> make_model_client(io::reactor& io,
                                                           const config::endpoint_options& options);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wire_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wire_piece)
