#include "actors/http/token_keys.hpp"

#include "actors/io/reactor.hpp"
#include "tests/actors/io/await.hpp"
#include "tests/actors/io/tcp_server.hpp"
#include "tests/libagent/auth/token_maker.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>

using namespace troupe;
using namespace troupe::http;
using namespace troupe::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

using clock = token_keys::clock;

/// A server of keys, and what fetches from it, used on the reactor's thread.
struct fetching {
  explicit fetching(std::string first) : answer(std::move(first)) {}
  ~fetching() {
    on_reactor([this] { keys.reset(); });
  }

  template <class F>
  std::invoke_result_t<F> on_reactor(F function) {
    std::packaged_task<std::invoke_result_t<F>()> task(std::move(function));
    auto done = task.get_future();
    boost::asio::post(reactor.context(), [&task] { task(); });
    return test::await(done);
  }
  void serve(test::peer& client) {
    while (client.read_request()) {
      asked.change([](int& count) { ++count; });
      const std::lock_guard guard(lock);
      client.write(answer);
    }
  }
  void answer_with(std::string next) {
    const std::lock_guard guard(lock);
    answer = std::move(next);
  }
  result<void> open(clock::time_point now) {
    return on_reactor([this, now] {
      config::jwt_options options;
      options.jwks = server.url() + "/keys?v=1";
      keys.emplace(reactor, options, [this] { fetched.change([](int& count) { ++count; }); });
      return keys->open(now);
    });
  }
  /// Waits for that many fetches; the keys that are there then.
  std::size_t keys_after(int fetches) {
    CHECK(fetched.becomes([fetches](int count) { return count >= fetches; }));
    return on_reactor(
        [this] { return keys->current() == nullptr ? std::size_t(0) : keys->current()->size(); });
  }
  bool ask(clock::time_point now) {
    return on_reactor([this, now] { return keys->fetch_for_stranger(now); });
  }

  std::mutex lock;
  std::string answer;
  test::watched<int> asked;
  test::watched<int> fetched;
  io::reactor reactor;
  test::tcp_server server{[this](test::peer& client) { serve(client); }};
  std::optional<token_keys> keys;
};

std::string keys_of(int count) {
  auto list = json::array();
  for (int i = 0; i < count; ++i)
    list.push_back(signer::ec().jwk(std::to_string(i)));
  return json{{"keys", list}}.dump();
}

const std::string down = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

} // namespace

TEST_CASE("keys are fetched at once, and again for strangers once in a minute") {
  fetching it(test::ok_answer(keys_of(1)));
  const auto start = clock::now();
  REQUIRE(it.open(start).has_value());
  CHECK(it.keys_after(1) == 1);
  it.answer_with(test::ok_answer(keys_of(2)));
  CHECK_FALSE(it.ask(start + 59s));
  CHECK(it.ask(start + 60s));
  CHECK(it.keys_after(2) == 2);
  CHECK_FALSE(it.ask(start + 119s));
  CHECK(it.asked.get() == 2);
}

TEST_CASE("who comes while keys are being fetched waits for those") {
  fetching it(test::ok_answer(keys_of(1)));
  const auto start = clock::now();
  it.lock.lock();
  REQUIRE(it.open(start).has_value());
  CHECK(it.asked.becomes([](int count) { return count == 1; }));
  CHECK(it.ask(start + 10min));
  CHECK(it.asked.get() == 1);
  it.lock.unlock();
  CHECK(it.keys_after(1) == 1);
}

TEST_CASE("keys stay in use while newer ones cannot be had") {
  fetching it(test::ok_answer(keys_of(1)));
  const auto start = clock::now();
  REQUIRE(it.open(start).has_value());
  CHECK(it.keys_after(1) == 1);
  int fetches = 1;
  for (const auto& bad : {down, test::ok_answer("no keys"), test::ok_answer(R"({"keys":[]})"),
                          test::ok_answer(std::string(300'000, ' ')), std::string("nonsense\r\n\r\n"),
                          "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"s}) {
    CAPTURE(bad.substr(0, 40));
    it.answer_with(bad);
    CHECK(it.ask(start + fetches * 60s));
    CHECK(it.keys_after(++fetches) == 1);
  }
}

TEST_CASE("without any keys they are asked for again soon") {
  fetching it(down);
  const auto start = clock::now();
  REQUIRE(it.open(start).has_value());
  CHECK(it.keys_after(1) == 0);
  CHECK_FALSE(it.ask(start + 4s));
  it.answer_with(test::ok_answer(keys_of(3)));
  CHECK(it.ask(start + 5s));
  CHECK(it.keys_after(2) == 3);
}

TEST_CASE("keys that have become old are fetched without anybody asking") {
  fetching it(test::ok_answer(keys_of(1)));
  const auto start = clock::now();
  REQUIRE(it.open(start).has_value());
  CHECK(it.keys_after(1) == 1);
  it.answer_with(test::ok_answer(keys_of(2)));
  it.on_reactor([&] { it.keys->keep_fresh(start + 59min); });
  it.on_reactor([&] { it.keys->keep_fresh(start + 61min); });
  CHECK(it.keys_after(2) == 2);
  CHECK(it.asked.get() == 2);
}

TEST_CASE("keys may go down while they are being fetched") {
  fetching it(test::ok_answer(keys_of(1)));
  it.lock.lock();
  REQUIRE(it.open(clock::now()).has_value());
  CHECK(it.asked.becomes([](int count) { return count == 1; }));
  it.on_reactor([&] { it.keys.reset(); });
  it.lock.unlock();
  CHECK(it.fetched.get() == 0);
}

TEST_CASE("keys of a file are read once, and what is wrong with it is told") {
  auto pattern = (std::filesystem::temp_directory_path() / "troupe-keys-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  io::reactor reactor;
  const auto open = [&](const std::string& name) {
    config::jwt_options options;
    options.jwks = folder / name;
    token_keys keys(reactor, options, [] {});
    const auto opened = keys.open(clock::now());
    CHECK_FALSE(keys.fetch_for_stranger(clock::now() + 1h));
    return opened ? "has " + std::to_string(keys.current()->size()) : opened.error().detail;
  };
  std::ofstream(folder / "good.json") << keys_of(2);
  std::ofstream(folder / "bad.json") << "{}";
  CHECK(open("good.json") == "has 2");
  const auto path = folder.string();
  CHECK(open("bad.json") == "cannot use the keys of tokens in " + path +
                                "/bad.json: it is no JWK Set, which is an object with an array 'keys'");
  CHECK(open("none.json") ==
        "cannot use the keys of tokens in " + path + "/none.json: No such file or directory");
  std::filesystem::remove_all(folder);
}
