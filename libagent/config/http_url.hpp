#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

struct url_rules {
  /// To be shown as what would be right.
  std::string_view example;
  /// Paths that are added to the URL, so that it must not end in them.
  std::vector<std::string_view> added_paths;
  bool may_have_query = false;
};

/// What is wrong with a URL, as "<problem>; <what would be right>" without any part of the URL, or an empty
/// text.
std::string problem_of_url(std::string_view url, const url_rules& rules);

/// Whether the text is a header field's name (RFC 9110 5.6.2, token).
bool is_header_name(std::string_view name);

} // namespace troupe::config
