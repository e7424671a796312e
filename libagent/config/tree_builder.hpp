#pragma once

#include "libagent/config/document.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::config {

/// Builds a tree of nodes from the events of a parser. Duplicate keys and bad variables are reported as they
/// come. All calls throw `stop` when building on makes no sense; that was reported too.
class tree_builder {
public:
  struct stop {};
  /// Names an anchored node; 0 is none.
  using anchor = std::size_t;

  tree_builder(const environment& env, const report& fail) : env_(env), fail_(fail) {}

  void null(place at, anchor name);
  void scalar(place at, std::string text, bool plain, anchor name);
  void alias(place at, anchor name);
  void begin(node::kind type, place at, anchor name);
  void end();

  /// Whether what comes next is the key of a map.
  bool at_key() const;
  /// Reports and throws `stop`.
  [[noreturn]] void fail(place at, std::string message) const;
  /// Null until the document has ended, and for an empty one.
  node_ptr root() const { return root_.value; }

private:
  /// A finished node with its size, aliases counted as if they were written out.
  struct measured {
    std::shared_ptr<node> value;
    std::size_t bytes = 0;
    unsigned height = 0;
  };
  /// A list or map that is still open.
  struct frame {
    measured built;
    anchor name = 0;
    bool has_key = false;
    bool is_merge = false;
    entry pending;
    std::map<std::string, place, std::less<>> keys;
    std::vector<node_ptr> merged;
  };

  void key(place at, std::string text, bool plain);
  void add(measured value);
  void add_to_map(frame& map, const node_ptr& value) const;
  void merge(frame& map, const node_ptr& value) const;

  const environment& env_;
  const report& fail_;
  std::vector<frame> open_;
  std::unordered_map<anchor, measured> anchors_;
  measured root_;
};

} // namespace troupe::config
