#include "libagent/model/codec_answer.hpp"
#include "libagent/model/responses.hpp"
#include "libagent/model/responses_answer.hpp"

#include <fmt/format.h>

namespace troupe::responses {

namespace {

usage read_usage(const json& answer) {
  const auto* given = find_value(answer, "usage");
  const auto* in = given ? find_value(*given, "input_tokens_details") : nullptr;
  const auto* out = given ? find_value(*given, "output_tokens_details") : nullptr;
  return {1, read_count(given, "input_tokens"), read_count(given, "output_tokens"),
          read_count(in, "cached_tokens"), read_count(out, "reasoning_tokens")};
}

/// The texts of a list of `{"text"}`, separated.
std::string join_texts(const json* list) {
  auto joined = std::string{};
  if (!list || !list->is_array())
    return joined;
  for (const auto& part : *list) {
    const auto* text = find_text(part, "text");
    if (!text)
      continue;
    joined += joined.empty() ? std::string_view{} : summary_separator;
    joined += *text;
  }
  return joined;
}

reasoning read_reasoning(const json& entry, const std::string& format) {
  auto text = join_texts(find_value(entry, "summary"));
  if (text.empty())
    text = join_texts(find_value(entry, "content"));
  return {{}, std::move(text), format, dump_json(entry)};
}

/// Reads the entries of `output`.
class output_reader {
public:
  explicit output_reader(const std::string& reasoning_format) : reasoning_format_(reasoning_format) {}

  result<void> add(const json& entry) {
    const auto* type = find_text(entry, "type");
    if (!type)
      return bad_answer("has an output without a type");
    if (*type == "message")
      return add_message(entry);
    if (*type == "function_call")
      return add_call(entry);
    if (*type == "reasoning")
      items_.emplace_back(read_reasoning(entry, reasoning_format_));
    else
      passed_over_ = *type;
    return {};
  }

  bool is_silent() const noexcept { return !has_text_ && !has_calls_; }

  result<item_list> take() && {
    if (is_silent() && !has_message_ && !passed_over_.empty())
      return bad_answer(
          fmt::format("has nothing but an output of type {}, which is not understood", passed_over_));
    if (is_silent())
      items_.emplace_back(assistant_message{});
    return std::move(items_);
  }

private:
  result<void> add_message(const json& entry) {
    has_message_ = true;
    const auto* given = find_value(entry, "content");
    auto text = given ? read_content(*given) : result<std::string>{std::string{}};
    if (!text)
      return text.error();
    has_text_ = has_text_ || !text->empty();
    if (!text->empty())
      items_.emplace_back(assistant_message{{}, std::move(*text)});
    return {};
  }

  result<void> add_call(const json& entry) {
    const auto* name = find_text(entry, "name");
    if (!name)
      return bad_answer("has a function call without a name");
    const auto* id = find_text(entry, "call_id");
    auto arguments = whole_arguments(read_arguments(find_value(entry, "arguments")));
    items_.emplace_back(tool_call{id ? *id : std::string{}, *name, std::move(arguments), {}});
    has_calls_ = true;
    return {};
  }

  const std::string& reasoning_format_;
  item_list items_;
  bool has_message_ = false;
  bool has_text_ = false;
  bool has_calls_ = false;
  std::string passed_over_;
};

/// The word for why the answer ended; an error for a status that is no end.
result<std::string> read_end(const json& answer) {
  const auto* status = find_text(answer, "status");
  if (!status)
    return std::string{};
  if (*status == "incomplete") {
    const auto* details = find_value(answer, "incomplete_details");
    const auto* reason = details ? find_text(*details, "reason") : nullptr;
    return reason ? *reason : *status;
  }
  if (*status != "completed")
    return bad_answer(fmt::format("has the status {}", *status));
  return *status;
}

} // namespace

result<model_response> read_response(const json& answer, const std::string& reasoning_format) {
  if (!answer.is_object())
    return bad_answer("is not a JSON object");
  if (const auto* reason = find_value(answer, "error"))
    return reported_error(*reason);
  auto response = model_response{};
  auto end = read_end(answer);
  if (!end)
    return end.error();
  response.finish_reason = std::move(*end);
  response.used = read_usage(answer);
  const auto* output = find_value(answer, "output");
  if (!output || !output->is_array())
    return bad_answer("has no list of outputs");
  auto reader = output_reader{reasoning_format};
  for (const auto& entry : *output)
    if (auto added = reader.add(entry); !added)
      return added.error();
  if (reader.is_silent())
    if (auto why = explain_silence(response.finish_reason))
      return std::move(*why);
  auto items = std::move(reader).take();
  if (!items)
    return items.error();
  response.output = std::move(*items);
  return response;
}

result<model_response> decode(std::string_view body, const wire_options& options) {
  const auto answer = parse_json(body);
  if (!answer)
    return bad_answer("cannot be read: " + answer.error().detail);
  return read_response(*answer, reasoning_format(options));
}

} // namespace troupe::responses
