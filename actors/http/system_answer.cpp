#include "actors/http/answer.hpp"
#include "libagent/core/version.hpp"

namespace troupe::http {

namespace {

template <class T>
json value_or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json value_or_null(const std::optional<std::chrono::milliseconds>& value) {
  return value ? json(value->count()) : json(nullptr);
}

json to_json(const system_node& node) {
  json made{{"name", node.name}, {"kind", node.kind}, {"state", node.state}};
  if (!node.children.empty() || node.kind == "group") {
    auto& children = made["children"] = json::array();
    for (const auto& child : node.children)
      children.push_back(to_json(child));
  }
  if (node.kind == "group")
    return made;
  made["restarts"] = node.restarts;
  made["mailbox"] = value_or_null(node.mailbox);
  made["in_flight"] = value_or_null(node.in_flight);
  made["waiting"] = value_or_null(node.waiting);
  made["breaker"] = node.breaker ? http::to_json(*node.breaker) : json(nullptr);
  made["last_error"] = node.last_error.empty() ? json(nullptr) : json(node.last_error);
  made["retry_in_ms"] = value_or_null(node.retry_in);
  return made;
}

} // namespace

json to_json(const breaker_status& breaker) {
  return {{"state", to_string(breaker.state)},
          {"failures", breaker.failures},
          {"open_for_ms", value_or_null(breaker.open_for)},
          {"retry_in_ms", value_or_null(breaker.retry_in)}};
}

answer show(const system_status& system) {
  return succeed({{"version", version},
                  {"uptime_s", static_cast<double>(system.uptime.count()) / 1000},
                  {"tree", to_json(system.root)}});
}

} // namespace troupe::http
