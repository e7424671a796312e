#pragma once

#include "actors/io/http_client.hpp"
#include "actors/io/reactor.hpp"
#include "tests/actors/io/await.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace troupe::test {

struct http_outcome {
  std::optional<io::http_response> answer;
  io::http_failure failure;
};

/// A client on a reactor of its own.
struct http_fixture {
  io::reactor reactor;
  std::unique_ptr<io::http_client> client;

  void open(io::http_client_options options) {
    auto made = io::http_client::make(reactor, std::move(options));
    if (!made)
      throw std::runtime_error(made.error().detail);
    client = std::move(*made);
  }
  void open_at(std::string base_url) { open(io::http_client_options{.base_url = std::move(base_url)}); }

  std::future<http_outcome> post(std::string body = "", std::chrono::milliseconds timeout = patience) {
    return send({.target = "/x", .body = std::move(body), .timeout = timeout}).second;
  }
  std::pair<io::http_request_id, std::future<http_outcome>> send(io::http_request request) {
    auto outcome = std::make_shared<std::promise<http_outcome>>();
    auto future = outcome->get_future();
    // A second call would throw, and end the program: handlers are called once.
    auto id = client->send(std::move(request), [outcome](auto answer, auto failure) noexcept {
      outcome->set_value({std::move(answer), std::move(failure)});
    });
    return {id, std::move(future)};
  }
  http_outcome ask(std::string body = "", std::chrono::milliseconds timeout = patience) {
    auto future = post(std::move(body), timeout);
    return await(future);
  }
};

} // namespace troupe::test
