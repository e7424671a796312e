#pragma once

#include "libagent/model/model.hpp"

#include <memory>
#include <string>
#include <utility>

/// Short ways to write requests and items in the tests of this folder.
namespace model_test {

inline troupe::item user(std::string text) {
  return troupe::user_message{std::move(text)};
}

inline troupe::item said(std::string text) {
  return troupe::assistant_message{"a", std::move(text)};
}

inline troupe::item called(std::string id, std::string tool, std::string arguments = "{}") {
  return troupe::tool_call{std::move(id), std::move(tool), std::move(arguments), "a"};
}

inline troupe::item output(std::string id, std::string text, bool is_error = false) {
  return troupe::tool_output{std::move(id), {troupe::text_content{std::move(text)}}, is_error};
}

inline troupe::tool_spec tool(std::string name, troupe::json properties = troupe::json::object()) {
  auto schema = troupe::json{{"type", "object"}, {"properties", std::move(properties)}};
  return {std::move(name), "", troupe::json_schema::compile(std::move(schema)).value()};
}

inline troupe::shared_tools tools(troupe::tool_list list) {
  return std::make_shared<const troupe::tool_list>(std::move(list));
}

inline troupe::model_request request(troupe::item_list fresh, troupe::tool_list offered = {}) {
  auto made = troupe::model_request{};
  made.agent = "helper";
  made.fresh = std::move(fresh);
  made.tools = tools(std::move(offered));
  return made;
}

} // namespace model_test
