#include "libagent/guardrail/pii_finders.hpp"

#include <algorithm>

namespace troupe::guardrail {

namespace {

constexpr std::size_t max_local_bytes = 64;
constexpr std::size_t max_label_bytes = 63;
constexpr std::size_t max_top_level_bytes = 24;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_digit);
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= max_label_bytes && label.front() != '-' && label.back() != '-';
}

/// Length of the top-level domain that the label begins with, or 0.
std::size_t top_level_length(std::string_view label) {
  if (label.starts_with("xn--") && is_label(label))
    return label.size();
  const auto letters =
      static_cast<std::size_t>(std::find_if_not(label.begin(), label.end(), is_letter) - label.begin());
  const bool ends_there = letters == label.size() || label[letters] == '-';
  return ends_there && letters >= 2 && letters <= max_top_level_bytes ? letters : 0;
}

/// "icon@2x.png" is a file, "tool@1.2.beta" a version.
bool is_file_or_version(const std::vector<std::string_view>& labels) {
  const auto first = labels.front();
  const bool is_scale =
      first.size() > 1 && first.back() == 'x' && all_digits(first.substr(0, first.size() - 1));
  return is_scale || (labels.size() > 2 && all_digits(first) && all_digits(labels[1]));
}

/// Length of the domain that the text begins with, or 0: at least two labels, the last of them a top-level
/// domain.
std::size_t domain_length(std::string_view text) {
  std::vector<std::string_view> labels;
  std::size_t longest = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const auto label = text.substr(at, text.find('.', at) - at);
    const auto top = top_level_length(label);
    labels.push_back(label);
    if (labels.size() > 1 && top > 0)
      longest = is_file_or_version(labels) ? 0 : at + top;
    if (!is_label(label))
      break;
    at += label.size() + 1;
  }
  return longest;
}

/// Where the part before the @ begins that can be one, or its end.
std::size_t local_start(std::string_view local) {
  const auto dots = local.rfind("..");
  const auto from = dots == std::string_view::npos ? 0 : dots + 2;
  const auto start = local.find_first_not_of(".%+'-", from);
  return start == std::string_view::npos || local.back() == '.' ? local.size() : start;
}

} // namespace

void find_emails(std::string_view text, std::vector<finding>& into) {
  static const re2::RE2 candidate(R"([A-Za-z0-9\x{C0}-\x{24F}._%+'-]+@[A-Za-z0-9][A-Za-z0-9.-]*)");
  each_match(candidate, text, [&](std::size_t begin, std::size_t size) {
    const auto found = text.substr(begin, size);
    const auto sign = found.find('@');
    const auto start = local_start(found.substr(0, sign));
    const auto length = domain_length(found.substr(sign + 1));
    const auto end = sign + 1 + length;
    const auto next = char_at(text, begin + end);
    const bool is_inside = char_before(text, begin) == '@' || next == '@' || next == '_';
    if (length > 0 && start < sign && sign - start <= max_local_bytes && !is_inside)
      into.push_back({entity::email, begin + start, end - start});
    return begin + size;
  });
}

} // namespace troupe::guardrail
