#include "apps/hostwatch/log_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::hostwatch {

namespace {

namespace fs = std::filesystem;

/// Owns a file descriptor.
class descriptor {
public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_;
};

error system_failure(const std::string& path, int code) {
  return fail(errc::io_failed, fmt::format("{}: {}", to_utf8(path), std::generic_category().message(code)));
}

/// The rest of `path` below `directory` by its names alone, or nothing if it is not below it.
std::optional<fs::path> below(const fs::path& directory, const fs::path& path) {
  const auto [left, right] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  if (left != directory.end())
    return std::nullopt;
  fs::path rest;
  for (auto at = right; at != path.end(); ++at)
    rest /= *at;
  return rest;
}

/// Opens what `rest`, a path without links and dots, names below `directory`. Each step is taken from the
/// directory reached so far and follows no link, so a link that is put there meanwhile leads nowhere.
result<descriptor> open_below(const fs::path& directory, const fs::path& rest) {
  descriptor at(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const auto& name : rest) {
    if (!at)
      break;
    at = descriptor(::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!at)
    return system_failure((directory / rest).string(), errno);
  struct stat status {};
  if (::fstat(at.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(errc::invalid_argument,
                fmt::format("{} is not a file", to_utf8((directory / rest).string())));
  // Only now is it opened in earnest: opening a pipe or a device can block or have effects.
  descriptor file(
      ::open(fmt::format("/proc/self/fd/{}", at.get()).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file)
    return system_failure((directory / rest).string(), errno);
  return file;
}

/// Up to `bytes` bytes from `offset` on.
result<std::string> read_at(const descriptor& file, std::size_t bytes, off_t offset) {
  std::string text(bytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes) {
    const auto count =
        ::pread(file.get(), text.data() + filled, bytes - filled, offset + static_cast<off_t>(filled));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return fail(errc::io_failed, std::generic_category().message(errno));
    if (count == 0)
      break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

result<json> read_tail(const descriptor& file, const fs::path& path, std::size_t lines) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    return system_failure(path.string(), errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  const auto window = std::min(size, max_tail_bytes);
  auto text = read_at(file, window, static_cast<off_t>(size - window));
  if (!text)
    return text.error();
  bool truncated = false;
  if (window < size && static_cast<std::size_t>(std::count(text->begin(), text->end(), '\n')) <= lines) {
    truncated = true;
    // The first line of the window is a part of one, unless there is no other.
    if (const auto end = text->find('\n'); end + 1 < text->size())
      text->erase(0, end + 1);
  }
  auto ending = last_lines(std::move(*text), lines);
  return json{{"path", to_utf8(path.string())},
              {"text", to_utf8(ending.text)},
              {"line_count", ending.line_count},
              {"size_bytes", size},
              {"truncated", truncated}};
}

bool has_dots(const fs::path& path) {
  return std::find(path.begin(), path.end(), "..") != path.end();
}

} // namespace

tail last_lines(std::string text, std::size_t lines) {
  if (text.ends_with('\n'))
    text.pop_back();
  else if (text.empty())
    return {};
  std::size_t begin = text.size();
  std::size_t count = 0;
  while (count < lines) {
    const auto newline = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
    ++count;
    if (newline == std::string::npos)
      return {std::move(text), count};
    begin = newline;
  }
  return {text.substr(begin + 1), count};
}

log_files::log_files(std::vector<fs::path> directories) {
  for (auto& each : directories) {
    std::error_code failure;
    auto full = fs::absolute(each, failure).lexically_normal();
    // "/var/log/" has an empty last name that no path below it has.
    if (!full.has_filename() && full.has_relative_path())
      full = full.parent_path();
    directories_.push_back(std::move(full));
  }
}

result<json> log_files::tail_log(const std::string& text, std::size_t lines) const {
  const fs::path path(text);
  if (text.empty() || text.find('\0') != std::string::npos)
    return fail(errc::invalid_argument, "the path is empty or not a path");
  if (has_dots(path))
    return fail(errc::invalid_argument, fmt::format("{}: '..' is refused in paths", to_utf8(text)));
  auto reason = fail(errc::invalid_argument,
                     fmt::format("{} is not below a directory whose logs may be read", to_utf8(text)));
  for (const auto& directory : directories_) {
    std::error_code failure;
    const auto root = fs::canonical(directory, failure);
    if (failure)
      continue;
    auto rest = path.is_relative() ? std::optional(path) : below(directory, path.lexically_normal());
    if (!rest && !(rest = below(root, path.lexically_normal())))
      continue;
    const auto real = fs::canonical(root / *rest, failure);
    if (failure) {
      reason = system_failure(text, failure.value());
      continue;
    }
    const auto real_rest = below(root, real);
    if (!real_rest) {
      reason = fail(errc::invalid_argument,
                    fmt::format("{} is a link out of the directories whose logs may be read", to_utf8(text)));
      continue;
    }
    const auto file = open_below(root, *real_rest);
    return file ? read_tail(*file, real, lines) : result<json>(file.error());
  }
  return reason;
}

} // namespace troupe::hostwatch
