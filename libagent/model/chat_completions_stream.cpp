#include "libagent/model/chat_completions.hpp"
#include "libagent/model/chat_completions_answer.hpp"
#include "libagent/model/codec_http.hpp"
#include "libagent/model/codec_stream.hpp"

namespace troupe::chat_completions {

namespace {

/// The first choice of a chunk, null if it has none. Of several answers to one request only the first counts.
result<const json*> find_choice(const json& chunk) {
  const auto* choices = find_value(chunk, "choices");
  if (!choices)
    return nullptr;
  if (!choices->is_array())
    return bad_answer("has choices that are not a list");
  for (const auto& choice : *choices) {
    const auto* index = find_value(choice, "index");
    if (choice.is_object() && (!index || *index == 0))
      return &choice;
  }
  return nullptr;
}

class chunk_decoder : public event_stream_decoder {
public:
  bool is_complete() const noexcept override { return done_; }

private:
  result<void> take(const sse_event& event, model_deltas& out) override {
    if (done_)
      return {};
    if (event.name == "error")
      return bad_answer("is an error: " + endpoint_error_text(event.data));
    if (event.data == "[DONE]") {
      done_ = true;
      answer_.announce_calls(out);
      return {};
    }
    const auto chunk = parse_json(event.data);
    if (!chunk)
      return bad_answer("has a chunk that cannot be read: " + chunk.error().detail);
    return take_chunk(*chunk, out);
  }

  result<model_response> end() override {
    if (!done_ && !answer_.has_finish_reason())
      return stream_cut();
    if (!has_choice_)
      return bad_answer("has no choice to read");
    return std::move(answer_).finish();
  }

  result<void> take_chunk(const json& chunk, model_deltas& out) {
    if (!chunk.is_object())
      return bad_answer("has a chunk that is not a JSON object");
    if (const auto* reason = find_value(chunk, "error"))
      return reported_error(*reason);
    answer_.add_usage(chunk);
    const auto choice = find_choice(chunk);
    if (!choice)
      return choice.error();
    return *choice ? take_choice(**choice, out) : result<void>{};
  }

  result<void> take_choice(const json& choice, model_deltas& out) {
    has_choice_ = true;
    if (const auto* reason = find_value(choice, "error"))
      return reported_error(*reason);
    if (const auto* delta = find_value(choice, "delta"))
      if (auto added = answer_.add_delta(*delta, out); !added)
        return added;
    answer_.add_finish_reason(choice);
    if (answer_.has_finish_reason())
      answer_.announce_calls(out);
    return {};
  }

  answer_builder answer_;
  bool done_ = false;
  bool has_choice_ = false;
};

class codec : public model_codec {
public:
  explicit codec(wire_options options) : options_(std::move(options)) {}

  std::string_view path() const override { return "/chat/completions"; }
  std::vector<std::pair<std::string, std::string>> headers(std::string_view api_key) const override {
    return bearer_headers(api_key);
  }
  std::string encode(const model_request& request, bool streamed) const override {
    return chat_completions::encode(request, options_, streamed);
  }
  result<model_response> decode(std::string_view body) const override {
    return chat_completions::decode(body);
  }
  std::unique_ptr<stream_decoder> make_stream_decoder() const override {
    return std::make_unique<chunk_decoder>();
  }
  std::string error_message(std::string_view body) const override { return endpoint_error_message(body); }

private:
  wire_options options_;
};

} // namespace

std::string error_message(std::string_view body) {
  return endpoint_error_message(body);
}

std::unique_ptr<const model_codec> make_chat_completions_codec(wire_options options) {
  return std::make_unique<const codec>(std::move(options));
}

} // namespace troupe::chat_completions
