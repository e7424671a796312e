#include "apps/troupe/chat_screen.hpp"

#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include <unistd.h>

namespace troupe::cli {

namespace {

constexpr auto dim = "\x1b[2m";
constexpr auto bold = "\x1b[1m";
constexpr auto red = "\x1b[31m";
constexpr auto plain = "\x1b[0m";

/// Characters of a tool's arguments or output that are shown; the whole is in the session.
constexpr std::size_t shown_characters = 120;

std::optional<std::string> describe(const run_event& event) {
  struct {
    std::optional<std::string> operator()(const agent_started&) const { return std::nullopt; }
    std::optional<std::string> operator()(const handed_off& what) const {
      return fmt::format("[handoff] {} -> {}", what.from, what.to);
    }
    std::optional<std::string> operator()(const said& what) const {
      return fmt::format("{}: {}", what.agent, what.text);
    }
    std::optional<std::string> operator()(const tool_started& what) const {
      return fmt::format("[tool] {} {}", what.tool, one_line(what.arguments, shown_characters));
    }
    std::optional<std::string> operator()(const tool_finished& what) const {
      return fmt::format("[tool] {} {} {}", what.tool, what.is_error ? "failed:" : "=>",
                         one_line(what.output, shown_characters));
    }
  } const in_words;
  return std::visit(in_words, event);
}

} // namespace

void chat_screen::write(std::string_view text, const char* style) {
  const auto clean = printable(text);
  print(colours_ ? fmt::format("{}{}{}\n", style, clean, plain) : clean + "\n");
}

void chat_screen::show(const run_event& event) {
  if (const auto text = describe(event))
    write(*text, dim);
}

void chat_screen::show(const chat_reply& reply) {
  const auto text = printable(reply.result);
  const auto agent = printable(reply.agent);
  if (!interactive_)
    print(text + "\n");
  else if (colours_)
    print(fmt::format("{}{}:{} {}\n", bold, agent, plain, text));
  else
    print(fmt::format("{}: {}\n", agent, text));
}

void chat_screen::show(const error& reason) {
  const auto text = fmt::format("error: {}: {}", to_string(reason.code), reason.detail);
  if (interactive_)
    write(text, red);
  else
    fmt::print(stderr, "troupe: {}\n", printable(text));
}

void chat_screen::say(std::string_view text) {
  print(printable(text) + "\n");
}

bool wants_colours() {
  const auto* no_colour = std::getenv("NO_COLOR");
  const auto* terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && terminal &&
         std::string_view{terminal} != "dumb";
}

} // namespace troupe::cli
