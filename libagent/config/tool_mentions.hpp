#pragma once

#include "libagent/config/reader.hpp"

#include <string>

/// Notes of the tools that a file speaks of: `tool_mention`.
namespace troupe::config {

/// Notes the tool of that name.
void mention_tool(const field& name);
/// Notes the tools that a list names; what is no name is passed over.
void mention_tools(const field& list);
/// Notes the arguments that an approval's expression asks for.
void mention_arguments(const field& expression);

/// Completes the notes that are taken while it lives.
class mentions_scope {
public:
  explicit mentions_scope(context& ctx) : ctx_(ctx), first_(ctx.tool_mentions.size()) {}

  void set_owner(tool_mention::owner whose, const std::string& name);
  /// Those about arguments are about this tool's; "*" is any tool.
  void set_tool(const std::string& name);
  /// Takes the notes back, since not all of the owner's tools can be known.
  void forget();

private:
  context& ctx_;
  std::size_t first_;
};

} // namespace troupe::config
