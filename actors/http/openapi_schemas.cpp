#include "actors/http/openapi_schemas.hpp"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace troupe::http::schemas {

json text() {
  return {{"type", "string"}};
}

json text_or_null() {
  return {{"type", json::array({"string", "null"})}};
}

json list_of(json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

json record(json properties) {
  auto required = json::array();
  for (const auto& [name, ignored] : properties.items())
    required.push_back(name);
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

json session_id() {
  return {{"type", "string"}, {"minLength", 1}, {"maxLength", 128}, {"pattern", "^[!-~]+$"}};
}

json reference(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

namespace {

json described(json schema, std::string_view description) {
  schema["description"] = description;
  return schema;
}

json one_of(std::initializer_list<std::string_view> values) {
  return {{"type", "string"}, {"enum", json(std::vector<std::string_view>(values))}};
}

json count() {
  return {{"type", "integer"}, {"minimum", 0}};
}

json object() {
  return {{"type", "object"}};
}

json stream_flag() {
  return described({{"type", json::array({"boolean", "null"})}},
                   "Whether to answer by a stream of server-sent events; so does Accept: text/event-stream");
}

json on_disconnect() {
  return described(
      one_of({"cancel", "detach"}),
      "What becomes of the run when the client goes away; absent: cancel for a stream, else detach");
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
  body["properties"]["stream"] = stream_flag();
  body["properties"]["context"] = described({{"type", json::array({"object", "null"})}},
                                            "What templates and expressions know as `context`");
  body["properties"]["budget"] = reference("Budget");
  body["properties"]["background"] =
      described({{"type", json::array({"boolean", "null"})}},
                "Whether to answer 202 as soon as the run is accepted, which then goes on by itself");
  body["properties"]["on_disconnect"] = on_disconnect();
  body["properties"]["on_busy"] =
      described(one_of({"enqueue", "reject", "interrupt", "rollback"}),
                "What to do if a run of the session is under way; absent: what the agent file says");
  body["properties"]["deadline_ms"] =
      described({{"type", json::array({"integer", "null"})}, {"minimum", 1}},
                "Milliseconds for the run and its wait together; the configured run timeout holds besides");
  return body;
}

json budget_schema() {
  json bounds{{"type", json::array({"object", "null"})}, {"additionalProperties", false}};
  for (const char* kind : {"turns", "model_calls", "tool_calls", "input_tokens", "output_tokens",
                           "total_tokens", "wall_time_ms"})
    bounds["properties"][kind] = count();
  bounds["properties"]["cost"] = {{"type", "number"}, {"minimum", 0}};
  return described(
      std::move(bounds),
      "What the run may spend, beside the configuration's bounds; the tighter of each kind holds");
}

json counts_schema() {
  return record({{"requests", count()},
                 {"input_tokens", count()},
                 {"output_tokens", count()},
                 {"cached_tokens", count()},
                 {"reasoning_tokens", count()},
                 {"total_tokens", count()},
                 {"tool_calls", count()}});
}

json usage_schema() {
  auto report = counts_schema();
  for (const char* by : {"agents", "models"}) {
    report["properties"][by] = {{"type", "object"}, {"additionalProperties", counts_schema()}};
    report["required"].push_back(by);
  }
  report["properties"]["cost"] = described(
      {{"type", "number"}}, "In the currency of the agent file's prices; absent where no model has one");
  return described(std::move(report), "What was spent: in all, by agent and by model");
}

json result_schema() {
  // True: any JSON at all.
  return described(json::object(), "A text; JSON that fits the output schema if the agent has one");
}

json chat_reply_schema() {
  return record({{"result", result_schema()},
                 {"session_id", session_id()},
                 {"agent", text()},
                 {"run_id", text()},
                 {"usage", reference("Usage")}});
}

json interruption_schema() {
  return record({{"id", text()},
                 {"kind", one_of({"tool", "handoff", "in_doubt"})},
                 {"agent", text()},
                 {"tool", text()},
                 {"arguments", object()}});
}

json paused_run_schema() {
  return record({{"status", {{"const", "paused"}}},
                 {"run_id", text()},
                 {"interruptions", list_of(reference("Interruption"))},
                 {"session_id", session_id()},
                 {"agent", text()},
                 {"usage", reference("Usage")}});
}

json accepted_run_schema() {
  return record({{"status", {{"const", "running"}}}, {"run_id", text()}, {"session_id", session_id()}});
}

json run_schema() {
  auto run = record({{"run_id", text()},
                     {"session_id", session_id()},
                     {"status", one_of({"running", "paused", "completed", "failed", "cancelled"})},
                     {"agent", text_or_null()},
                     {"items", list_of(reference("Item"))},
                     {"usage", reference("Usage")}});
  run["properties"]["result"] = result_schema();
  run["properties"]["error"] = described(record({{"error", text()}, {"code", text()}}),
                                         "Of a failed or cancelled run; facts beside the code may follow");
  run["properties"]["interruptions"] = list_of(reference("Interruption"));
  return run;
}

json decision_schema() {
  auto decided =
      record({{"id", text()}, {"decision", one_of({"approve", "reject", "repeat", "result", "fail"})}});
  auto& members = decided["properties"];
  members["id"]["description"] = "The interruption's";
  members["decision"]["description"] = "`approve` or `reject` a call that waits for an approval; `repeat` a "
                                       "call in doubt, or give its `result`, "
                                       "or have it `fail`";
  members["message"] = described(text(), "For a rejection and a failure: what the model is told");
  members["output"] = described(text(), "For a result: what the tool gave");
  members["always"] = described({{"type", "boolean"}}, "For an approval: of all such calls on this session");
  members["arguments"] = described(object(), "For an approval: in place of the model's");
  return decided;
}

json resume_request_schema() {
  auto body = record({{"decisions", list_of(reference("Decision"))}});
  body["properties"]["stream"] = stream_flag();
  body["properties"]["on_disconnect"] = on_disconnect();
  return body;
}

json cancel_request_schema() {
  json body = object();
  body["properties"]["mode"] = described(one_of({"at_once", "after_turn"}), "Absent: at once");
  return body;
}

json mcp_server_schema() {
  return record({{"name", text()},
                 {"state", {{"type", "string"}, {"enum", {"starting", "ready", "restarting", "failed"}}}},
                 {"pid", {{"type", json::array({"integer", "null"})}}},
                 {"protocol_version", text_or_null()},
                 {"tools", list_of(text())},
                 {"restarts", {{"type", "integer"}, {"minimum", 0}}},
                 {"last_error", text_or_null()},
                 {"breaker", reference("Breaker")}});
}

json number_or_null() {
  return {{"type", json::array({"integer", "null"})}};
}

json breaker_schema() {
  return record({{"state", one_of({"closed", "open", "half_open"})},
                 {"failures", {{"type", "integer"}, {"minimum", 0}}},
                 {"open_for_ms", number_or_null()},
                 {"retry_in_ms", number_or_null()}});
}

json system_part_schema() {
  auto part = record({{"name", text()}, {"kind", text()}, {"state", text()}});
  auto& members = part["properties"];
  members["children"] = list_of(reference("SystemPart"));
  members["restarts"] = {{"type", "integer"}, {"minimum", 0}};
  for (const auto* count : {"mailbox", "in_flight", "waiting", "retry_in_ms"})
    members[count] = number_or_null();
  members["breaker"] = {{"oneOf", json::array({reference("Breaker"), {{"type", "null"}}})}};
  members["last_error"] = text_or_null();
  return described(std::move(part), "A group has its children only");
}

json error_schema() {
  auto detail = record({{"error", text()}, {"code", text()}});
  detail["properties"]["session_id"] = session_id();
  detail["properties"]["run_id"] = text();
  detail["description"] = "Facts beside the code may follow, such as `kind`, `spent` and `limit` of a budget";
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

json reasoning_schema() {
  auto thought = record({{"type", constant("reasoning")},
                         {"agent", text()},
                         {"text", text()},
                         {"format", text()},
                         {"raw", text()}});
  return described(std::move(thought), "What a model thought; `raw` is its endpoint's own form");
}

json item_schema() {
  return {{"oneOf", json::array({message_schema(), function_call_schema(), function_call_output_schema(),
                                 reasoning_schema()})}};
}

} // namespace

json all() {
  return {
      {"ChatRequest", chat_request_schema()},
      {"ChatReply", chat_reply_schema()},
      {"Budget", budget_schema()},
      {"Usage", usage_schema()},
      {"Interruption", interruption_schema()},
      {"PausedRun", paused_run_schema()},
      {"AcceptedRun", accepted_run_schema()},
      {"Run", run_schema()},
      {"Decision", decision_schema()},
      {"ResumeRequest", resume_request_schema()},
      {"CancelRequest", cancel_request_schema()},
      {"Session", record({{"session_id", session_id()},
                          {"agent", text_or_null()},
                          {"items", list_of(reference("Item"))},
                          {"usage", reference("Usage")}})},
      {"Item", item_schema()},
      {"McpServer", mcp_server_schema()},
      {"Breaker", breaker_schema()},
      {"SystemPart", system_part_schema()},
      {"System",
       record({{"version", text()}, {"uptime_s", {{"type", "number"}}}, {"tree", reference("SystemPart")}})},
      {"Error", error_schema()}};
}

} // namespace troupe::http::schemas
