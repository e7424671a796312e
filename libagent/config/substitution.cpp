#include "libagent/config/substitution.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

constexpr auto malformed_reference =
    "'${' is not followed by the name of a variable and '}'; write ${NAME} or "
    "${NAME:-default}, or $${ for a literal ${";

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_char(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

/// Recursive descent over the text; depth is bounded.
class expander {
public:
  expander(std::string_view text, const environment& env) : rest_(text), env_(env) {}

  substitution run() {
    expand_until_end(0, true);
    return std::move(out_);
  }

private:
  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected))
      return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// Up to the end, or inside a default up to its closing brace, which is not taken. What is not `wanted`
  /// is read but put nowhere.
  void expand_until_end(unsigned depth, bool wanted) {
    while (!rest_.empty() && ok_ && !(depth > 0 && rest_.front() == '}')) {
      if (take("$${")) {
        put("${", wanted);
      } else if (take("${")) {
        reference(depth + 1, wanted);
      } else {
        put(rest_.substr(0, 1), wanted);
        rest_.remove_prefix(1);
      }
    }
  }

  void reference(unsigned depth, bool wanted) {
    out_.substituted = true;
    const auto name = take_name();
    if (name.empty() || depth > defaults::max_variable_depth)
      return stop(malformed_reference);
    const auto value = env_ ? env_(name) : std::nullopt;
    if (take("}"))
      return put_variable(name, value, wanted);
    if (!take(":-"))
      return stop(malformed_reference);
    const auto has_value = value && !value->empty();
    expand_until_end(depth, wanted && !has_value);
    if (ok_ && !take("}"))
      return stop(malformed_reference);
    if (has_value)
      put_variable(name, value, wanted);
  }

  std::string take_name() {
    if (rest_.empty() || !is_name_start(rest_.front()))
      return {};
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_name_char);
    const auto name = std::string{rest_.begin(), end};
    rest_.remove_prefix(name.size());
    return name;
  }

  void put_variable(const std::string& name, const std::optional<std::string>& value, bool wanted) {
    if (!wanted || !ok_)
      return;
    if (!value)
      out_.problems.push_back(
          fmt::format("environment variable '{0}' is not set; set it, or write ${{{0}:-default}}", name));
    else if (!is_utf8(*value))
      out_.problems.push_back(fmt::format("environment variable '{}' is not UTF-8; set it to a text", name));
    else
      put(*value, true);
  }

  void put(std::string_view text, bool wanted) {
    if (!wanted)
      return;
    if (out_.text.size() + text.size() > defaults::max_file_bytes)
      return stop("the text is too long once its variables are filled in; shorten it");
    out_.text += text;
  }

  void stop(std::string why) {
    if (ok_)
      out_.problems.push_back(std::move(why));
    ok_ = false;
  }

  std::string_view rest_;
  const environment& env_;
  substitution out_;
  bool ok_ = true;
};

} // namespace

substitution substitute(std::string_view text, const environment& env) {
  return expander{text, env}.run();
}

} // namespace troupe::config
