#include "actors/endpoint_model.hpp"

#include "actors/fallback_model.hpp"
#include "actors/io/http_client.hpp"
#include "actors/io/reactor.hpp"
#include "actors/system_config.hpp"
#include "tests/actors/io/await.hpp"
#include "tests/actors/io/tcp_server.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <future>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using wire_format = config::endpoint_options::wire_format;

namespace {

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string last_chunk = "0\r\n\r\n";

std::string chunk(const std::string& bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

std::string event(const std::string& data) {
  return fmt::format("data: {}\n\n", data);
}

/// An event of Chat Completions.
std::string grown(const std::string& delta, const std::string& more = "") {
  return event(fmt::format(R"({{"choices":[{{"delta":{}{}}}]}})", delta, more));
}

/// The answer "hi", to its format's own end.
std::string whole_stream(wire_format format) {
  switch (format) {
  case wire_format::responses:
    return event(R"({"type":"response.output_text.delta","output_index":0,"delta":"hi"})") +
           event(R"({"type":"response.completed","response":{"status":"completed","output":[)"
                 R"({"type":"message","content":[{"type":"output_text","text":"hi"}]}]}})");
  case wire_format::anthropic:
    return event(R"({"type":"message_start","message":{"content":[]}})") +
           event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"hi"}})") +
           event(R"({"type":"content_block_stop","index":0})") + event(R"({"type":"message_stop"})");
  case wire_format::chat_completions:
    break;
  }
  return grown(R"({"content":"hi"})") + grown("{}", R"(,"finish_reason":"stop")") + event("[DONE]");
}

/// What a listener was told; it says that it has dealt with it at once, or when it is let.
struct listener_log {
  model_deltas deltas;
  std::size_t bytes = 0;
};
using listener_actor = model_listener_actor::extend<caf::reacts_to<consumed_atom>>;

struct listener_state {
  bool deals_at_once = false;
  std::vector<std::function<void()>> undealt;
};

/// A model whose endpoint is played by the test.
class played_endpoint {
public:
  explicit played_endpoint(std::function<void(peer&)> serve,
                           wire_format format = wire_format::chat_completions)
      : server_(std::move(serve)) {
    config::endpoint_options options;
    options.format = format;
    options.base_url = server_.url();
    options.max_response_bytes = 1u << 20;
    options.api_key = secret("sk-key-of-the-endpoint-0123456789");
    options.retry.max_retries = 1;
    options.retry.initial_delay = 1ms;
    auto client =
        std::make_shared<std::unique_ptr<io::http_client>>(make_model_client(reactor_, options).value());
    model_ = system_.spawn(endpoint_model, "m", options,
                           std::make_shared<const redactor>(std::vector{options.api_key}), client);
  }
  ~played_endpoint() {
    caf::anon_send_exit(model_, caf::exit_reason::user_shutdown);
    for (const auto& listener : listeners_)
      caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
  }

  /// A call that is streamed to a listener.
  result<model_response> stream(bool deals_at_once = true) { return call(listener(deals_at_once)); }
  /// The same, with another model behind it that answers whatever it is asked.
  result<model_response> stream_with_fallback() {
    const model_actor other = system_.spawn([](model_actor::pointer) -> model_actor::behavior_type {
      return {[](const model_call&) { return model_response(); }, [](cancel_atom, call_key) {}};
    });
    const model_actor both =
        system_.spawn(fallback_model, std::vector<named_model>{{"m", model_}, {"other", other}});
    auto outcome = call(listener(true), both);
    for (const auto& each : {other, both})
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    return outcome;
  }
  result<model_response> call(const caf::strong_actor_ptr& listener = nullptr) {
    return call(listener, model_);
  }
  result<model_response> call(const caf::strong_actor_ptr& listener, const model_actor& model) {
    auto outcome = result<model_response>(fail(errc::internal, "no answer"));
    caf::scoped_actor self(system_);
    self->request(model, patience, model_call{++last_key_, std::make_shared<model_request>(), listener})
        .receive([&](const model_response& response) { outcome = response; },
                 [&](const caf::error& reason) { outcome = from_caf(reason); });
    return outcome;
  }
  caf::strong_actor_ptr listener(bool deals_at_once) {
    const auto handle = system_.spawn(listen, told, deals_at_once);
    listeners_.push_back(handle);
    return caf::actor_cast<caf::strong_actor_ptr>(handle);
  }
  /// Lets all listeners deal with what they were told, and will be.
  void deal() {
    for (const auto& each : listeners_)
      caf::anon_send(each, consumed_atom::value);
  }

  /// What listeners were told, once it is so many.
  model_deltas deltas(std::size_t count) {
    told->becomes([&](const listener_log& log) { return log.deltas.size() >= count; });
    return told->get().deltas;
  }

  int connections() const { return server_.accepted(); }

  std::shared_ptr<watched<listener_log>> told = std::make_shared<watched<listener_log>>();

private:
  static listener_actor::behavior_type listen(listener_actor::stateful_pointer<listener_state> self,
                                              std::shared_ptr<watched<listener_log>> told,
                                              bool deals_at_once) {
    self->state.deals_at_once = deals_at_once;
    return {
        [self, told](const model_progress& what) {
          told->change([&](listener_log& log) {
            log.deltas.insert(log.deltas.end(), what.deltas->begin(), what.deltas->end());
            log.bytes += what.bytes;
          });
          self->state.undealt.push_back(
              [self, source = caf::actor_cast<stream_source_actor>(self->current_sender()), key = what.key,
               bytes = what.bytes] { self->send(source, consumed_atom::value, key, bytes); });
          if (self->state.deals_at_once)
            deal_with_all(self);
        },
        [self](consumed_atom) {
          self->state.deals_at_once = true;
          deal_with_all(self);
        },
    };
  }
  static void deal_with_all(listener_actor::stateful_pointer<listener_state> self) {
    for (const auto& each : std::exchange(self->state.undealt, {}))
      each();
  }

  io::reactor reactor_;
  tcp_server server_;
  system_config config_;
  caf::actor_system system_{config_};
  wire_model_actor model_;
  std::vector<listener_actor> listeners_;
  std::atomic<call_key> last_key_ = 0;
};

/// Answers each request on a connection with these bytes, then closes it or leaves it open.
auto answers_with(const std::string& bytes, bool closes) {
  return [=](peer& client) {
    while (client.read_request() && client.write(bytes) && !closes)
      ;
  };
}

std::string text_of(const model_response& response) {
  return std::get<assistant_message>(response.output.at(0)).text;
}

const tool_call& call_of(const result<model_response>& response) {
  return std::get<tool_call>(response->output.at(0));
}

} // namespace

TEST_CASE("an answer that is complete by its format counts, however its connection ends") {
  const auto format = GENERATE(wire_format::chat_completions, wire_format::responses, wire_format::anthropic);
  const auto closes = GENERATE(true, false);
  played_endpoint endpoint(answers_with(stream_head + chunk(whole_stream(format)), closes), format);
  const auto answer = endpoint.stream();
  REQUIRE(answer.has_value());
  CHECK(text_of(*answer) == "hi");
  CHECK(endpoint.deltas(1) == model_deltas{text_delta{"hi"}});
}

TEST_CASE("a connection that is left open behind a complete answer is closed") {
  std::promise<bool> closed;
  played_endpoint endpoint([&closed](peer& client) {
    if (client.read_request() &&
        client.write(stream_head + chunk(whole_stream(wire_format::chat_completions))))
      closed.set_value(client.client_closes());
  });
  CHECK(endpoint.stream().has_value());
  CHECK(await(closed));
}

TEST_CASE("a connection that ends its answer in order is used again") {
  played_endpoint endpoint(
      answers_with(stream_head + chunk(whole_stream(wire_format::chat_completions)) + last_chunk, false));
  CHECK(endpoint.stream().has_value());
  CHECK(endpoint.stream().has_value());
  CHECK(endpoint.connections() == 1);
}

TEST_CASE("without [DONE] the end of the body decides, and usage that has come is kept") {
  const auto closes = GENERATE(false, true);
  const auto stream = grown(R"({"content":"hi"})", R"(,"finish_reason":"stop")") +
                      event(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1}})");
  played_endpoint endpoint(answers_with(stream_head + chunk(stream) + (closes ? "" : last_chunk), closes));
  const auto answer = endpoint.stream();
  REQUIRE(answer.has_value() == !closes);
  if (answer)
    CHECK(answer->used.input_tokens == 7);
  else
    CHECK(answer.error().code == errc::model_stream_cut);
}

TEST_CASE("an answer that fails after some of it was shown says so, whatever the failure") {
  const auto shown = std::string(R"({"reasoning_content":"Hm"})");
  const auto rest = GENERATE_COPY(values<std::string>({
      // Cut off before any text; not an answer; too long; broken off.
      grown("{}", R"(,"finish_reason":"length")") + event("[DONE]"),
      event("not JSON"),
      event(std::string(2u << 20, ' ')),
      "",
  }));
  played_endpoint endpoint([&](peer& client) {
    client.read_request();
    client.write(stream_head + chunk(grown(shown)));
    // Read before the rest comes, so that it is shown for sure.
    endpoint.told->becomes([](const listener_log& log) { return !log.deltas.empty(); });
    client.write(chunk(rest));
  });
  const auto answer = endpoint.stream();
  REQUIRE_FALSE(answer.has_value());
  REQUIRE(answer.error().facts);
  CHECK(answer.error().facts->at("partly_shown") == true);
  CHECK(endpoint.connections() == 1);
}

TEST_CASE("an error inside a stream is cut once its secrets are out, so that no half of one is left") {
  const auto format = GENERATE(wire_format::responses, wire_format::anthropic, wire_format::chat_completions);
  for (std::size_t before = 420; before < 500; before += 8) {
    const auto message =
        std::string(before, 'x') + "sk-key-of-the-endpoint-0123456789" + std::string(500, 'y');
    played_endpoint endpoint(
        answers_with(stream_head +
                         chunk(event(R"({"type":"error","error":{"message":")" + message + "\"}}")) +
                         last_chunk,
                     false),
        format);
    const auto answer = endpoint.stream();
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().detail.find("sk-key") == std::string::npos);
    CHECK(answer.error().detail.size() <= 500);
  }
}

TEST_CASE("no other model goes on where one has shown half of its answer") {
  const auto shows = GENERATE(false, true);
  const auto begin = shows ? grown(R"({"reasoning_content":"Hm"})") : std::string();
  played_endpoint endpoint(answers_with(
      stream_head + chunk(begin + grown("{}", R"(,"finish_reason":"length")") + event("[DONE]")) + last_chunk,
      false));
  CHECK(endpoint.stream_with_fallback().has_value() == !shows);
}

TEST_CASE(
    "a streamed answer that is too long fails as one that is not streamed, and is not asked for again") {
  const auto streamed = GENERATE(false, true);
  played_endpoint endpoint(
      answers_with(stream_head + chunk(": " + std::string(2u << 20, 'x') + "\n\n") + last_chunk, true));
  const auto answer = streamed ? endpoint.stream() : endpoint.call();
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == errc::model_failed);
  CHECK_THAT(answer.error().detail, Catch::Contains("longer than 1048576 bytes"));
  CHECK_FALSE(answer.error().facts);
  CHECK(endpoint.connections() == 1);
}

TEST_CASE("a call that comes without an id is told of by the one that it gets") {
  const std::string call = R"({"tool_calls":[{"index":0,"function":{"name":"x","arguments":"{}"}}]})";
  played_endpoint endpoint(answers_with(
      stream_head + chunk(grown(call, R"(,"finish_reason":"tool_calls")") + event("[DONE]")) + last_chunk,
      false));
  const auto first = endpoint.stream();
  const auto second = endpoint.stream();
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK_THAT(call_of(first).call_id, Catch::StartsWith("call_"));
  CHECK(call_of(first).call_id != call_of(second).call_id);
  const auto deltas = endpoint.deltas(4);
  REQUIRE(deltas.size() == 4);
  CHECK(std::get<tool_call_delta>(deltas[0]).call_id == call_of(first).call_id);
  CHECK(std::get<tool_call_delta>(deltas[2]).call_id == call_of(second).call_id);
}

TEST_CASE("a call of an answer that is not streamed gets an id too") {
  const std::string body = R"({"choices":[{"message":{"tool_calls":[{"function":{"name":"x"}}]}}]})";
  played_endpoint endpoint(answers_with(ok_answer(body), false));
  const auto answer = endpoint.call();
  REQUIRE(answer.has_value());
  CHECK_THAT(call_of(answer).call_id, Catch::StartsWith("call_"));
}

TEST_CASE("an endpoint is held back while its listener is behind, by bytes and not by events") {
  // Events of this size are larger than the reads that they come in.
  constexpr auto event_bytes = std::size_t{40} << 10;
  constexpr auto events = std::size_t{16};
  std::promise<void> written;
  played_endpoint endpoint([&written](peer& client) {
    const auto request = client.read_request();
    if (request && request->find("\"stream\":true") != std::string::npos) {
      client.write(stream_head);
      for (std::size_t i = 0; i < events; ++i)
        client.write(chunk(grown(R"({"content":")" + std::string(event_bytes, 'x') + "\"}")));
      written.set_value();
      client.write(chunk(event("[DONE]")) + last_chunk);
      return;
    }
    for (auto next = request; next; next = client.read_request())
      client.write(ok_answer(R"({"choices":[{"message":{"content":"meanwhile"}}]})"));
  });
  auto answer = std::async(std::launch::async, [&] { return endpoint.stream(false); });
  REQUIRE(endpoint.told->becomes([](const listener_log& log) { return log.bytes > 64u << 10; }));
  await(written);
  // Each of these leaves time to read some more of the stream.
  for (int i = 0; i < 100; ++i)
    REQUIRE(endpoint.call().has_value());
  CHECK(endpoint.told->get().bytes < 256u << 10);
  endpoint.deal();
  REQUIRE(await(answer).has_value());
  CHECK(endpoint.deltas(events).size() == events);
}
