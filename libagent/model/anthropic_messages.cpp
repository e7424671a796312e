#include "libagent/model/anthropic_messages.hpp"

#include "libagent/model/codec_history.hpp"
#include "libagent/model/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace troupe::anthropic {

namespace {

constexpr std::string_view silent_failure = "The call failed; there is no message.";
/// What the user says where the API insists on the user and the history has nobody.
constexpr std::string_view earlier_words = "(Earlier messages are left out.)";
constexpr std::string_view go_on = "Continue.";

/// Ids of the characters that the API takes, no two alike; those of items that are no calls are empty.
std::vector<std::string> wire_ids(const history_view& history) {
  auto ids = std::vector<std::string>(history.size());
  auto taken = std::unordered_set<std::string>{};
  for (auto i = std::size_t{0}; i < history.size(); ++i) {
    const auto* made = std::get_if<tool_call>(&history[i]);
    if (!made)
      continue;
    auto wanted = made->call_id.empty() ? std::string{"call"} : made->call_id;
    for (auto& c : wanted)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
            c == '-'))
        c = '_';
    auto id = wanted;
    for (auto suffix = 2u; !taken.insert(id).second; ++suffix)
      id = fmt::format("{}_{}", wanted, suffix);
    ids[i] = std::move(id);
  }
  return ids;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

bool is_thought(const item& entry) {
  const auto* thought = std::get_if<reasoning>(&entry);
  if (!thought || thought->format != "anthropic" || !thought->raw.starts_with('{'))
    return false;
  const auto block = parse_json(thought->raw);
  return block.has_value();
}

bool is_image_for_api(const content& part) {
  constexpr auto taken =
      std::array<std::string_view, 4>{"image/jpeg", "image/png", "image/gif", "image/webp"};
  const auto* image = std::get_if<image_content>(&part);
  return image && std::find(taken.begin(), taken.end(), image->media_type) != taken.end();
}

/// Index of the first item after the user's last words.
std::size_t begin_of_loop(const history_view& history) {
  auto begin = history.size();
  while (begin > 0 && !std::holds_alternative<user_message>(history[begin - 1]))
    --begin;
  return begin;
}

/// Writes messages block by block, in one pass over the history.
class message_writer {
public:
  message_writer(std::string& out, const model_request& request, bool image_input, bool thinking)
      : out_(out), history_(request), image_input_(image_input),
        thoughts_from_(thinking ? begin_of_loop(history_) : history_.size()),
        answers_(match_outputs(history_)), ids_(wire_ids(history_)) {}

  void write() {
    out_ += '[';
    for (auto i = std::size_t{0}; i < history_.size();) {
      if (const auto* said = std::get_if<user_message>(&history_[i]))
        write_text("user", said->text);
      // An output is written with its call, one that has none is dropped.
      i = is_from_model(history_[i]) ? write_turn(i) : i + 1;
    }
    if (role_ != "user")
      write_text("user", go_on);
    out_ += "]}]";
  }

private:
  void begin_block(std::string_view role) {
    if (role == role_) {
      out_ += ',';
      return;
    }
    if (role_.empty() && role == "assistant")
      write_text("user", earlier_words);
    out_ += role_.empty() ? "{\"role\":\"" : "]},{\"role\":\"";
    out_ += role;
    out_ += "\",\"content\":[";
    role_ = role;
  }

  void write_text(std::string_view role, std::string_view text) {
    if (is_blank(text))
      return;
    begin_block(role);
    append_text(text);
  }

  void append_text(std::string_view text) {
    out_ += "{\"type\":\"text\",\"text\":";
    append_json_string(out_, text);
    out_ += '}';
  }

  /// Writes what a model gave in one turn, and the outputs of its calls. Returns where the turn ends.
  std::size_t write_turn(std::size_t start) {
    auto blocks = std::vector<std::size_t>{};
    auto end = start;
    for (; end < history_.size() && is_from_model(history_[end]); ++end)
      if (!std::holds_alternative<reasoning>(history_[end]) ||
          (end >= thoughts_from_ && is_thought(history_[end])))
        blocks.push_back(end);
    const auto is_call = [&](std::size_t i) { return std::holds_alternative<tool_call>(history_[i]); };
    const auto is_kept_thought = [&](std::size_t i) {
      return std::holds_alternative<reasoning>(history_[i]);
    };
    // A turn with thoughts is the API's own and goes back in its order; others may say something after their
    // calls.
    if (std::none_of(blocks.begin(), blocks.end(), is_kept_thought))
      std::stable_partition(blocks.begin(), blocks.end(), [&](std::size_t i) { return !is_call(i); });
    // No message may end with a thought.
    while (!blocks.empty() && (is_kept_thought(blocks.back()) || is_blank_message(blocks.back())))
      blocks.pop_back();
    for (const auto i : blocks)
      write_block(i);
    for (const auto i : blocks)
      if (is_call(i))
        write_output(i);
    return end;
  }

  bool is_blank_message(std::size_t i) const {
    const auto* said = std::get_if<assistant_message>(&history_[i]);
    return said && is_blank(said->text);
  }

  void write_block(std::size_t i) {
    if (const auto* said = std::get_if<assistant_message>(&history_[i])) {
      write_text("assistant", said->text);
    } else if (const auto* thought = std::get_if<reasoning>(&history_[i])) {
      begin_block("assistant");
      out_ += thought->raw;
    } else {
      write_call(i);
    }
  }

  void write_call(std::size_t i) {
    const auto& made = std::get<tool_call>(history_[i]);
    const auto arguments = parse_json(made.arguments);
    begin_block("assistant");
    out_ += "{\"type\":\"tool_use\",\"id\":";
    append_json_string(out_, ids_[i]);
    out_ += ",\"name\":";
    append_json_string(out_, safe_tool_name(made.name));
    out_ += ",\"input\":";
    out_ += arguments && arguments->is_object() ? dump_json(*arguments) : "{}";
    out_ += '}';
  }

  void write_output(std::size_t call) {
    begin_block("user");
    out_ += "{\"type\":\"tool_result\",\"tool_use_id\":";
    append_json_string(out_, ids_[call]);
    const auto* output = answers_[call];
    const auto failed = !output || output->is_error;
    if (failed)
      write_failure(output);
    else if (image_input_ && std::any_of(output->parts.begin(), output->parts.end(), is_image_for_api))
      write_parts(output->parts);
    else
      write_result(plain_text(output->parts));
    out_ += failed ? ",\"is_error\":true}" : "}";
  }

  void write_result(std::string_view text) {
    if (is_blank(text))
      return;
    out_ += ",\"content\":";
    append_json_string(out_, text);
  }

  /// The API wants text of a failed call, some text, and nothing but text.
  void write_failure(const tool_output* output) {
    const auto text = output ? plain_text(output->parts) : std::string{interrupted_call};
    write_result(is_blank(text) ? silent_failure : std::string_view{text});
  }

  void write_parts(const std::vector<content>& parts) {
    auto separator = ",\"content\":[";
    for (const auto& part : parts) {
      const auto is_image = is_image_for_api(part);
      const auto text = is_image ? std::string{} : plain_text({part});
      if (!is_image && is_blank(text))
        continue;
      out_ += separator;
      separator = ",";
      if (is_image)
        append_image(std::get<image_content>(part));
      else
        append_text(text);
    }
    out_ += ']';
  }

  void append_image(const image_content& image) {
    out_ += R"({"type":"image","source":{"type":"base64","media_type":)";
    append_json_string(out_, image.media_type);
    out_ += ",\"data\":";
    append_json_string(out_, image.data);
    out_ += "}}";
  }

  std::string& out_;
  history_view history_;
  bool image_input_;
  /// Index of the first item whose thoughts are given back.
  std::size_t thoughts_from_;
  std::vector<const tool_output*> answers_;
  std::vector<std::string> ids_;
  /// Whose message is open; empty before the first.
  std::string_view role_;
};

} // namespace

bool allows_thinking(const model_request& request) {
  const auto history = history_view{request};
  auto begun = false;
  for (auto i = begin_of_loop(history); i < history.size(); ++i) {
    if (std::holds_alternative<tool_call>(history[i]))
      return false;
    if (!begun && is_thought(history[i]))
      return true;
    const auto* said = std::get_if<assistant_message>(&history[i]);
    begun = begun || (said && !is_blank(said->text));
  }
  return true;
}

void append_messages(std::string& out, const model_request& request, bool image_input, bool thinking) {
  message_writer{out, request, image_input, thinking}.write();
}

} // namespace troupe::anthropic
