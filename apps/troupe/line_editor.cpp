#include "apps/troupe/chat_history.hpp"
#include "apps/troupe/line_source.hpp"

#include <histedit.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <optional>

#include <langinfo.h>
#include <termios.h>
#include <unistd.h>

namespace troupe::cli {

namespace {

/// libedit decodes by the locale. Without a UTF-8 one, Debian's own C.UTF-8 is a better guess than ASCII.
void use_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
    std::setlocale(LC_CTYPE, "C.UTF-8");
}

class line_editor : public line_source {
public:
  line_editor() : history_(history_file()) {
    use_utf8();
    editor_ = el_init("troupe", stdin, stdout, stderr);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &line_editor::show_prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_.handle());
    el_set(editor_, EL_SIGNAL, 1);
    el_wset(editor_, EL_GETCFN, &line_editor::read_character);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }
  ~line_editor() override { el_end(editor_); }

  input_line next(const std::string& prompt, stop_signals& signals) override {
    auto line = read_line(prompt, signals);
    const auto* text = std::get_if<std::string>(&line);
    if (text && text->find_first_not_of(" \t") != std::string::npos)
      history_.add(*text);
    return line;
  }

  input_line ask(const std::string& prompt, const std::string& draft, stop_signals& signals) override {
    // Nobody can answer what has not been asked.
    tcflush(STDIN_FILENO, TCIFLUSH);
    // As if it had been typed.
    if (!draft.empty())
      el_push(editor_, draft.c_str());
    return read_line(prompt, signals);
  }

private:
  static line_editor& self(EditLine* editor) {
    void* mine = nullptr;
    el_get(editor, EL_CLIENTDATA, &mine);
    return *static_cast<line_editor*>(mine);
  }

  input_line read_line(const std::string& prompt, stop_signals& signals) {
    prompt_ = prompt;
    signals_ = &signals;
    caught_.reset();
    // Before the prompt shows, lest keys pressed right after it be handled by the kernel's line editing.
    el_set(editor_, EL_PREP_TERM, 1);
    auto length = 0;
    const auto* text = el_gets(editor_, &length);
    if (caught_)
      return give_up();
    if (!text || length <= 0) {
      std::fputs("\n", stdout);
      return end_of_input{};
    }
    auto line = std::string(text, static_cast<std::size_t>(length));
    while (line.ends_with('\n') || line.ends_with('\r'))
      line.pop_back();
    return line;
  }

  static char* show_prompt(EditLine* editor) { return self(editor).prompt_.data(); }

  /// Reads one character for libedit: 1 if there is one, 0 at the end, -1 when a signal came.
  static int read_character(EditLine* editor, wchar_t* into) { return self(editor).read(into); }

  int read(wchar_t* into) {
    auto state = std::mbstate_t{};
    while (true) {
      if ((caught_ = signals_->wait(STDIN_FILENO))) {
        errno = EINTR;
        return -1;
      }
      auto byte = char{};
      const auto got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (got <= 0)
        return static_cast<int>(got);
      const auto used = std::mbrtowc(into, &byte, 1, &state);
      if (used == static_cast<std::size_t>(-1)) {
        // Not a character: forgotten, as if it had not been typed.
        state = std::mbstate_t{};
        continue;
      }
      if (used != static_cast<std::size_t>(-2))
        return 1;
    }
  }

  input_line give_up() {
    el_reset(editor_);
    std::fputs(*caught_ == SIGINT ? "^C\n" : "\n", stdout);
    std::fflush(stdout);
    return *caught_;
  }

  chat_history history_;
  EditLine* editor_ = nullptr;
  std::string prompt_;
  stop_signals* signals_ = nullptr;
  std::optional<int> caught_;
};

} // namespace

std::unique_ptr<line_source> make_line_editor() {
  return std::make_unique<line_editor>();
}

} // namespace troupe::cli
