#pragma once

#include "libagent/model/model.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

// What a model's answer grows by while it is streamed.

struct text_delta {
  std::string text;
  friend bool operator==(const text_delta&, const text_delta&) = default;
};
struct reasoning_delta {
  std::string text;
  friend bool operator==(const reasoning_delta&, const reasoning_delta&) = default;
};
/// A tool call begins: its name is known, its arguments follow.
struct tool_call_delta {
  /// Counts the answer's calls from 0, in the order of `model_response::output`.
  std::size_t index = 0;
  /// Empty if the endpoint gave none.
  std::string call_id;
  std::string name;
  friend bool operator==(const tool_call_delta&, const tool_call_delta&) = default;
};
struct arguments_delta {
  /// `tool_call_delta::index`.
  std::size_t index = 0;
  std::string text;
  friend bool operator==(const arguments_delta&, const arguments_delta&) = default;
};
using model_delta = std::variant<text_delta, reasoning_delta, tool_call_delta, arguments_delta>;
using model_deltas = std::vector<model_delta>;

/// Reads one streamed answer as its bytes come in. Never throws. Not thread-safe.
class stream_decoder {
public:
  virtual ~stream_decoder() = default;

  /// Takes the next bytes of the body, cut anywhere. Returns what they add, which may be nothing. Error
  /// `model_failed` for what is not the format, and for an error that the endpoint reports in mid-stream;
  /// nothing is to be fed after an error.
  virtual result<model_deltas> feed(std::string_view bytes) = 0;

  /// Whether the format's own end has come ("[DONE]", `message_stop`, `response.completed`): whatever follows
  /// adds nothing, and how the body ends does not matter.
  virtual bool is_complete() const noexcept = 0;

  /// The whole answer, once it is complete or the body has ended: the same as the answer would have been
  /// without streaming. Error `model_stream_cut` if the format's own end has not come, `model_failed` as for
  /// an answer that is not streamed.
  virtual result<model_response> finish() = 0;
};

} // namespace troupe
