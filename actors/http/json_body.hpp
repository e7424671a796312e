#pragma once

#include "actors/http/defaults.hpp"
#include "libagent/core/json.hpp"
#include "libagent/core/result.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::http {

/// What counts as blank in bodies and headers.
inline constexpr std::string_view white_space = " \t\r\n\v\f";

/// Reads a body that must be a JSON object. `malformed` if it is not JSON, not UTF-8, nested too deep or
/// empty; `invalid_argument` if it is something else than an object.
result<json> parse_object(std::string_view body, std::size_t max_depth);

/// Collects what is wrong with a body's fields, so that the client learns all of it at once, within bounds.
/// Fields that are absent or null, or wrong, come out empty.
class field_reader {
public:
  /// The body must outlive the reader.
  explicit field_reader(const json& body) : body_(body) {}

  std::string required_text(std::string_view name);
  std::string optional_text(std::string_view name);
  bool optional_flag(std::string_view name);
  /// One of these words.
  std::string optional_word(std::string_view name, std::initializer_list<std::string_view> words);
  /// A whole number from 1 to `most`.
  std::optional<std::uint64_t> optional_count(std::string_view name, std::uint64_t most);
  /// Null if it is absent or null, or not an object.
  const json* optional_object(std::string_view name);
  /// Null if it is not an array.
  const json* required_array(std::string_view name);

  template <class... Args>
  void wrong(fmt::format_string<Args...> format, Args&&... args) {
    if (has_enough())
      return;
    if (!problems_.empty())
      problems_ += "; ";
    problems_ += fmt::format(format, std::forward<Args>(args)...);
    if (++count_; has_enough())
      problems_ += "; and maybe more";
  }

  /// Whether so much is wrong that nobody need look for more (`defaults::max_problems`).
  bool has_enough() const noexcept { return count_ >= defaults::max_problems; }
  /// What is wrong, as one sentence.
  const std::string& problems() const noexcept { return problems_; }

private:
  const json* present(std::string_view name) const;
  void missing(std::string_view name);
  void wrong_type(std::string_view name, std::string_view wanted, const json& value);
  std::string text(std::string_view name, const json& value);

  const json& body_;
  std::size_t count_ = 0;
  std::string problems_;
};

} // namespace troupe::http
