#include "libagent/model/responses.hpp"

#include "libagent/model/codec_history.hpp"
#include "libagent/model/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::responses {

namespace {

constexpr std::string_view any_format = "responses";

/// Host and port of a URL.
std::string_view host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

/// Whether an endpoint that stored nothing can take the entry back: by its id alone it would not find it.
bool is_whole(const std::string& raw) {
  const auto entry = parse_json(raw);
  if (!entry || !entry->is_object())
    return false;
  const auto* encrypted = find_string(*entry, "encrypted_content");
  const auto* thoughts = find(*entry, "content");
  return (encrypted && !encrypted->empty()) || (thoughts && thoughts->is_array() && !thoughts->empty());
}

/// Writes `input`: one pass over the history, straight into the body.
class input_writer {
public:
  input_writer(std::string& out, const model_request& request, const wire_options& options)
      : out_(out), history_(request), image_input_(options.image_input),
        own_format_(reasoning_format(options)), outputs_(match_outputs(history_)) {}

  void write_history() {
    auto i = std::size_t{0};
    while (i < history_.size()) {
      if (const auto* said = std::get_if<user_message>(&history_[i]))
        write_text("user", said->text);
      // An output is written with its call, one that has none is dropped.
      i = is_from_model(history_[i]) ? write_turn(i) : i + 1;
    }
  }

  bool has_reasoning() const noexcept { return has_reasoning_; }

private:
  void begin(std::string_view start) {
    out_ += first_ ? "" : ",";
    first_ = false;
    out_ += start;
  }

  void write_text(std::string_view role, std::string_view text) {
    begin(R"({"role":")");
    out_ += role;
    out_ += R"(","content":)";
    append_json_string(out_, text);
    out_ += '}';
  }

  /// Writes what a model gave in one turn, and the outputs of its calls. Returns where the turn ends.
  std::size_t write_turn(std::size_t start) {
    auto thoughts = std::vector<const reasoning*>{};
    auto end = start;
    for (; end < history_.size() && is_from_model(history_[end]); ++end) {
      if (const auto* thought = std::get_if<reasoning>(&history_[end])) {
        thoughts.push_back(thought);
      } else if (const auto* said = std::get_if<assistant_message>(&history_[end]);
                 said && !said->text.empty()) {
        write_reasoning(thoughts);
        write_text("assistant", said->text);
      } else if (const auto* made = std::get_if<tool_call>(&history_[end])) {
        write_reasoning(thoughts);
        write_call(*made);
      }
    }
    for (auto i = start; i < end; ++i)
      if (const auto* made = std::get_if<tool_call>(&history_[i]))
        write_output(made->call_id, outputs_[i]);
    return end;
  }

  /// Endpoints refuse reasoning that nothing follows, so it waits for what does.
  void write_reasoning(std::vector<const reasoning*>& thoughts) {
    for (const auto* thought : thoughts) {
      const auto is_readable = thought->format == own_format_ || thought->format == any_format;
      if (!is_readable || !is_whole(thought->raw))
        continue;
      begin(thought->raw);
      has_reasoning_ = true;
    }
    thoughts.clear();
  }

  void write_call(const tool_call& made) {
    begin(R"({"type":"function_call","call_id":)");
    append_json_string(out_, made.call_id);
    out_ += ",\"name\":";
    append_json_string(out_, made.name);
    out_ += ",\"arguments\":";
    append_json_string(out_, made.arguments);
    out_ += '}';
  }

  void write_output(const std::string& call_id, const tool_output* output) {
    begin(R"({"type":"function_call_output","call_id":)");
    append_json_string(out_, call_id);
    out_ += ",\"output\":";
    if (!output)
      append_json_string(out_, interrupted_call);
    else if (image_input_ && has_image(*output))
      write_parts(*output);
    else if (const auto* only = sole_text(*output))
      append_json_string(out_, *only);
    else
      append_json_string(out_, plain_text(output->parts));
    out_ += '}';
  }

  static bool has_image(const tool_output& output) {
    return std::any_of(output.parts.begin(), output.parts.end(),
                       [](const content& part) { return std::holds_alternative<image_content>(part); });
  }

  void write_parts(const tool_output& output) {
    out_ += '[';
    for (const auto& part : output.parts) {
      out_ += &part == &output.parts.front() ? "" : ",";
      const auto* image = std::get_if<image_content>(&part);
      out_ += image ? R"({"type":"input_image","image_url":)" : R"({"type":"input_text","text":)";
      append_json_string(out_, image ? data_url(*image) : plain_text({part}));
      out_ += '}';
    }
    out_ += ']';
  }

  std::string& out_;
  history_view history_;
  bool image_input_;
  std::string own_format_;
  std::vector<const tool_output*> outputs_;
  bool first_ = true;
  bool has_reasoning_ = false;
};

void write_tool_list(std::string& out, const tool_list& tools) {
  out += ",\"tools\":[";
  for (const auto& spec : tools) {
    out += &spec == &tools.front() ? "" : ",";
    out += R"({"type":"function","name":)";
    append_json_string(out, spec.name);
    if (!spec.description.empty()) {
      out += ",\"description\":";
      append_json_string(out, spec.description);
    }
    // Left out, it would be true here, which schemas of other people's tools seldom fit.
    out += ",\"parameters\":" + dump_json(spec.input.document()) + R"(,"strict":false})";
  }
  out += ']';
}

void write_tool_choice(std::string& out, const std::string& choice, const shared_tools& tools) {
  if (choice == "auto" || choice == "none" || choice == "required") {
    out += ",\"tool_choice\":\"" + choice + '"';
  } else if (is_offered(tools, choice)) {
    out += R"(,"tool_choice":{"type":"function","name":)";
    append_json_string(out, choice);
    out += '}';
  }
}

void write_tools(std::string& out, const model_request& request) {
  write_tool_list(out, *request.tools);
  const auto& settings = request.settings;
  if (settings.tool_choice)
    write_tool_choice(out, *settings.tool_choice, request.tools);
  if (settings.parallel_tool_calls)
    out += fmt::format(R"(,"parallel_tool_calls":{})", *settings.parallel_tool_calls);
}

void write_settings(std::string& out, const model_settings& settings) {
  if (settings.temperature)
    out += ",\"temperature\":" + dump_json(*settings.temperature);
  if (settings.top_p)
    out += ",\"top_p\":" + dump_json(*settings.top_p);
  if (settings.max_tokens)
    out += fmt::format(R"(,"max_output_tokens":{})", *settings.max_tokens);
  auto thinking = json::object();
  if (settings.reasoning_effort)
    thinking["effort"] = *settings.reasoning_effort;
  if (settings.reasoning_summary)
    thinking["summary"] = *settings.reasoning_summary;
  if (!thinking.empty())
    out += ",\"reasoning\":" + dump_json(thinking);
}

void write_output_format(std::string& out, const output_format& format) {
  out += R"(,"text":{"format":{"type":"json_schema","name":)";
  append_json_string(out, format.name);
  out += fmt::format(R"(,"strict":{},"schema":)", format.strict) + dump_json(format.schema) + "}}";
}

} // namespace

std::string reasoning_format(const wire_options& options) {
  auto format = fmt::format("{}:{}", any_format, options.model);
  if (const auto host = host_of(options.base_url); !host.empty())
    format += fmt::format("@{}", host);
  return format;
}

std::string encode(const model_request& request, const wire_options& options, bool streamed) {
  auto out = std::string{"{\"model\":"};
  append_json_string(out, options.model);
  if (!request.instructions.empty()) {
    out += ",\"instructions\":";
    append_json_string(out, request.instructions);
  }
  out += ",\"input\":[";
  auto writer = input_writer{out, request, options};
  writer.write_history();
  out += ']';
  if (request.tools && !request.tools->empty())
    write_tools(out, request);
  const auto& settings = request.settings;
  write_settings(out, settings);
  if (request.output)
    write_output_format(out, *request.output);
  out += ",\"store\":false";
  // Not always: for models that do not reason endpoints refuse it.
  if (settings.reasoning_effort || settings.reasoning_summary || writer.has_reasoning())
    out += R"(,"include":["reasoning.encrypted_content"])";
  if (streamed)
    out += ",\"stream\":true";
  out += '}';
  return out;
}

} // namespace troupe::responses
