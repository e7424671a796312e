#include "tests/interop/support/aimock.hpp"

#include "actors/io/http_client.hpp"
#include "actors/io/reactor.hpp"
#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace troupe::test {

namespace {

std::vector<std::string> arguments(const std::vector<std::string>& fixtures) {
  std::vector<std::string> words = {node_program(), interop_file("aimock_server.mjs")};
  for (const auto& name : fixtures)
    words.push_back(interop_file("fixtures/" + name + ".json"));
  return words;
}

} // namespace

// env(1) finds a program on the PATH.
aimock::aimock(const std::vector<std::string>& fixtures) : process_("/usr/bin/env", arguments(fixtures)) {
  const auto line = process_.read_line();
  const std::string beginning = "listening on ";
  if (!line || !line->starts_with(beginning))
    throw std::runtime_error("aimock does not start");
  port_ = line->substr(beginning.size());
}

config::model_options aimock::model() const {
  config::openai_options options;
  options.base_url = "http://127.0.0.1:" + port_ + "/v1";
  options.api_key = secret(model_key);
  options.wire.model = "test-model";
  options.retry.initial_delay = std::chrono::milliseconds(10);
  return {"default", options};
}

json aimock::journal() const {
  io::reactor reactor;
  io::http_client_options options;
  options.base_url = "http://127.0.0.1:" + port_;
  const auto client = io::http_client::make(reactor, options).value();
  std::promise<std::string> answer;
  auto body = answer.get_future();
  io::http_request request;
  request.method = "GET";
  request.target = "/__aimock/journal";
  client->send(request, [&](std::optional<io::http_response> response, io::http_failure failure) {
    answer.set_value(response ? response->body : "no journal: " + failure.reason.detail);
  });
  return parse_json(await(std::move(body))).value();
}

std::vector<int> aimock::statuses() const {
  std::vector<int> all;
  for (const auto& entry : journal())
    all.push_back(entry.at("response").at("status").get<int>());
  return all;
}

std::size_t aimock::connections() const {
  // One line for each socket: number, local address, remote address, state, ...
  std::ifstream sockets("/proc/net/tcp");
  const auto remote = fmt::format("0100007F:{:04X}", std::stoi(port_));
  std::size_t count = 0;
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream words(line);
    std::string number, local, peer;
    words >> number >> local >> peer;
    count += peer == remote ? 1 : 0;
  }
  return count;
}

} // namespace troupe::test
