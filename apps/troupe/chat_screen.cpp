#include "apps/troupe/chat_screen.hpp"

#include "apps/troupe/defaults.hpp"
#include "apps/troupe/hidden_secrets.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"
#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace troupe::cli {

namespace {

constexpr auto dim = "\x1b[2m";
constexpr auto bold = "\x1b[1m";
constexpr auto red = "\x1b[31m";
constexpr auto plain = "\x1b[0m";

/// What was done, in a line; nothing for what is not shown, or not in a line of its own.
std::optional<std::string> describe(const run_event& event) {
  if (const auto* handoff = std::get_if<handed_off>(&event))
    return fmt::format("[handoff] {} -> {}", handoff->from, handoff->to);
  if (const auto* begun = std::get_if<tool_started>(&event))
    return fmt::format("[tool] {} {}", begun->tool, one_line(begun->arguments, defaults::shown_characters));
  if (const auto* done = std::get_if<tool_finished>(&event))
    return fmt::format("[tool] {} {} {}", done->tool, done->is_error ? "failed:" : "=>",
                       one_line(done->output, defaults::shown_characters));
  if (const auto* acted = std::get_if<guardrail_acted>(&event))
    return fmt::format("[guardrail] {} ({}): {}{}", acted->guardrail, acted->stage, acted->action,
                       acted->message.empty() ? ""
                                              : ", " + one_line(acted->message, defaults::shown_characters));
  return std::nullopt;
}

} // namespace

chat_screen::chat_screen(screen_options options)
    : options_(options), cleaner_(hidden_secrets()),
      voices_([this](const run_event& event) { render(event); }) {}

void chat_screen::show(const run_event& event) {
  for (auto& each : cleaner_.take(event))
    voices_.take(std::move(each));
}

void chat_screen::finish_voices() {
  for (auto& each : cleaner_.finish())
    voices_.take(std::move(each));
  voices_.finish();
}

void chat_screen::render(const run_event& event) {
  if (const auto* text = std::get_if<text_streamed>(&event))
    return render(*text);
  if (const auto* thought = std::get_if<reasoning_streamed>(&event))
    return render(*thought);
  // A text is complete: what comes next is a call, or another answer. (`said` repeats what was streamed.)
  if (std::holds_alternative<call_streamed>(event) || std::holds_alternative<usage_added>(event))
    return end_line();
  const auto deed = options_.shows_deeds ? describe(event) : std::nullopt;
  if (!deed)
    return;
  end_line();
  write(*deed, dim);
}

void chat_screen::render(const text_streamed& what) {
  if (line_ != line::text || agent_ != what.agent)
    begin_text(what.agent);
  put(cleaned(what.text));
  *text_ += what.text;
}

void chat_screen::render(const reasoning_streamed& what) {
  if (!options_.interactive || !options_.shows_deeds)
    return;
  if (line_ != line::thought || agent_ != what.agent) {
    end_line();
    line_ = line::thought;
    agent_ = what.agent;
    put(options_.colours ? fmt::format("{}[thought] ", dim) : "[thought] ");
  }
  put(printable(what.text));
}

void chat_screen::begin_text(const std::string& agent) {
  end_line();
  line_ = line::text;
  agent_ = agent;
  text_ = std::string{};
  if (!options_.interactive)
    return;
  put(options_.colours ? fmt::format("{}{}:{} ", bold, printable(agent), plain) : printable(agent) + ": ");
}

void chat_screen::show(const chat_reply& reply) {
  finish_voices();
  end_line();
  const auto result = hidden_secrets()->hide(reply.result);
  // An answer may have several texts, of which the last one counts.
  const auto is_shown = text_ && (*text_ == result || (!result.empty() && text_->ends_with(result)));
  if (reply.status != run_status::paused && !is_shown) {
    begin_text(reply.agent);
    put(cleaned(reply.structured ? dump_json(hidden_secrets()->hide_tree(*reply.structured)) : result));
    end_line();
  }
  text_.reset();
}

void chat_screen::finish() {
  finish_voices();
  end_line();
  text_.reset();
}

void chat_screen::show(const error& reason) {
  finish();
  const auto text = fmt::format("error: {}: {}", to_string(reason.code), reason.detail);
  if (options_.interactive)
    write(text, red);
  else
    complain("troupe: {}\n", printable(text));
}

void chat_screen::say(std::string_view text) {
  end_line();
  put(printable(text) + "\n");
}

std::string chat_screen::cleaned(std::string_view text) const {
  return options_.raw ? std::string{text} : printable(text);
}

void chat_screen::put(std::string_view text) {
  works_ = works_ && print(text);
}

void chat_screen::end_line() {
  if (line_ != line::none)
    put(line_ == line::thought && options_.colours ? fmt::format("{}\n", plain) : "\n");
  line_ = line::none;
}

void chat_screen::write(std::string_view text, const char* style) {
  const auto clean = printable(text);
  put(options_.colours ? fmt::format("{}{}{}\n", style, clean, plain) : clean + "\n");
}

bool wants_colours() {
  const auto* no_colour = std::getenv("NO_COLOR");
  const auto* terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && terminal &&
         std::string_view{terminal} != "dumb";
}

} // namespace troupe::cli
