#include "libagent/core/json.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

/// Length of the well-formed UTF-8 sequence at the beginning of `bytes`, or 0 (RFC 3629, section 4).
std::size_t sequence_length(std::string_view bytes) noexcept {
  const auto at = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto is_tail = [&](std::size_t i) { return i < bytes.size() && (at(i) & 0xC0) == 0x80; };
  const unsigned char lead = at(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return is_tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!is_tail(1) || !is_tail(2))
      return 0;
    const bool overlong = lead == 0xE0 && at(1) < 0xA0;
    const bool surrogate = lead == 0xED && at(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!is_tail(1) || !is_tail(2) || !is_tail(3))
      return 0;
    const bool overlong = lead == 0xF0 && at(1) < 0x90;
    const bool beyond = lead == 0xF4 && at(1) > 0x8F;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

/// Byte offset of the bracket that opens level `max_depth + 1`, or npos. Brackets in strings do not count.
std::size_t too_deep_at(std::string_view text, std::size_t max_depth) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth)
        return i;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return std::string_view::npos;
}

/// Messages quote what they are about, however long that is.
constexpr std::size_t longest_message = 200;

/// The library's message without its own name and number: "at line 1, column 5: syntax error ...", or
/// "number overflow parsing '1e999'".
std::string readable(const json::exception& failure) {
  std::string_view what = failure.what();
  if (const auto end = what.find("] "); end != std::string_view::npos)
    what.remove_prefix(end + 2);
  constexpr std::string_view intro = "parse error ";
  if (what.substr(0, intro.size()) == intro)
    what.remove_prefix(intro.size());
  return to_utf8(what.substr(0, longest_message));
}

} // namespace

result<json> parse_json(std::string_view text, std::size_t max_depth) {
  // Depth first: the parser itself is iterative, but what works on its result need not be.
  if (const auto at = too_deep_at(text, max_depth); at != std::string_view::npos)
    return fail(errc::malformed, fmt::format("nested more than {} levels deep at byte {}", max_depth, at));
  if (!is_utf8(text))
    return fail(errc::malformed, "not UTF-8");
  // The library takes it for the end, and leaves what comes after it unread.
  if (const auto at = text.find('\0'); at != std::string_view::npos)
    return fail(errc::malformed, fmt::format("not JSON: there is a NUL at byte {}", at));
  try {
    return json::parse(text);
  } catch (const json::parse_error& failure) {
    return fail(errc::malformed, fmt::format("not JSON {}", readable(failure)));
  } catch (const json::exception& failure) {
    return fail(errc::malformed, fmt::format("not JSON: {}", readable(failure)));
  }
}

std::string dump_json(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto length = sequence_length(bytes);
    if (length == 0)
      return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto length = sequence_length(bytes);
    if (length == 0)
      text += "\xEF\xBF\xBD";
    else
      text += bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

const std::string* find_string(const json& object, std::string_view key) {
  const json* value = find(object, key);
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

const json* find(const json& object, std::string_view key) {
  if (!object.is_object())
    return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

} // namespace troupe
