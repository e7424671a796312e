#include "apps/troupe/chat_history.hpp"

#include "apps/troupe/defaults.hpp"
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::cli {

namespace {

/// Creates the folder; those made on the way are for their owner only (XDG Base Directory, 0.8).
bool make_folder(const std::filesystem::path& folder) {
  const auto before = umask(077);
  auto code = std::error_code{};
  std::filesystem::create_directories(folder, code);
  umask(before);
  return std::filesystem::is_directory(folder, code);
}

/// Opens for appending, made readable by its owner only; null if that cannot be.
FILE* open_private(const std::filesystem::path& file) {
  const auto descriptor = open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return nullptr;
  if (fchmod(descriptor, 0600) == 0)
    if (auto* opened = fdopen(descriptor, "a+"))
      return opened;
  close(descriptor);
  return nullptr;
}

int lines_of(const std::filesystem::path& file) {
  auto* opened = std::fopen(file.c_str(), "re");
  if (!opened)
    return 0;
  auto lines = 0;
  for (auto c = std::getc(opened); c != EOF; c = std::getc(opened))
    lines += c == '\n' ? 1 : 0;
  std::fclose(opened);
  return lines;
}

} // namespace

chat_history::chat_history(std::filesystem::path file) : file_(std::move(file)), history_(history_init()) {
  auto event = HistEvent{};
  history(history_, &event, H_SETSIZE, defaults::history_entries);
  history(history_, &event, H_SETUNIQUE, 1);
  if (!file_.empty() && !make_folder(file_.parent_path()))
    file_.clear();
  if (file_.empty())
    return;
  history(history_, &event, H_LOAD, file_.c_str());
  // The first line is libedit's mark. Lines are appended, so that two programs at once lose nothing; only
  // now and then the file is written anew.
  if (lines_of(file_) > 2 * defaults::history_entries)
    history(history_, &event, H_SAVE, file_.c_str());
}

chat_history::~chat_history() {
  history_end(history_);
}

void chat_history::add(const std::string& line) {
  auto event = HistEvent{};
  history(history_, &event, H_ENTER, line.c_str());
  auto* opened = file_.empty() ? nullptr : open_private(file_);
  if (!opened)
    return;
  history(history_, &event, H_NSAVE_FP, std::size_t{1}, opened);
  std::fclose(opened);
}

std::filesystem::path history_file() {
  const auto* state = std::getenv("XDG_STATE_HOME");
  // Paths that are not absolute are to be ignored (XDG Base Directory, 0.8).
  if (state && state[0] == '/')
    return std::filesystem::path{state} / "troupe" / "history";
  const auto* home = std::getenv("HOME");
  if (home && home[0] == '/')
    return std::filesystem::path{home} / ".local" / "state" / "troupe" / "history";
  return {};
}

} // namespace troupe::cli
