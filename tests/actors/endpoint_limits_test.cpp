#include "actors/endpoint_model.hpp"
#include "actors/fallback_model.hpp"
#include "actors/io/http_client.hpp"
#include "tests/actors/io/await.hpp"
#include "tests/actors/io/tcp_server.hpp"
#include "tests/actors/support/stage.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

const std::string good = ok_answer(
    R"({"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":20}})");
const std::string broken = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
const std::string bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/// An endpoint that answers what the test says, or nothing as long as it is held.
class played {
public:
  tcp_server server{[this](peer& client) {
    while (client.read_request()) {
      ++requests;
      if (!held.becomes([](bool is_held) { return !is_held; }) || !client.write(answer.get()))
        return;
    }
  }};
  watched<std::string> answer;
  watched<bool> held;
  std::atomic<int> requests = 0;
};

using answer_ptr = std::shared_ptr<answer<model_response>>;

/// A model's actor in virtual time; its sockets are served between the messages.
class limited_endpoint {
public:
  explicit limited_endpoint(const std::function<void(config::endpoint_options&)>& change) {
    says(good);
    config::endpoint_options options;
    options.base_url = endpoint.server.url();
    options.retry.max_retries = 0;
    options.retry.initial_delay = 1s;
    change(options);
    auto client =
        std::make_shared<std::unique_ptr<io::http_client>>(make_model_client(*reactor_, options).value());
    model = stage_.system().spawn(endpoint_model, "m", options, nothing_to_hide(), client);
  }
  ~limited_endpoint() {
    endpoint.held.change([](bool& held) { held = false; });
    caf::anon_send_exit(model, caf::exit_reason::user_shutdown);
    stage_.run();
    serve([] { return true; });
  }

  void says(const std::string& bytes) {
    endpoint.answer.change([&](std::string& answer) { answer = bytes; });
  }
  void hold(bool is_held = true) {
    endpoint.held.change([&](bool& held) { held = is_held; });
  }

  answer_ptr begin(const std::string& prompt = "q") { return begin(prompt, model_actor(model)); }
  answer_ptr begin(const std::string& prompt, const model_actor& whom) {
    auto request = std::make_shared<model_request>();
    request->fresh = {user_message{prompt}};
    auto asked = stage_.ask<model_response>(whom, model_call{++last_key, std::move(request), {}});
    stage_.run();
    return asked;
  }
  /// A call to its end, without time passing.
  answer_ptr call() {
    auto asked = begin();
    serve([&] { return asked->came(); });
    return asked;
  }
  /// Serves sockets and actors until that is so.
  bool serve(const std::function<bool()>& is_done) {
    const auto until = std::chrono::steady_clock::now() + patience;
    do {
      context_.restart();
      context_.run_one_for(5ms);
      stage_.run();
    } while (!is_done() && std::chrono::steady_clock::now() < until);
    return is_done();
  }
  void advance(std::chrono::milliseconds time) { stage_.advance(time); }
  void cancel(call_key key) {
    caf::anon_send(model, cancel_atom::value, key);
    stage_.run();
  }
  actor_status status() {
    const auto told = stage_.ask<actor_status>(model, status_atom::value);
    stage_.run();
    return told->value.value();
  }
  caf::actor_system& system() { return stage_.system(); }
  void run() { stage_.run(); }

  played endpoint;
  wire_model_actor model;
  call_key last_key = 0;

private:
  boost::asio::io_context context_;
  std::unique_ptr<io::reactor> reactor_ = std::make_unique<io::reactor>(context_);
  stage stage_;
};

void keep_defaults(config::endpoint_options&) {}

} // namespace

TEST_CASE("after five failures in a row a model is not asked, until one call finds it well again") {
  limited_endpoint e(keep_defaults);
  e.says(broken);
  for (int i = 0; i < 5; ++i)
    CHECK(e.call()->code() == errc::model_failed);
  const auto refused = e.begin();
  // At once: nothing was sent, no time has passed.
  REQUIRE(refused->code() == errc::model_unavailable);
  CHECK(refused->failure->facts->at("retry_after_ms") <= 5000);
  CHECK(refused->failure->facts->at("retry_after_ms") >= 3750);
  CHECK(e.endpoint.requests == 5);
  CHECK(e.status().breaker->state == breaker_state::open);

  e.advance(5s);
  e.says(good);
  e.hold();
  const auto probe = e.begin();
  const auto other = e.begin();
  CHECK_FALSE(probe->came());
  REQUIRE(other->code() == errc::model_unavailable);
  CHECK(other->failure->facts->at("retry_after_ms") == 1000);
  CHECK(e.status().breaker->state == breaker_state::half_open);
  e.hold(false);
  REQUIRE(e.serve([&] { return probe->came(); }));
  CHECK(probe->value);
  CHECK(e.status().breaker->state == breaker_state::closed);
  CHECK(e.call()->value);
  CHECK(e.endpoint.requests == 7);
}

TEST_CASE("bad requests and cancelled calls do not open the breaker") {
  limited_endpoint e(keep_defaults);
  e.says(bad_request);
  for (int i = 0; i < 6; ++i)
    CHECK(e.call()->code() == errc::model_failed);
  e.hold();
  for (int i = 0; i < 6; ++i) {
    const auto call = e.begin();
    e.cancel(e.last_key);
    CHECK(call->code() == errc::cancelled);
  }
  CHECK(e.status().breaker->state == breaker_state::closed);
}

TEST_CASE("fallbacks are asked at once while a breaker is open") {
  limited_endpoint e(keep_defaults);
  const model_actor other = e.system().spawn([](model_actor::pointer) -> model_actor::behavior_type {
    return {[](const model_call&) {
              model_response response;
              response.finish_reason = "other";
              return response;
            },
            [](cancel_atom, call_key) {}};
  });
  const model_actor both =
      e.system().spawn(fallback_model, named_models{{"m", model_actor(e.model)}, {"other", other}});
  e.says(broken);
  for (int i = 0; i < 5; ++i)
    e.call();
  const auto answered = e.begin("q", both);
  REQUIRE(answered->value);
  CHECK(answered->value->finish_reason == "other");
  CHECK(e.endpoint.requests == 5);
  for (const auto& each : {both, other})
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  e.run();
}

TEST_CASE("calls beyond the bound wait their turn; a full queue refuses, and a cancelled call leaves it") {
  limited_endpoint e([](auto& options) {
    options.max_concurrency = 1;
    options.max_queue = 2;
  });
  e.hold();
  const auto first = e.begin();
  const auto second = e.begin();
  const auto third = e.begin();
  CHECK(e.begin()->code() == errc::overloaded);
  auto status = e.status();
  CHECK(status.in_flight == 1);
  CHECK(status.waiting == 2);
  e.cancel(2);
  CHECK(second->code() == errc::cancelled);
  CHECK(e.status().waiting == 1);
  e.hold(false);
  REQUIRE(e.serve([&] { return third->came(); }));
  CHECK(first->value);
  CHECK(third->value);
  CHECK(e.endpoint.requests == 2);
  status = e.status();
  CHECK(status.in_flight == 0);
  CHECK(status.waiting == 0);
}

TEST_CASE("calls that wait when the breaker opens are told at once") {
  limited_endpoint e([](auto& options) {
    options.max_concurrency = 1;
    options.breaker.failures = 1;
  });
  e.says(broken);
  e.hold();
  const auto first = e.begin();
  const auto waiting = e.begin();
  e.hold(false);
  REQUIRE(e.serve([&] { return first->came(); }));
  CHECK(waiting->code() == errc::model_unavailable);
  CHECK(e.status().last_error == first->failure->detail);
}

TEST_CASE("requests beyond the rate wait until there is room") {
  limited_endpoint e([](auto& options) { options.requests_per_minute = 2; });
  CHECK(e.call()->value);
  CHECK(e.call()->value);
  const auto third = e.begin();
  CHECK(e.status().waiting == 1);
  e.advance(29s);
  CHECK(e.status().waiting == 1);
  e.advance(1s);
  CHECK(e.status().waiting == 0);
  CHECK(e.serve([&] { return third->came(); }));
  CHECK(third->value);
}

TEST_CASE("tokens are estimated before a call and corrected after it") {
  limited_endpoint e([](auto& options) { options.tokens_per_minute = 60; });
  // 160 characters are some 40 tokens; the answer tells of 30.
  const auto first = e.begin(std::string(160, 'x'));
  REQUIRE(e.serve([&] { return first->came(); }));
  CHECK(first->value);
  const auto second = e.begin(std::string(80, 'x'));
  CHECK(e.status().waiting == 0);
  REQUIRE(e.serve([&] { return second->came(); }));
  const auto third = e.begin(std::string(80, 'x'));
  CHECK(e.status().waiting == 1);
  e.advance(60s);
  CHECK(e.serve([&] { return third->came(); }));
}

TEST_CASE("only so many calls try again at once; another one fails with its last error") {
  limited_endpoint e([](auto& options) {
    options.retry.max_retries = 1;
    options.max_retries_in_flight = 1;
    options.breaker.failures = 100;
  });
  e.says(broken);
  const auto first = e.begin();
  const auto second = e.begin();
  // Whichever failed first tries again.
  REQUIRE(e.serve([&] { return first->came() || second->came(); }));
  CHECK(first->came() != second->came());
  const auto& refused = first->came() ? first : second;
  const auto& trying = first->came() ? second : first;
  CHECK(refused->code() == errc::model_failed);
  CHECK_THAT(refused->failure->detail, Catch::Contains("500"));
  e.says(good);
  e.advance(1s);
  REQUIRE(e.serve([&] { return trying->came(); }));
  CHECK(trying->value);
  CHECK(e.endpoint.requests == 3);
}
