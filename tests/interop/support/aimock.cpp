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

std::vector<std::string> arguments(const std::string& program, const std::vector<std::string>& fixtures,
                                   std::optional<unsigned> seed) {
  std::vector<std::string> words = {node_program(), interop_file(program)};
  if (seed)
    words.push_back(fmt::format("--seed={}", *seed));
  for (const auto& name : fixtures)
    words.push_back(interop_file("fixtures/" + name + ".json"));
  return words;
}

} // namespace

std::string_view to_string(wire_format format) {
  switch (format) {
  case wire_format::responses:
    return "responses";
  case wire_format::anthropic:
    return "anthropic";
  case wire_format::chat_completions:
    break;
  }
  return "chat_completions";
}

// env(1) finds a program on the PATH.
aimock::aimock(const std::string& program, const std::vector<std::string>& fixtures,
               std::optional<unsigned> seed)
    : process_("/usr/bin/env", arguments(program, fixtures, seed)) {
  const auto line = process_.read_line();
  const std::string beginning = "listening on ";
  if (!line || !line->starts_with(beginning))
    throw std::runtime_error(program + " does not start");
  port_ = line->substr(beginning.size());
}

aimock::aimock(const std::vector<std::string>& fixtures, std::optional<unsigned> seed)
    : aimock("aimock_server.mjs", fixtures, seed) {}

aimock aimock::with_broken_streams(const std::vector<std::string>& fixtures) {
  return {"broken_stream_server.mjs", fixtures, {}};
}

config::model_options aimock::model(const endpoint_place& place) const {
  config::endpoint_options options;
  options.format = place.format;
  // Anthropic's paths have the version themselves.
  options.base_url = fmt::format("http://127.0.0.1:{}{}{}", port_, place.prefix,
                                 place.format == wire_format::anthropic ? "" : "/v1");
  options.api_key = secret(model_key);
  if (!place.test_id.empty())
    options.headers.emplace_back("X-Test-Id", secret(place.test_id));
  options.wire.model = "test-model";
  options.retry.initial_delay = std::chrono::milliseconds(10);
  return {"default", options};
}

std::string aimock::get(const std::string& target) const {
  io::reactor reactor;
  io::http_client_options options;
  options.base_url = "http://127.0.0.1:" + port_;
  const auto client = io::http_client::make(reactor, options).value();
  std::promise<std::string> answer;
  auto body = answer.get_future();
  io::http_request request;
  request.method = "GET";
  request.target = target;
  client->send(request, [&](std::optional<io::http_response> response, const io::http_failure& failure) {
    if (response && response->status / 100 == 2)
      return answer.set_value(response->body);
    const auto why = response ? fmt::format("{}", response->status) : failure.reason.detail;
    answer.set_exception(std::make_exception_ptr(std::runtime_error(target + ": " + why)));
  });
  return await(std::move(body));
}

void aimock::break_stream(const std::string& test_id) const {
  get("/break/" + test_id);
}

json aimock::journal(const std::string& query) const {
  return parse_json(get("/__aimock/journal" + (query.empty() ? "" : "?" + query))).value();
}

std::vector<int> aimock::statuses(const std::string& test_id) const {
  std::vector<int> all;
  for (const auto& entry : journal(test_id.empty() ? "" : "testId=" + test_id))
    all.push_back(entry.at("response").at("status").get<int>());
  return all;
}

std::size_t aimock::connections() const {
  return connections([](std::string_view) { return true; });
}

std::size_t aimock::open_connections() const {
  // ESTABLISHED and CLOSE_WAIT.
  return connections([](std::string_view state) { return state == "01" || state == "08"; });
}

std::size_t aimock::connections(const std::function<bool(std::string_view state)>& wanted) const {
  // One line for each socket: number, local address, remote address, state, ...
  std::ifstream sockets("/proc/net/tcp");
  const auto remote = fmt::format("0100007F:{:04X}", std::stoi(port_));
  std::size_t count = 0;
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream words(line);
    std::string number, local, peer, state;
    words >> number >> local >> peer >> state;
    count += peer == remote && wanted(state) ? 1 : 0;
  }
  return count;
}

void add_tools(runtime_options& options, const std::string& agent) {
  options.tools.emplace_back(agent, function_tool(
                                        "get-sum", "Adds two numbers", [](int a, int b) { return a + b; },
                                        parameter{"a", ""}, parameter{"b", ""}));
  options.tools.emplace_back(agent,
                             function_tool(
                                 "echo", "Says it again", [](const std::string& message) { return message; },
                                 parameter{"message", ""}));
}

runtime_options one_agent(config::model_options model) {
  runtime_options options;
  agent_definition helper;
  helper.name = "helper";
  helper.instructions = "You help.";
  options.config.agents = {helper};
  options.config.models = {std::move(model)};
  add_tools(options, "helper");
  return options;
}

} // namespace troupe::test
