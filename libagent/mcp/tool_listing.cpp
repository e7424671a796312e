#include "libagent/mcp/tool_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::mcp {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What the tool takes. None given is any object; a schema of something else than an object is an error.
result<json_schema> input_of(json& tool) {
  const auto given = tool.find("inputSchema");
  if (given == tool.end() || given->is_null())
    return json_schema();
  if (!given->is_object())
    return fail(errc::invalid_argument, "inputSchema is not an object");
  const auto* type = find(*given, "type");
  if (type != nullptr && *type != "object")
    return fail(errc::invalid_argument, "inputSchema is not of type object");
  (*given)["type"] = "object";
  return json_schema::compile(std::move(*given));
}

/// A text for the model to go by.
std::string description_of(const json& tool) {
  for (const char* key : {"description", "title"})
    if (const auto* text = find_string(tool, key); text != nullptr && !text->empty())
      return *text;
  return {};
}

/// By its annotations; anything but `true` counts as no.
bool is_repeatable(const json& tool) {
  const auto* annotations = find(tool, "annotations");
  if (annotations == nullptr || !annotations->is_object())
    return false;
  for (const char* key : {"readOnlyHint", "idempotentHint"})
    if (const auto* hint = find(*annotations, key); hint != nullptr && *hint == true)
      return true;
  return false;
}

} // namespace

bool tool_filter::keeps(const std::string& name) const {
  return (!allowed || contains(*allowed, name)) && !contains(blocked, name);
}

tool_listing::tool_listing(tool_filter filter, unsigned max_pages)
    : filter_(std::move(filter)), max_pages_(max_pages) {}

result<std::optional<std::string>> tool_listing::add_page(json page) {
  const auto* tools = find(page, "tools");
  if (tools == nullptr || !tools->is_array())
    return fail(errc::protocol_violation, "the answer to tools/list has no array of tools");
  for (auto& tool : page["tools"])
    add_tool(std::move(tool));

  const auto* cursor = find(page, "nextCursor");
  // An empty text ends the list too: servers write it that cannot leave a field out.
  if (cursor == nullptr || cursor->is_null() || *cursor == "")
    return std::optional<std::string>();
  if (!cursor->is_string())
    return fail(errc::protocol_violation, "the answer to tools/list has a cursor that is not a string");
  auto next = cursor->get<std::string>();
  if (!cursors_.insert(next).second)
    return fail(errc::protocol_violation, "the server's tool list never ends: a cursor came again");
  if (++pages_ >= max_pages_)
    return fail(errc::protocol_violation,
                fmt::format("the server's tool list has over {} pages", max_pages_));
  return std::optional(std::move(next));
}

void tool_listing::add_tool(json tool) {
  const auto* given_name = find_string(tool, "name");
  if (given_name == nullptr || given_name->empty()) {
    remarks_.push_back("a tool without a name is left out");
    return;
  }
  const auto name = *given_name;
  if (!names_.insert(name).second) {
    remarks_.push_back(fmt::format("tool '{}' is listed more than once; the first counts", name));
    return;
  }
  if (!filter_.keeps(name))
    return;
  auto input = input_of(tool);
  if (!input) {
    remarks_.push_back(fmt::format("tool '{}' is left out: {}", name, input.error().detail));
    return;
  }
  found_.tools.push_back({name, description_of(tool), std::move(*input), is_repeatable(tool)});

  const auto output = tool.find("outputSchema");
  if (output == tool.end() || output->is_null())
    return;
  if (auto schema = json_schema::compile(std::move(*output)))
    found_.outputs.emplace(name, std::move(*schema));
  else
    remarks_.push_back(fmt::format("tool '{}': outputSchema is ignored: {}", name, schema.error().detail));
}

std::vector<std::string> tool_listing::take_remarks() {
  return std::exchange(remarks_, {});
}

listed_tools tool_listing::take_tools() {
  return std::exchange(found_, {});
}

} // namespace troupe::mcp
