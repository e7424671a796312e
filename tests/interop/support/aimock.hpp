#pragma once

#include "actors/runtime.hpp"
#include "tests/support/stdio_child.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::test {

/// The API key that `model` sends; to look for where it must not be.
inline constexpr auto model_key = "sk-test-0123456789abcdef";

using wire_format = config::endpoint_options::wire_format;

/// "chat_completions", "responses" or "anthropic".
std::string_view to_string(wire_format format);

/// Where a model is asked, and how.
struct endpoint_place {
  wire_format format = wire_format::chat_completions;
  /// In front of the usual path, e.g. "/cut/Once".
  std::string prefix{};
  /// Keeps its counts and its part of the journal apart from others'; empty: shared by all that have none.
  std::string test_id{};
};

/// A model's endpoint by @copilotkit/aimock, in a process of its own that ends with this object.
class aimock {
public:
  /// Files of fixtures/, without ".json". The seed is for its chaos.
  explicit aimock(const std::vector<std::string>& fixtures, std::optional<unsigned> seed = {});
  /// The same behind broken_stream_server.mjs.
  static aimock with_broken_streams(const std::vector<std::string>& fixtures);
  /// For that: the stream of the request with that test id breaks now. Throws if none waits for it.
  void break_stream(const std::string& test_id) const;

  std::string port() const { return port_; }
  /// The model "default" at this endpoint; its retries come quickly.
  config::model_options model(const endpoint_place& place = {}) const;
  /// Requests of models so far: `[{"headers", "body", "response": {"status"}}, ...]`.
  /// The query narrows it down, as aimock's control API has it: "testId=a", "status=500&limit=1".
  json journal(const std::string& query = {}) const;
  /// Statuses of their answers; 0 where there was none.
  std::vector<int> statuses(const std::string& test_id = {}) const;
  /// TCP connections to it that are open, or were closed in the last minute.
  std::size_t connections() const;
  /// Those that this side has not closed.
  std::size_t open_connections() const;

private:
  /// The answer to a GET, if its status is 2xx.
  std::string get(const std::string& target) const;
  std::size_t connections(const std::function<bool(std::string_view state)>& wanted) const;
  aimock(const std::string& program, const std::vector<std::string>& fixtures, std::optional<unsigned> seed);

  testing::stdio_child process_;
  std::string port_;
};

/// The tools of the fixtures, given in code: `get-sum` of a and b, `echo` of a message.
void add_tools(runtime_options& options, const std::string& agent);

/// An agent "helper" with these tools and that model, which is "default".
runtime_options one_agent(config::model_options model);

template <class T>
std::vector<T> all_of(const item_list& items) {
  std::vector<T> found;
  for (const auto& each : items)
    if (const auto* one = std::get_if<T>(&each))
      found.push_back(*one);
  return found;
}

} // namespace troupe::test
