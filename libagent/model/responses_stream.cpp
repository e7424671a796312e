#include "libagent/model/codec_answer.hpp"
#include "libagent/model/codec_http.hpp"
#include "libagent/model/codec_stream.hpp"
#include "libagent/model/responses.hpp"
#include "libagent/model/responses_answer.hpp"

#include <map>

namespace troupe::responses {

namespace {

/// An entry of `output` while it grows.
struct growing_output {
  json entry{};
  /// What was passed on of a message's text, or of a call's arguments.
  std::string passed_on{};
  /// Counts the answer's calls, if it is one that was announced.
  std::optional<std::size_t> call{};
  /// The part that the last thought belonged to.
  std::string thought_part{};
  bool whole = false;
};

bool is_call(const json& entry) {
  const auto* type = find_text(entry, "type");
  return type && *type == "function_call";
}

/// The entry as far as it came, if the endpoint never gave it whole.
json as_far_as_came(const growing_output& output) {
  auto entry = output.entry;
  if (is_call(entry))
    entry["arguments"] = output.passed_on;
  else if (!output.passed_on.empty())
    entry = {{"type", "message"}, {"content", output.passed_on}};
  return entry;
}

/// Turns events into what they add, and gathers the entries of `output`.
class output_tracker {
public:
  result<void> begin(const json& event, model_deltas& out) {
    if (!find_value(event, "output_index") && !outputs_.empty())
      place_ = outputs_.rbegin()->first + 1;
    return set_entry(event, at(event), out);
  }

  /// The entry is whole. What the deltas lacked of it, since some endpoints give few or none, is passed on.
  result<void> end(const json& event, model_deltas& out) {
    auto& output = at(event);
    if (auto set = set_entry(event, output, out); !set)
      return set;
    output.whole = true;
    const auto* content = find_value(output.entry, "content");
    const auto* type = find_text(output.entry, "type");
    if (output.call) {
      pass_on_rest(output, read_arguments(find_value(output.entry, "arguments")), out);
    } else if (content && type && *type == "message") {
      auto text = read_content(*content);
      if (!text)
        return text.error();
      pass_on_rest(output, std::move(*text), out);
    }
    return {};
  }

  void add_text(const json& event, model_deltas& out) {
    if (const auto* delta = find_text(event, "delta"))
      pass_on(at(event), *delta, out);
  }

  void add_arguments(const json& event, model_deltas& out) {
    auto& output = at(event);
    if (const auto* delta = find_text(event, "delta"); delta && output.call)
      pass_on(output, *delta, out);
  }

  void end_arguments(const json& event, model_deltas& out) {
    auto& output = at(event);
    if (output.call)
      pass_on_rest(output, read_arguments(find_value(event, "arguments")), out);
  }

  void add_thought(const json& event, std::string_view part_key, model_deltas& out) {
    const auto* delta = find_text(event, "delta");
    if (!delta)
      return;
    auto& last = at(event).thought_part;
    auto part = std::string{part_key} + std::to_string(read_count(&event, part_key));
    const auto next_part = !last.empty() && part != last;
    has_told_ = true;
    out.emplace_back(reasoning_delta{next_part ? std::string{summary_separator} + *delta : *delta});
    last = std::move(part);
  }

  /// Whether anything of the answer was passed on.
  bool has_told() const noexcept { return has_told_; }

  /// For endpoints whose last event is the only one that tells anything.
  result<void> pass_on_all(const json& entries, model_deltas& out) {
    for (const auto& entry : entries) {
      if (auto begun = begin({{"item", entry}}, out); !begun)
        return begun;
      if (auto ended = end({{"item", entry}}, out); !ended)
        return ended;
    }
    return {};
  }

  /// `output`, for endpoints whose last event has none.
  json gathered() const {
    auto entries = json::array();
    for (const auto& [index, output] : outputs_) {
      auto entry = output.whole ? output.entry : as_far_as_came(output);
      if (!entry.is_null())
        entries.push_back(std::move(entry));
    }
    return entries;
  }

private:
  growing_output& at(const json& event) {
    if (const auto* place = find_value(event, "output_index"); place && place->is_number_unsigned())
      place_ = place->get<std::uint64_t>();
    return outputs_[place_];
  }

  result<void> set_entry(const json& event, growing_output& output, model_deltas& out) {
    const auto* entry = find_value(event, "item");
    if (!entry || !entry->is_object())
      return bad_answer("has an output that is not an object");
    output.entry = *entry;
    if (is_call(*entry) && !output.call)
      announce(output, out);
    return {};
  }

  void announce(growing_output& output, model_deltas& out) {
    const auto* name = find_text(output.entry, "name");
    if (!name)
      return;
    const auto* id = find_text(output.entry, "call_id");
    output.call = calls_++;
    has_told_ = true;
    out.emplace_back(tool_call_delta{*output.call, id ? *id : std::string{}, *name});
  }

  void pass_on(growing_output& output, const std::string& text, model_deltas& out) {
    output.passed_on += text;
    has_told_ = true;
    if (output.call)
      out.emplace_back(arguments_delta{*output.call, text});
    else
      out.emplace_back(text_delta{text});
  }

  void pass_on_rest(growing_output& output, const std::string& whole, model_deltas& out) {
    if (whole.size() > output.passed_on.size() && whole.starts_with(output.passed_on))
      pass_on(output, whole.substr(output.passed_on.size()), out);
  }

  std::map<std::uint64_t, growing_output> outputs_;
  /// The place of the last event, for endpoints that do not tell places.
  std::uint64_t place_ = 0;
  std::size_t calls_ = 0;
  bool has_told_ = false;
};

class event_decoder : public event_stream_decoder {
public:
  explicit event_decoder(std::string reasoning_format) : reasoning_format_(std::move(reasoning_format)) {}

  bool is_complete() const noexcept override { return !final_.is_null(); }

private:
  result<void> take(const sse_event& event, model_deltas& out) override {
    // Some endpoints end this format's streams as Chat Completions does.
    if (!final_.is_null() || event.data == "[DONE]")
      return {};
    if (event.name == "error")
      return bad_answer("is an error: " + endpoint_error_text(event.data));
    auto read = parse_json(event.data);
    if (!read)
      return bad_answer("has an event that cannot be read: " + read.error().detail);
    if (!read->is_object())
      return bad_answer("has an event that is not a JSON object");
    const auto* type = find_text(*read, "type");
    return take_typed(type ? *type : event.name, *read, out);
  }

  result<model_response> end() override {
    if (final_.is_null())
      return stream_cut();
    const auto* output = find_value(final_, "output");
    if (!output || (output->is_array() && output->empty()))
      final_["output"] = outputs_.gathered();
    return read_response(final_, reasoning_format_);
  }

  result<void> take_typed(const std::string& type, json& event, model_deltas& out) {
    if (type == "error")
      return bad_answer("is an error: " + endpoint_error_text(dump_json(event)));
    if (const auto* reason = find_value(event, "error"))
      return reported_error(*reason);
    if (type == "response.output_item.added")
      return outputs_.begin(event, out);
    if (type == "response.output_item.done")
      return outputs_.end(event, out);
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed")
      return take_end(type, event, out);
    if (type == "response.output_text.delta" || type == "response.refusal.delta")
      outputs_.add_text(event, out);
    else if (type == "response.function_call_arguments.delta")
      outputs_.add_arguments(event, out);
    else if (type == "response.function_call_arguments.done")
      outputs_.end_arguments(event, out);
    else if (type == "response.reasoning_summary_text.delta")
      outputs_.add_thought(event, "summary_index", out);
    else if (type == "response.reasoning_text.delta")
      outputs_.add_thought(event, "content_index", out);
    return {};
  }

  result<void> take_end(const std::string& type, json& event, model_deltas& out) {
    const auto response = event.find("response");
    if (response == event.end() || !response->is_object())
      return bad_answer("has a last event without a response");
    if (const auto* reason = find_value(*response, "error"))
      return reported_error(*reason);
    if (type == "response.failed")
      return bad_answer("has the status failed");
    final_ = std::move(*response);
    const auto* output = find_value(final_, "output");
    return !outputs_.has_told() && output ? outputs_.pass_on_all(*output, out) : result<void>{};
  }

  std::string reasoning_format_;
  output_tracker outputs_;
  json final_;
};

class codec : public model_codec {
public:
  explicit codec(wire_options options) : options_(std::move(options)) {}

  std::string_view path() const override { return "/responses"; }
  std::vector<std::pair<std::string, std::string>> headers(std::string_view api_key) const override {
    return bearer_headers(api_key);
  }
  std::string encode(const model_request& request, bool streamed) const override {
    return responses::encode(request, options_, streamed);
  }
  result<model_response> decode(std::string_view body) const override {
    return responses::decode(body, options_);
  }
  std::unique_ptr<stream_decoder> make_stream_decoder() const override {
    return std::make_unique<event_decoder>(reasoning_format(options_));
  }
  std::string error_message(std::string_view body) const override { return endpoint_error_message(body); }

private:
  wire_options options_;
};

} // namespace

std::unique_ptr<const model_codec> make_responses_codec(wire_options options) {
  return std::make_unique<const codec>(std::move(options));
}

} // namespace troupe::responses
