#pragma once

#include "libagent/core/json.hpp"
#include "libagent/model/codec_answer.hpp"
#include "libagent/model/stream.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::chat_completions {

/// Tells when a JSON object that comes in pieces has ended, without parsing it.
class object_end {
public:
  void feed(std::string_view text) noexcept;
  bool reached() const noexcept { return reached_; }

private:
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool reached_ = false;
};

/// Gathers an answer's tool calls, whole ones or from a stream's deltas.
class call_builder {
public:
  /// An entry of a message's `tool_calls`, or `{"function":...}`.
  result<void> add_whole(const json& entry);
  /// An entry of a delta's `tool_calls`. What may be passed on of the calls goes to `out`.
  result<void> add_delta(const json& entry, model_deltas& out);
  /// Announces the calls whose arguments have not come; to be called once none can come any more.
  void announce_all(model_deltas& out);

  bool empty() const noexcept { return calls_.empty(); }
  /// Appends the calls in the order in which they began.
  result<void> take(item_list& output) &&;

private:
  struct gathered {
    std::string id;
    std::string name;
    std::string arguments;
    object_end end{};
    bool announced = false;
  };
  struct delta {
    const std::string* id = nullptr;
    const std::string* name = nullptr;
    std::string arguments{};
  };

  static result<delta> read(const json& entry);
  std::size_t find_or_begin(const json& entry, const delta& given, model_deltas& out);
  static bool begins_next(const gathered& last, const delta& given, bool indexed);
  void announce(std::size_t place, model_deltas& out);

  std::vector<gathered> calls_;
  /// By the endpoint's `index`.
  std::unordered_map<std::uint64_t, std::size_t> places_;
};

/// Gathers one answer, from a whole message or from a stream's deltas; both give the same items.
class answer_builder {
public:
  result<void> add_message(const json& message);
  /// What the delta adds for readers goes to `out`.
  result<void> add_delta(const json& delta, model_deltas& out);
  /// Reads `usage` if it is there; a later one takes the place of an earlier one.
  void add_usage(const json& answer);
  /// Reads `finish_reason` if it is there.
  void add_finish_reason(const json& choice);

  bool has_finish_reason() const noexcept { return !finish_reason_.empty(); }
  void announce_calls(model_deltas& out) { calls_.announce_all(out); }

  result<model_response> finish() &&;

private:
  result<void> add_texts(const json& message, model_deltas* out);

  std::string text_;
  std::string refusal_;
  std::string thoughts_;
  /// The field in which the endpoint gives its thoughts.
  std::string_view thoughts_field_;
  call_builder calls_;
  /// The calls come in the older form of one `function_call`.
  bool legacy_ = false;
  std::string finish_reason_;
  usage used_{1};
};

} // namespace troupe::chat_completions
