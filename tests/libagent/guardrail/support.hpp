#pragma once

#include "libagent/guardrail/pii.hpp"

#include <string>
#include <string_view>

namespace guardrail_test {

/// The text with all that is found in brackets with its kind, e.g. "at <email a@b.de>".
inline std::string
marked(std::string_view text,
       const std::set<troupe::guardrail::entity>& entities = troupe::guardrail::pii_rule().entities) {
  std::string made;
  std::size_t at = 0;
  for (const auto& each : find_pii(text, entities)) {
    made += text.substr(at, each.begin - at);
    made += '<' + std::string(to_string(each.what)) + ' ';
    made += text.substr(each.begin, each.size);
    made += '>';
    at = each.begin + each.size;
  }
  made += text.substr(at);
  return made;
}

/// The text without the marks.
inline std::string unmarked(std::string text) {
  for (const auto* mark : {"<email ", "<card ", "<phone ", "<iban ", "<key "})
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
      text.erase(text.find('>', at), 1);
      text.erase(at, std::string_view(mark).size());
    }
  return text;
}

} // namespace guardrail_test
