#include "actors/http/reception.hpp"

#include "actors/io/reactor.hpp"
#include "tests/actors/io/await.hpp"
#include "tests/actors/io/tcp_server.hpp"
#include "tests/libagent/auth/token_maker.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <ctime>
#include <future>
#include <memory>
#include <string>

using namespace troupe;
using namespace troupe::http;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// Shows a token.
struct shower : exchange {
  visitor from() const override {
    visitor shown{"GET", "/api/v1/agents"};
    shown.host = {"localhost", 1};
    shown.authorization = {token, 1};
    return shown;
  }
  request_view request() const override { return {"GET", "/api/v1/agents", {}, {}}; }
  bool keep_alive() const override { return true; }
  fault problem() const override { return fault::none; }
  void write(std::string, std::string, bool) override {}
  bool takes_chunks() const override { return true; }
  bool client_has_ended() const override { return false; }
  void when_closed(std::function<void()>) override {}
  void when_ended(std::function<void()>) override {}
  void write_part(std::vector<std::string>, std::function<void(bool)>) override {}
  void write_last(std::vector<std::string>, bool) override {}

  std::string token =
      "Bearer " +
      signer::ec().token(
          json{{"alg", "ES256"}, {"kid", "k"}},
          json{{"iss", "me"}, {"aud", "troupe"}, {"sub", "ada"}, {"exp", std::time(nullptr) + 600}});
};

/// A reception whose keys come from a server that has none, and fails when it is let.
struct without_keys {
  without_keys() {
    config::server_options options;
    options.auth.jwt = config::jwt_options{server.url(), "me", {"troupe"}};
    on_reactor([&] {
      made = std::make_unique<reception>(
          reactor, options,
          reception::handlers{[](const auto&, const auth::identity&) {},
                              [this](exchange&, const answer& refusal) {
                                status.change([&](unsigned& last) { last = refusal.status; });
                              }},
          [this] { return reception::clock::time_point(now.load()); });
      CHECK(made->open().has_value());
    });
  }
  ~without_keys() {
    on_reactor([this] { made.reset(); });
  }

  template <class F>
  void on_reactor(F function) {
    std::packaged_task<void()> task(std::move(function));
    auto done = task.get_future();
    boost::asio::post(reactor.context(), [&task] { task(); });
    test::await(done);
  }

  std::atomic<reception::clock::duration> now{1h};
  std::promise<void> may_fail;
  std::shared_future<void> allowed{may_fail.get_future()};
  test::watched<int> asked;
  test::watched<unsigned> status;
  io::reactor reactor;
  test::tcp_server server{[this](test::peer& client) {
    while (client.read_request()) {
      asked.change([](int& count) { ++count; });
      allowed.wait();
      client.write("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    }
  }};
  std::unique_ptr<reception> made;
};

} // namespace

TEST_CASE_METHOD(without_keys, "who has waited for keys that do not come does not wait for the next try") {
  CHECK(asked.becomes([](int count) { return count == 1; }));
  on_reactor([this] { made->receive(std::make_shared<shower>()); });
  // The try takes so long that the next one is due at its end.
  now = now.load() + 10s;
  may_fail.set_value();
  CHECK(status.becomes([](unsigned last) { return last == 503; }));
  CHECK(asked.get() == 1);
}
