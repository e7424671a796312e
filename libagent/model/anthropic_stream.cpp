#include "libagent/model/anthropic_stream.hpp"

#include "libagent/model/anthropic_answer.hpp"
#include "libagent/model/codec_answer.hpp"
#include "libagent/model/codec_http.hpp"
#include "libagent/model/codec_stream.hpp"

#include <algorithm>

namespace troupe::anthropic {

namespace {

/// A content block as far as it has come.
struct open_block {
  /// The API's number for it.
  std::uint64_t index = 0;
  json value;
  /// The pieces of a call's input.
  std::string input;
  /// Which of the answer's calls it is, if it is one.
  std::size_t call = 0;
};

bool has_type(const json& value, std::string_view type) {
  const auto* given = find_string(value, "type");
  return given && *given == type;
}

/// Appends the text `delta[key]` to the text `block[key]`. Returns what was added.
std::string append_text(json& block, const json& delta, const char* key) {
  const auto* piece = find_string(delta, key);
  if (!piece)
    return {};
  auto& text = block[key];
  if (!text.is_string())
    text = std::string{};
  text.get_ref<std::string&>() += *piece;
  return *piece;
}

class message_stream final : public event_stream_decoder {
public:
  bool is_complete() const noexcept override { return stopped_; }

private:
  result<void> take(const sse_event& given, model_deltas& deltas) override {
    // What proxies write after the end, "[DONE]" say, is no concern.
    if (stopped_)
      return {};
    const auto event = parse_json(given.data);
    if (!event)
      return bad_answer("has an event that cannot be read: " + event.error().detail);
    const auto* type = find_string(*event, "type");
    if (!type)
      return bad_answer("has an event without a type");
    if (*type == "error")
      return bad_answer("is an error: " + endpoint_error_text(given.data));
    if (*type == "message_start")
      return start_message(*event);
    const auto is_known = *type == "content_block_start" || *type == "content_block_delta" ||
                          *type == "content_block_stop" || *type == "message_delta" ||
                          *type == "message_stop";
    if (!is_known)
      return {};
    if (message_.is_null())
      return bad_answer("has the event " + *type + " before message_start");
    if (*type == "message_delta")
      return take_message_delta(*event);
    if (*type == "message_stop") {
      stopped_ = true;
      return {};
    }
    return take_block_event(*type, *event, deltas);
  }

  result<model_response> end() override {
    if (!stopped_)
      return stream_cut();
    auto content = json::array();
    for (auto& block : blocks_)
      content.push_back(whole(std::move(block)));
    message_["content"] = std::move(content);
    return read_message(message_);
  }

  result<void> start_message(const json& event) {
    const auto* message = find(event, "message");
    if (!message || !message->is_object())
      return bad_answer("begins without a message");
    if (!message_.is_null())
      return bad_answer("begins twice");
    message_ = *message;
    return {};
  }

  result<void> take_block_event(const std::string& type, const json& event, model_deltas& deltas) {
    const auto* index = find(event, "index");
    if (!index || !index->is_number_unsigned())
      return bad_answer("has the event " + type + " without a block's index");
    const auto number = index->get<std::uint64_t>();
    // Nearly always the last.
    const auto known = std::find_if(blocks_.rbegin(), blocks_.rend(),
                                    [&](const open_block& block) { return block.index == number; });
    if (type == "content_block_start")
      return known == blocks_.rend() ? start_block(number, event, deltas)
                                     : result<void>{bad_answer("has two content blocks with one index")};
    if (known == blocks_.rend())
      return bad_answer("has the event " + type + " of a content block that has not begun");
    if (type == "content_block_stop")
      stop_block(*known, deltas);
    else if (const auto* delta = find(event, "delta"))
      grow_block(*known, *delta, deltas);
    return {};
  }

  result<void> start_block(std::uint64_t index, const json& event, model_deltas& deltas) {
    const auto* value = find(event, "content_block");
    if (!value || !value->is_object())
      return bad_answer("has a content_block_start without its block");
    auto& block = blocks_.emplace_back(open_block{index, *value, {}, calls_});
    if (has_type(*value, "tool_use")) {
      ++calls_;
      const auto* id = find_string(*value, "id");
      const auto* name = find_string(*value, "name");
      deltas.emplace_back(tool_call_delta{block.call, id ? *id : std::string(), name ? *name : ""});
    } else if (const auto* text = find_string(*value, "text"); text && has_type(*value, "text")) {
      add_text(*text, deltas);
    } else if (const auto* thought = find_string(*value, "thinking");
               thought && has_type(*value, "thinking")) {
      add_thought(*thought, deltas);
    }
    return {};
  }

  void grow_block(open_block& block, const json& delta, model_deltas& deltas) {
    if (has_type(delta, "text_delta") && has_type(block.value, "text")) {
      add_text(append_text(block.value, delta, "text"), deltas);
    } else if (has_type(delta, "thinking_delta") && has_type(block.value, "thinking")) {
      add_thought(append_text(block.value, delta, "thinking"), deltas);
    } else if (has_type(delta, "signature_delta") && has_type(block.value, "thinking")) {
      append_text(block.value, delta, "signature");
    } else if (has_type(delta, "input_json_delta") && has_type(block.value, "tool_use")) {
      const auto* piece = find_string(delta, "partial_json");
      if (!piece || piece->empty())
        return;
      block.input += *piece;
      deltas.emplace_back(arguments_delta{block.call, *piece});
    }
  }

  /// A call whose input came with its beginning, or has none, still gets its arguments told.
  void stop_block(const open_block& block, model_deltas& deltas) {
    if (has_type(block.value, "tool_use") && block.input.empty())
      deltas.emplace_back(
          arguments_delta{block.call, whole_arguments(read_arguments(find_value(block.value, "input")))});
  }

  static void add_text(std::string text, model_deltas& deltas) {
    if (!text.empty())
      deltas.emplace_back(text_delta{std::move(text)});
  }

  static void add_thought(std::string text, model_deltas& deltas) {
    if (!text.empty())
      deltas.emplace_back(reasoning_delta{std::move(text)});
  }

  /// `stop_reason` comes here only, and the counts of `usage` are totals that replace the earlier ones.
  result<void> take_message_delta(const json& event) {
    const auto* delta = find(event, "delta");
    if (const auto* reason = delta ? find_string(*delta, "stop_reason") : nullptr)
      message_["stop_reason"] = *reason;
    const auto* counts = find(event, "usage");
    if (!counts || !counts->is_object())
      return {};
    auto& sum = message_["usage"];
    if (!sum.is_object())
      sum = json::object();
    for (const auto& [key, value] : counts->items())
      if (!value.is_null())
        sum[key] = value;
    return {};
  }

  /// The block as it would have come in one piece. Input that a limit cut off stays the text that it is.
  static json whole(open_block block) {
    if (!has_type(block.value, "tool_use") || block.input.empty())
      return std::move(block.value);
    auto input = parse_json(block.input);
    block.value["input"] = input ? std::move(*input) : json(std::move(block.input));
    return std::move(block.value);
  }

  /// The message without its content; null before its start.
  json message_;
  /// In the order of their beginning, which is the content's.
  std::vector<open_block> blocks_;
  std::size_t calls_ = 0;
  bool stopped_ = false;
};

} // namespace

std::unique_ptr<stream_decoder> make_message_stream() {
  return std::make_unique<message_stream>();
}

} // namespace troupe::anthropic
