#include "actors/http/openapi.hpp"

#include "actors/http/routes.hpp"

#include <boost/algorithm/string/case_conv.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace troupe::http {

namespace {

json reference(std::string_view schema) {
  return {{"$ref", "#/components/schemas/" + std::string(schema)}};
}

json content_of(json schema) {
  return {{"application/json", {{"schema", std::move(schema)}}}};
}

json response(std::string_view description, json schema) {
  return {{"description", description}, {"content", content_of(std::move(schema))}};
}

json text() {
  return {{"type", "string"}};
}

json text_or_null() {
  return {{"type", json::array({"string", "null"})}};
}

json list_of(json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

/// An object all of whose fields are always there.
json record(json properties) {
  auto required = json::array();
  for (const auto& [name, ignored] : properties.items())
    required.push_back(name);
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

json session_id() {
  return {{"type", "string"}, {"minLength", 1}, {"maxLength", 128}, {"pattern", "^[!-~]+$"}};
}

json chat_request_schema() {
  json body{{"type", "object"}, {"required", json::array({"prompt"})}};
  body["properties"]["prompt"] = {
      {"type", "string"}, {"minLength", 1}, {"description", "What the user says"}};
  body["properties"]["agent"] = text_or_null();
  body["properties"]["agent"]["description"] = "Absent or null: the default agent on a new session, the "
                                               "agent that last answered on a session that goes on";
  body["properties"]["session_id"] = session_id();
  body["properties"]["session_id"]["type"] = json::array({"string", "null"});
  body["properties"]["session_id"]["description"] = "Absent or null: a new session";
  return body;
}

json mcp_server_schema() {
  return record({{"name", text()},
                 {"state", {{"type", "string"}, {"enum", {"starting", "ready", "restarting", "failed"}}}},
                 {"pid", {{"type", json::array({"integer", "null"})}}},
                 {"protocol_version", text_or_null()},
                 {"tools", list_of(text())},
                 {"restarts", {{"type", "integer"}, {"minimum", 0}}},
                 {"last_error", text_or_null()}});
}

json error_schema() {
  auto detail = record({{"error", text()}, {"code", text()}});
  detail["properties"]["session_id"] = session_id();
  return record({{"detail", std::move(detail)}});
}

json constant(std::string_view value) {
  return {{"const", value}};
}

json message_schema() {
  auto message = record({{"type", constant("message")},
                         {"role", {{"type", "string"}, {"enum", {"user", "assistant"}}}},
                         {"content", text()}});
  message["properties"]["agent"] = text();
  message["properties"]["agent"]["description"] = "Who said it, if an agent did";
  return message;
}

json function_call_schema() {
  auto call = record({{"type", constant("function_call")},
                      {"call_id", text()},
                      {"name", text()},
                      {"arguments", text()},
                      {"agent", text()}});
  call["description"] = "A tool call, or a handoff; the arguments are JSON as the model wrote it";
  return call;
}

json function_call_output_schema() {
  const auto parts = list_of({{"type", "object"}, {"required", json::array({"type"})}});
  auto output = record({{"type", constant("function_call_output")},
                        {"call_id", text()},
                        {"output", {{"oneOf", json::array({text(), parts})}}}});
  output["properties"]["is_error"] = {{"type", "boolean"}};
  return output;
}

json item_schema() {
  return {{"oneOf", json::array({message_schema(), function_call_schema(), function_call_output_schema()})}};
}

json schemas() {
  return {{"ChatRequest", chat_request_schema()},
          {"ChatReply", record({{"result", text()}, {"session_id", session_id()}, {"agent", text()}})},
          {"Session", record({{"session_id", session_id()},
                              {"agent", text_or_null()},
                              {"items", list_of(reference("Item"))}})},
          {"Item", item_schema()},
          {"McpServer", mcp_server_schema()},
          {"Error", error_schema()}};
}

struct failure_description {
  const char* status;
  std::string_view meaning;
};

void add_failures(json& responses, std::initializer_list<failure_description> failures) {
  for (const auto& [status, meaning] : failures)
    responses[status] = response(meaning, reference("Error"));
}

constexpr failure_description too_large{"413", "The body is too large"};
constexpr failure_description no_session{"404", "No such session"};
constexpr failure_description bad_session_id{"422",
                                             "The session id is not 1 to 128 visible ASCII characters"};
constexpr failure_description broken{"500", "The session store failed, or there is a bug"};
constexpr failure_description going_down{"503", "Shutting down"};
constexpr failure_description too_late{"504", "No answer in time"};

json session_parameter() {
  return json::array(
      {{{"name", "session_id"}, {"in", "path"}, {"required", true}, {"schema", session_id()}}});
}

json describe_chat() {
  json operation{{"operationId", "chat"},
                 {"summary", "Says something to an agent and waits for its answer"},
                 {"requestBody", {{"required", true}, {"content", content_of(reference("ChatRequest"))}}}};
  auto& responses = operation["responses"];
  responses["200"] = response("The answer", reference("ChatReply"));
  add_failures(responses, {{"400", "Not JSON, not UTF-8, or nested too deep"},
                           {"404", "No such agent"},
                           too_large,
                           {"415", "The Content-Type is not JSON"},
                           {"422", "A field is missing, empty or of the wrong type"},
                           {"429", "Too much work at once; try again after Retry-After seconds"},
                           {"500", "Too many turns, the session store failed, or there is a bug"},
                           {"502", "The model failed"},
                           going_down,
                           {"504", "The run or the model took too long"}});
  return operation;
}

json describe_session() {
  json operation{{"operationId", "getSession"},
                 {"summary", "Shows a session's items in order"},
                 {"parameters", session_parameter()}};
  operation["responses"]["200"] = response("The session", reference("Session"));
  add_failures(operation["responses"], {no_session, bad_session_id, broken, going_down, too_late});
  return operation;
}

json describe_forget_session() {
  json operation{{"operationId", "deleteSession"},
                 {"summary", "Forgets a session once its runs are over"},
                 {"parameters", session_parameter()}};
  operation["responses"]["204"] = {{"description", "Forgotten"}};
  add_failures(operation["responses"], {no_session, bad_session_id, broken, going_down, too_late});
  return operation;
}

json describe_simple(std::string_view id, std::string_view summary, json schema) {
  json operation{{"operationId", id}, {"summary", summary}};
  operation["responses"]["200"] = response(summary, std::move(schema));
  return operation;
}

json describe(endpoint what) {
  switch (what) {
  case endpoint::chat:
    return describe_chat();
  case endpoint::session:
    return describe_session();
  case endpoint::forget_session:
    return describe_forget_session();
  case endpoint::health:
    return describe_simple("health", "Whether the server answers", record({{"status", {{"const", "ok"}}}}));
  case endpoint::agents:
    return describe_simple("listAgents", "The agents' names, the default one first",
                           record({{"agents", list_of(text())}}));
  case endpoint::mcp:
    return describe_simple("listMcpServers", "How the MCP servers are",
                           record({{"servers", list_of(reference("McpServer"))}}));
  case endpoint::openapi:
    return describe_simple("openapi", "This document", {{"type", "object"}});
  }
  return nullptr;
}

} // namespace

json openapi_document() {
  json document{{"openapi", "3.1.0"},
                {"info", {{"title", "Troupe"}, {"version", "1"}}},
                {"components", {{"schemas", schemas()}}}};
  for (const auto& entry : routes()) {
    auto operation = describe(entry.what);
    operation["responses"]["default"] =
        response("What can happen to any request, such as 405, 414 and 431", reference("Error"));
    const auto method = boost::algorithm::to_lower_copy(std::string(entry.method));
    document["paths"][std::string(entry.path)][method] = std::move(operation);
  }
  return document;
}

} // namespace troupe::http
