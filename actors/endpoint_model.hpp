#pragma once

#include "actors/interfaces.hpp"
#include "libagent/config/config.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe::io {
class http_client;
class reactor;
struct http_failure;
struct http_response;
} // namespace troupe::io

namespace troupe {

/// How one try of a call ended on the wire: an answer, or why there is none. Sent by the reactor.
struct wire_answer {
  call_key key = 0;
  std::shared_ptr<const io::http_response> response;
  std::shared_ptr<const io::http_failure> failure;
};

/// Internal: the wait before another try is over.
using retry_atom = caf::atom_constant<caf::atom("retry")>;
using wire_model_actor =
    model_actor::extend<caf::reacts_to<wire_answer>, caf::reacts_to<retry_atom, call_key>>;

/// One endpoint that speaks Chat Completions: encodes calls, sends them through a pool of connections, tries
/// again where that may help, decodes answers.
class openai_model_state {
public:
  explicit openai_model_state(wire_model_actor::pointer self);
  ~openai_model_state();

  void begin(std::string model_name, config::openai_options options, std::vector<secret> secrets,
             std::unique_ptr<io::http_client> client);
  caf::typed_response_promise<model_response> call(const model_call& what);
  void cancel(call_key key);
  void answered(const wire_answer& answer);
  void send(call_key key);

  const char* name = "openai_model";

private:
  struct open_call {
    std::string body;
    caf::typed_response_promise<model_response> promise;
    unsigned tries = 0;
    /// The request on the wire, or 0 while waiting for another try.
    std::uint64_t request = 0;
  };

  void finish(call_key key, result<model_response> outcome);
  /// Arranges another try; false if the call has failed for good.
  bool try_again(call_key key, open_call& call, const wire_answer& answer);
  error describe(const wire_answer& answer) const;

  wire_model_actor::pointer self_;
  std::string model_name_;
  config::openai_options options_;
  std::string target_;
  std::vector<std::pair<std::string, std::string>> headers_;
  /// Never shown, even if the endpoint repeats them.
  std::vector<secret> secrets_;
  std::unique_ptr<io::http_client> client_;
  std::map<call_key, open_call> calls_;
  std::minstd_rand random_;
};

/// The client is made by the caller, since a URL that cannot be used is a configuration error.
wire_model_actor::behavior_type openai_model(wire_model_actor::stateful_pointer<openai_model_state> self,
                                             std::string model_name, config::openai_options options,
                                             std::vector<secret> secrets,
                                             std::shared_ptr<std::unique_ptr<io::http_client>> client);

/// Makes the pool for an endpoint. Error `invalid_argument` for a URL that cannot be used.
result<std::unique_ptr<io::http_client>> make_model_client(io::reactor& io,
                                                           const config::openai_options& options);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wire_answer)
