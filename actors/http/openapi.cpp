#include "actors/http/openapi.hpp"

#include "actors/http/openapi_schemas.hpp"
#include "actors/http/routes.hpp"

#include <boost/algorithm/string/case_conv.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace troupe::http {

namespace {

json content_of(json schema) {
  return {{"application/json", {{"schema", std::move(schema)}}}};
}

json response(std::string_view description, json schema) {
  return {{"description", description}, {"content", content_of(std::move(schema))}};
}

struct failure_description {
  const char* status;
  std::string_view meaning;
};

void add_failures(json& responses, std::initializer_list<failure_description> failures) {
  for (const auto& [status, meaning] : failures)
    responses[status] = response(meaning, schemas::reference("Error"));
}

constexpr failure_description too_large{"413", "The body is too large"};
constexpr failure_description no_session{"404", "No such session"};
constexpr failure_description bad_session_id{"422",
                                             "The session id is not 1 to 128 visible ASCII characters"};
constexpr failure_description broken{"500", "The session store failed, or there is a bug"};
constexpr failure_description going_down{
    "503", "Shutting down, or a part that is needed is down; try again after Retry-After seconds"};
constexpr failure_description too_late{"504", "No answer in time"};

constexpr failure_description no_run{"404", "No such run"};
constexpr failure_description not_json{"400", "Not JSON, not UTF-8, or nested too deep"};
constexpr failure_description not_json_type{"415", "The Content-Type is not JSON"};

json session_parameter() {
  return json::array(
      {{{"name", "session_id"}, {"in", "path"}, {"required", true}, {"schema", schemas::session_id()}}});
}

json run_parameter() {
  return json::array({{{"name", "run_id"}, {"in", "path"}, {"required", true}, {"schema", schemas::text()}}});
}

json header_parameter(std::string_view name, std::string_view description) {
  return {{"name", name},
          {"in", "header"},
          {"required", false},
          {"description", description},
          {"schema", {{"type", "string"}}}};
}

/// What a run that is waited for comes to, at once or as a stream.
json describe_outcome() {
  json responses;
  auto& completed = responses["200"];
  completed =
      response("The answer, or what happens in the run as it happens", schemas::reference("ChatReply"));
  completed["content"]["text/event-stream"]["schema"] = {
      {"type", "string"},
      {"description",
       "Server-sent events, each with an id and one line of JSON: run_started, agent_started, text_delta, "
       "reasoning_delta, tool_call_started, tool_call_arguments_delta, tool_call_completed, handoff, "
       "guardrail, "
       "usage; at last run_completed (ChatReply), approval_required (PausedRun) or run_failed (Error, with "
       "the "
       "status). A run that fails before its first event is answered by that status and no stream"}};
  responses["202"] = response(
      "The run waits for decisions; go on with it by resume. Or it goes on in the background",
      json{{"oneOf", json::array({schemas::reference("PausedRun"), schemas::reference("AcceptedRun")})}});
  add_failures(responses,
               {{"429", "Too much work at once; try again after Retry-After seconds"},
                {"500", "Too many turns, the session store failed, or there is a bug"},
                {"502", "The model, a tool or a hook failed, or the output does not fit its schema"},
                going_down,
                {"504", "The run or the model took too long"},
                {"507", "There is no room left to store anything"}});
  return responses;
}

json describe_chat() {
  json operation{
      {"operationId", "chat"},
      {"summary", "Says something to an agent and waits for its answer"},
      {"parameters",
       json::array({header_parameter("Idempotency-Key",
                                     "Names the request: the same one again is answered by the same run")})},
      {"requestBody", {{"required", true}, {"content", content_of(schemas::reference("ChatRequest"))}}}};
  operation["responses"] = describe_outcome();
  add_failures(operation["responses"],
               {not_json,
                {"404", "No such agent"},
                {"409", "A run of the session is paused, or this one was cancelled"},
                too_large,
                not_json_type,
                {"422", "A field is missing, empty or of the wrong type; a guardrail tripped; or the "
                        "budget is exceeded"}});
  return operation;
}

json describe_resume() {
  json operation{
      {"operationId", "resumeRun"},
      {"summary", "Goes on with a paused run and waits for its answer"},
      {"parameters", run_parameter()},
      {"requestBody", {{"required", true}, {"content", content_of(schemas::reference("ResumeRequest"))}}}};
  operation["responses"] = describe_outcome();
  add_failures(operation["responses"],
               {not_json,
                no_run,
                {"409", "The run is not paused, or was cancelled since"},
                too_large,
                not_json_type,
                {"422", "A decision is wrong or does not fit the run; a guardrail tripped; or the budget "
                        "is exceeded"}});
  return operation;
}

json describe_run() {
  json operation{{"operationId", "getRun"},
                 {"summary", "Shows how a run stands: under way, paused, or over lately"},
                 {"parameters", run_parameter()}};
  operation["responses"]["200"] = response("The run", schemas::reference("Run"));
  add_failures(operation["responses"], {no_run, broken, going_down, too_late});
  return operation;
}

json describe_events() {
  json operation{{"operationId", "followRun"},
                 {"summary", "Tells what happens in a run, from its beginning or after the last event known"},
                 {"parameters", run_parameter()}};
  operation["parameters"].push_back(
      header_parameter("Last-Event-ID", "The id of the last event that the client has"));
  operation["responses"]["200"] = {{"description", "Events as a streamed chat has them"},
                                   {"content", {{"text/event-stream", {{"schema", {{"type", "string"}}}}}}}};
  operation["responses"]["204"] = {
      {"description", "The client has had all events of the run, which is over"}};
  add_failures(operation["responses"],
               {no_run, {"422", "The Last-Event-ID is no id of an event"}, broken, going_down, too_late});
  return operation;
}

json describe_cancel() {
  json operation{
      {"operationId", "cancelRun"},
      {"summary", "Cancels a run that is waiting, under way or paused"},
      {"parameters", run_parameter()},
      {"requestBody", {{"required", false}, {"content", content_of(schemas::reference("CancelRequest"))}}}};
  operation["responses"]["202"] = response("The run as it stood", schemas::reference("Run"));
  add_failures(operation["responses"], {not_json,
                                        no_run,
                                        {"409", "The run is over"},
                                        too_large,
                                        not_json_type,
                                        {"422", "The mode is none"},
                                        broken,
                                        going_down,
                                        too_late});
  return operation;
}

json describe_session() {
  json operation{{"operationId", "getSession"},
                 {"summary", "Shows a session's items in order"},
                 {"parameters", session_parameter()}};
  operation["responses"]["200"] = response("The session", schemas::reference("Session"));
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
  case endpoint::run:
    return describe_run();
  case endpoint::run_events:
    return describe_events();
  case endpoint::resume_run:
    return describe_resume();
  case endpoint::cancel_run:
    return describe_cancel();
  case endpoint::session:
    return describe_session();
  case endpoint::forget_session:
    return describe_forget_session();
  case endpoint::health:
    return describe_simple("health", "Whether the server answers",
                           schemas::record({{"status", {{"const", "ok"}}}}));
  case endpoint::agents:
    return describe_simple("listAgents", "The agents' names, the default one first",
                           schemas::record({{"agents", schemas::list_of(schemas::text())}}));
  case endpoint::mcp:
    return describe_simple("listMcpServers", "How the MCP servers are",
                           schemas::record({{"servers", schemas::list_of(schemas::reference("McpServer"))}}));
  case endpoint::system: {
    auto operation = describe_simple("getSystem", "How all parts of the system are, as a tree",
                                     schemas::reference("System"));
    add_failures(operation["responses"], {going_down, too_late});
    return operation;
  }
  case endpoint::metrics: {
    json operation{{"operationId", "getMetrics"}, {"summary", "What was counted, for Prometheus"}};
    operation["responses"]["200"] = {{"description", "Metrics in the text format"},
                                     {"content", {{"text/plain", {{"schema", schemas::text()}}}}}};
    add_failures(operation["responses"], {going_down, too_late});
    return operation;
  }
  case endpoint::openapi:
    return describe_simple("openapi", "This document", {{"type", "object"}});
  }
  return nullptr;
}

/// A key or a token, in one of two headers.
void add_security(json& document) {
  document["components"]["securitySchemes"] = {
      {"bearer",
       {{"type", "http"}, {"scheme", "bearer"}, {"description", "An API key, or a JSON Web Token"}}},
      {"apiKey", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-Api-Key"}}}};
  document["security"] = json::array({{{"bearer", json::array()}}, {{"apiKey", json::array()}}});
}

/// How a route refuses who may not ask.
void add_refusals(json& operation, const route& entry, bool is_guarded) {
  if (entry.needs == access::anybody) {
    if (is_guarded)
      operation["security"] = json::array();
    return;
  }
  auto& responses = operation["responses"];
  if (is_guarded)
    add_failures(responses, {{"401", "No key or token, or one that is not good"}});
  add_failures(responses, {{"403", entry.needs == access::operators && is_guarded
                                       ? "Only operators may ask this; or a page of another origin asks"
                                       : "The key may not ask the agent; or a page of another origin asks"}});
  if (is_guarded)
    add_failures(responses, {{"429", "Too much at once, or for the key's rate; try again after Retry-After "
                                     "seconds"}});
}

} // namespace

json openapi_document(bool is_guarded) {
  json document{{"openapi", "3.1.0"},
                {"info", {{"title", "Troupe"}, {"version", "1"}}},
                {"components", {{"schemas", schemas::all()}}}};
  if (is_guarded)
    add_security(document);
  for (const auto& entry : routes()) {
    auto operation = describe(entry.what);
    add_refusals(operation, entry, is_guarded);
    operation["responses"]["default"] = response(
        "What can happen to any request, such as 405, 414, 421 and 431", schemas::reference("Error"));
    const auto method = boost::algorithm::to_lower_copy(std::string(entry.method));
    document["paths"][std::string(entry.path)][method] = std::move(operation);
  }
  return document;
}

} // namespace troupe::http
