#pragma once

#include "libagent/config/config.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// A place in a text: line and column (in characters), from 1.
struct place {
  unsigned line = 1;
  unsigned column = 1;
};

struct node;
/// Aliases share the node of their anchor.
using node_ptr = std::shared_ptr<const node>;

struct entry {
  std::string key;
  place at;
  node_ptr value;
};

/// A value of the file as it was written, with variables substituted and merge keys (`<<`) applied.
struct node {
  enum class kind { null, text, list, map };
  kind type = kind::null;
  place at;
  /// Only for texts.
  std::string text;
  /// Written without quotes, so it may be meant as a number or a boolean.
  bool plain = false;
  /// Holds the value of a variable, which may be a secret.
  bool substituted = false;
  /// Something about it was reported already; what is wrong with it besides is of no use.
  bool broken = false;
  std::vector<node_ptr> items;
  /// Keys are unique.
  std::vector<entry> entries;
};

/// Takes what is wrong in a text.
using report = std::function<void(place at, std::string message)>;

/// Reads one YAML or JSON document. Null when the text is no document or an empty one, which is reported,
/// or when it goes past a bound of `defaults.hpp`. Keys are never substituted.
node_ptr read_document(std::string_view text, const environment& env, const report& fail);

} // namespace troupe::config
