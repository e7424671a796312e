#include "libagent/model/chat_completions.hpp"

#include "libagent/model/codec_history.hpp"
#include "libagent/model/json_text.hpp"

#include <fmt/format.h>

namespace troupe::chat_completions {

namespace {

/// Writes `messages`: one pass over the history, straight into the body.
class message_writer {
public:
  message_writer(std::string& out, const model_request& request, const wire_options& options)
      : out_(out), history_(request), image_input_(options.image_input), answers_(match_outputs(history_)) {
    if (!request.instructions.empty())
      write_text("system", request.instructions);
  }

  void write_history() {
    auto i = std::size_t{0};
    while (i < history_.size()) {
      if (const auto* said = std::get_if<user_message>(&history_[i]))
        write_text("user", said->text);
      // An output is written with its call, one that has none is dropped.
      i = is_from_model(history_[i]) ? write_turn(i) : i + 1;
    }
  }

private:
  void begin(std::string_view role) {
    out_ += first_ ? "{\"role\":\"" : ",{\"role\":\"";
    first_ = false;
    out_ += role;
    out_ += '"';
  }

  void write_text(std::string_view role, std::string_view text) {
    begin(role);
    out_ += ",\"content\":";
    append_json_string(out_, text);
    out_ += '}';
  }

  /// Writes what a model gave in one turn, and the outputs of its calls. Returns where the turn ends.
  std::size_t write_turn(std::size_t start) {
    auto texts = std::vector<std::string_view>{};
    auto calls = std::vector<std::size_t>{};
    auto said_nothing = false;
    auto end = start;
    for (; end < history_.size() && is_from_model(history_[end]); ++end) {
      const auto* said = std::get_if<assistant_message>(&history_[end]);
      if (said && !said->text.empty())
        texts.push_back(said->text);
      else if (std::holds_alternative<tool_call>(history_[end]))
        calls.push_back(end);
      else
        said_nothing = said_nothing || said != nullptr;
    }
    if (calls.empty()) {
      // An empty answer is one, too: the user's next message answers it.
      if (texts.empty() && said_nothing)
        write_text("assistant", {});
      for (const auto text : texts)
        write_text("assistant", text);
      return end;
    }
    write_calls(texts, calls);
    for (const auto call : calls)
      write_output(call);
    if (image_input_)
      write_images(calls);
    return end;
  }

  void write_calls(const std::vector<std::string_view>& texts, const std::vector<std::size_t>& calls) {
    begin("assistant");
    out_ += ",\"content\":";
    if (texts.empty())
      out_ += "null";
    else
      append_json_string(out_, fmt::format("{}", fmt::join(texts, "\n")));
    out_ += ",\"tool_calls\":[";
    for (const auto index : calls) {
      const auto& made = std::get<tool_call>(history_[index]);
      out_ += index == calls.front() ? "{\"id\":" : ",{\"id\":";
      append_json_string(out_, made.call_id);
      out_ += ",\"type\":\"function\",\"function\":{\"name\":";
      append_json_string(out_, made.name);
      out_ += ",\"arguments\":";
      append_json_string(out_, made.arguments);
      out_ += "}}";
    }
    out_ += "]}";
  }

  void write_output(std::size_t call) {
    begin("tool");
    out_ += ",\"tool_call_id\":";
    append_json_string(out_, std::get<tool_call>(history_[call]).call_id);
    out_ += ",\"content\":";
    const auto* output = answers_[call];
    if (!output)
      append_json_string(out_, interrupted_call);
    else if (const auto* only = sole_text(*output))
      append_json_string(out_, *only);
    else
      append_json_string(out_, plain_text(output->parts));
    out_ += '}';
  }

  /// The format has no images in tool results, and nothing may stand between those of one turn: so they
  /// follow in a message of the user.
  void write_images(const std::vector<std::size_t>& calls) {
    auto begun = false;
    for (const auto call : calls) {
      const auto* output = answers_[call];
      auto named = false;
      for (const auto& part : output ? output->parts : std::vector<content>{}) {
        const auto* image = std::get_if<image_content>(&part);
        if (!image)
          continue;
        if (!begun)
          begin("user");
        if (!named)
          write_origin(begun ? "," : ",\"content\":[", std::get<tool_call>(history_[call]).name);
        begun = named = true;
        write_image(*image);
      }
    }
    if (begun)
      out_ += "]}";
  }

  void write_origin(std::string_view before, const std::string& tool) {
    out_ += before;
    out_ += "{\"type\":\"text\",\"text\":";
    append_json_string(out_, fmt::format("Image output of the tool {}:", tool));
    out_ += '}';
  }

  void write_image(const image_content& image) {
    out_ += ",{\"type\":\"image_url\",\"image_url\":{\"url\":";
    append_json_string(out_, data_url(image));
    out_ += "}}";
  }

  std::string& out_;
  history_view history_;
  bool image_input_;
  std::vector<const tool_output*> answers_;
  bool first_ = true;
};

void write_tool_list(std::string& out, const tool_list& tools) {
  out += ",\"tools\":[";
  auto first = true;
  for (const auto& spec : tools) {
    out += first ? "" : ",";
    first = false;
    out += "{\"type\":\"function\",\"function\":{\"name\":";
    append_json_string(out, spec.name);
    if (!spec.description.empty()) {
      out += ",\"description\":";
      append_json_string(out, spec.description);
    }
    out += ",\"parameters\":" + dump_json(spec.input.document()) + "}}";
  }
  out += ']';
}

void write_tool_choice(std::string& out, const std::string& choice, const shared_tools& tools) {
  if (choice == "auto" || choice == "none" || choice == "required") {
    out += ",\"tool_choice\":\"" + choice + '"';
    return;
  }
  if (!is_offered(tools, choice))
    return;
  out += ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":";
  append_json_string(out, choice);
  out += "}}";
}

void write_tools(std::string& out, const model_request& request) {
  write_tool_list(out, *request.tools);
  const auto& settings = request.settings;
  if (settings.tool_choice)
    write_tool_choice(out, *settings.tool_choice, request.tools);
  if (settings.parallel_tool_calls)
    out += fmt::format(R"(,"parallel_tool_calls":{})", *settings.parallel_tool_calls);
}

void write_settings(std::string& out, const model_settings& settings, const wire_options& options) {
  if (settings.temperature)
    out += ",\"temperature\":" + dump_json(*settings.temperature);
  if (settings.top_p)
    out += ",\"top_p\":" + dump_json(*settings.top_p);
  if (settings.max_tokens) {
    out += ',';
    append_json_string(out, options.max_tokens_field);
    out += ':' + std::to_string(*settings.max_tokens);
  }
  if (settings.reasoning_effort) {
    out += ",\"reasoning_effort\":";
    append_json_string(out, *settings.reasoning_effort);
  }
}

void write_output_format(std::string& out, const output_format& format) {
  out += R"(,"response_format":{"type":"json_schema","json_schema":{"name":)";
  append_json_string(out, format.name);
  out += fmt::format(R"(,"strict":{},"schema":)", format.strict) + dump_json(format.schema) + "}}";
}

} // namespace

std::string encode(const model_request& request, const wire_options& options, bool streamed) {
  auto out = std::string{"{\"model\":"};
  append_json_string(out, options.model);
  out += ",\"messages\":[";
  message_writer{out, request, options}.write_history();
  out += ']';
  if (request.tools && !request.tools->empty())
    write_tools(out, request);
  write_settings(out, request.settings, options);
  if (request.output)
    write_output_format(out, *request.output);
  if (streamed)
    out += R"(,"stream":true,"stream_options":{"include_usage":true})";
  out += '}';
  return out;
}

} // namespace troupe::chat_completions
