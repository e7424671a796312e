#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Looks for many texts at once (after Wu and Manber): most bytes of what is searched are never looked at,
/// unless the shortest of the texts is very short. Any thread.
class text_finder {
public:
  struct match {
    std::size_t begin = 0;
    /// Which of the texts, by its place among them.
    std::size_t text = 0;
  };

  text_finder() = default;
  /// None of them shorter than 2 bytes.
  explicit text_finder(std::vector<std::string> wanted);

  bool empty() const noexcept { return wanted_.empty(); }
  const std::string& text(std::size_t index) const { return wanted_[index]; }
  /// The first place at or after `from` where one of them stands; the longest of those that begin there.
  std::optional<match> find(std::string_view in, std::size_t from = 0) const;
  /// Bytes at the end of a text that may be the beginning of one of them.
  std::size_t begun_at_end(std::string_view in) const;

private:
  static std::size_t block(std::string_view in, std::size_t end) {
    return static_cast<unsigned char>(in[end - 1]) << 8 | static_cast<unsigned char>(in[end]);
  }

  std::vector<std::string> wanted_;
  std::size_t shortest_ = 0;
  std::size_t longest_ = 0;
  /// How far on the next place can be, for the two bytes that end a window as long as the shortest text.
  std::vector<std::uint8_t> shifts_;
  /// Those that have these two bytes there, the longest first.
  std::unordered_map<std::size_t, std::vector<std::size_t>> ending_with_;
  std::array<bool, 256> first_bytes_{};
  std::vector<bool> first_pairs_;
};

} // namespace troupe
