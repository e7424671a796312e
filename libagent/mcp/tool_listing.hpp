#pragma once

#include "libagent/core/tool.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::mcp {

/// Which tools of a server to keep.
struct tool_filter {
  /// Nothing given means all that are not blocked.
  std::optional<std::vector<std::string>> allowed;
  std::vector<std::string> blocked;

  bool keeps(const std::string& name) const;
};

/// The tools of one complete listing, and the schemas of what they give back.
struct listed_tools {
  tool_list tools;
  std::map<std::string, json_schema> outputs;
};

/// Gathers the pages of one `tools/list` (MCP, "Server Features / Tools" and "Utilities / Pagination").
class tool_listing {
public:
  tool_listing(tool_filter filter, unsigned max_pages);

  /// Takes the result of one page. The cursor of the next, or nothing if this was the last. Error
  /// `protocol_violation` if it is no tool list, a cursor comes again, or there are too many pages.
  result<std::optional<std::string>> add_page(json page);

  /// What was left out or odd since the last call of this, one sentence each.
  std::vector<std::string> take_remarks();
  listed_tools take_tools();

private:
  void add_tool(json tool);

  tool_filter filter_;
  unsigned max_pages_;
  unsigned pages_ = 0;
  std::set<std::string> cursors_;
  std::set<std::string> names_;
  std::vector<std::string> remarks_;
  listed_tools found_;
};

} // namespace troupe::mcp
