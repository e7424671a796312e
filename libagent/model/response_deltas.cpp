#include "libagent/model/response_deltas.hpp"

#include <algorithm>

namespace troupe {

namespace {

class delta_writer {
public:
  void operator()(const assistant_message& said) {
    // ASCII only, so that no character is cut in two.
    constexpr std::string_view spaces = " \t\r\n\f\v";
    auto rest = std::string_view{said.text};
    while (!rest.empty()) {
      const auto word = std::min(rest.find_first_not_of(spaces), rest.size());
      const auto space = rest.find_first_of(spaces, word);
      const auto end = std::min(rest.find_first_not_of(spaces, space), rest.size());
      deltas_.emplace_back(text_delta{std::string{rest.substr(0, end)}});
      rest.remove_prefix(end);
    }
  }

  void operator()(const reasoning& thought) {
    if (!thought.text.empty())
      deltas_.emplace_back(reasoning_delta{thought.text});
  }

  void operator()(const tool_call& made) {
    deltas_.emplace_back(tool_call_delta{calls_, made.call_id, made.name});
    if (!made.arguments.empty())
      deltas_.emplace_back(arguments_delta{calls_, made.arguments});
    ++calls_;
  }

  // No model answers with these.
  void operator()(const user_message&) {}
  void operator()(const tool_output&) {}

  model_deltas finish() && { return std::move(deltas_); }

private:
  model_deltas deltas_;
  std::size_t calls_ = 0;
};

} // namespace

model_deltas to_deltas(const model_response& response) {
  auto writer = delta_writer{};
  for (const auto& entry : response.output)
    std::visit(writer, entry);
  return std::move(writer).finish();
}

} // namespace troupe
