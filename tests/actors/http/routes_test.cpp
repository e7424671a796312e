#include "actors/http/openapi.hpp"
#include "actors/http/routes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>

using namespace troupe;
using namespace troupe::http;

TEST_CASE("a route is found by method and path") {
  CHECK(find_route("GET", "/health").what == endpoint::health);
  CHECK(find_route("GET", "/api/v1/agents").what == endpoint::agents);
  CHECK(find_route("GET", "/api/v1/mcp").what == endpoint::mcp);
  CHECK(find_route("POST", "/api/v1/chat").what == endpoint::chat);
  CHECK(find_route("GET", "/openapi.json").what == endpoint::openapi);
  CHECK(find_route("GET", "/api/v1/sessions/x").what == endpoint::session);
  CHECK(find_route("DELETE", "/api/v1/sessions/x").what == endpoint::forget_session);
  CHECK(find_route("GET", "/api/v1/runs/x").what == endpoint::run);
  CHECK(find_route("POST", "/api/v1/runs/x/resume").what == endpoint::resume_run);
  CHECK(find_route("POST", "/api/v1/runs/x/cancel").what == endpoint::cancel_run);
}

TEST_CASE("a parameter may stand in the middle of a path") {
  CHECK(find_route("POST", "/api/v1/runs/resume/resume").parameter == "resume");
  CHECK(find_route("POST", "/api/v1/runs/a%2Fb/cancel?x=/resume").parameter == "a%2Fb");
  CHECK(find_route("GET", "/api/v1/runs/x/resume").allow == "POST, OPTIONS");
  CHECK(find_route("GET", "/api/v1/runs/resume").parameter == "resume");
}

TEST_CASE("a session's id is taken out of the path as it stands there") {
  CHECK(find_route("GET", "/api/v1/sessions/a%2Fb?x=1").parameter == "a%2Fb");
}

TEST_CASE("HEAD goes where GET goes") {
  CHECK(find_route("HEAD", "/health").what == endpoint::health);
  CHECK_FALSE(find_route("HEAD", "/api/v1/chat").what);
}

TEST_CASE("a query is ignored and the absolute form is understood") {
  CHECK(find_route("GET", "/health?deep=1").what == endpoint::health);
  CHECK(find_route("GET", "http://host:80/health?deep=1").what == endpoint::health);
  CHECK(path_of("http://host") == "/");
  CHECK(path_of("http://host?x=/health") == "/");
}

TEST_CASE("nothing is found at paths that only resemble a route") {
  for (const char* path :
       {"/", "", "*", "/health/", "/Health", "/api/v1/chat/", "//health", "/api/v1/sessions",
        "/api/v1/sessions/", "/api/v1/sessions/a/b", "/api/v1/sessions//", "/api/v1/runs//resume",
        "/api/v1/runs/resume/", "/api/v1/runs/a/b/resume", "/api/v1/runs/x/resumes", "/api/v1/runs/xresume/",
        "/api/v1/runs/x/resume/"}) {
    CAPTURE(path);
    const auto match = find_route("GET", path);
    CHECK_FALSE(match.what);
    CHECK(match.allow.empty());
  }
}

TEST_CASE("a method that a path does not have is told which it has") {
  const auto chat = find_route("GET", "/api/v1/chat");
  CHECK_FALSE(chat.what);
  CHECK(chat.allow == "POST, OPTIONS");
  CHECK(find_route("PUT", "/api/v1/sessions/x").allow == "GET, HEAD, DELETE, OPTIONS");
  CHECK(find_route("get", "/health").allow == "GET, HEAD, OPTIONS");
}

TEST_CASE("percent-encoding is undone, and refused where it is broken") {
  CHECK(percent_decode("a%2fb%25") == "a/b%");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("") == "");
  for (const char* text : {"%", "%2", "a%zz", "%-1", "%2x", "% 1"}) {
    CAPTURE(text);
    CHECK_FALSE(percent_decode(text));
  }
}

TEST_CASE("the OpenAPI document describes exactly the routes") {
  std::set<std::pair<std::string, std::string>> served;
  for (const auto& each : routes()) {
    std::string method(each.method);
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    served.emplace(each.path, method);
  }
  std::set<std::pair<std::string, std::string>> described;
  const auto document = openapi_document();
  for (const auto& [path, methods] : document.at("paths").items())
    for (const auto& [method, operation] : methods.items()) {
      described.emplace(path, method);
      CHECK(operation.contains("responses"));
      const auto parameters = operation.value("parameters", json::array());
      const bool names_path = std::any_of(parameters.begin(), parameters.end(), [](const json& each) {
        return each.value("in", "") == "path" || each.contains("$ref");
      });
      CHECK((path.find('{') != std::string::npos) == names_path);
    }
  CHECK(served == described);
}

TEST_CASE("the OpenAPI document says what has to be shown, where anything has") {
  const auto open = openapi_document();
  CHECK_FALSE(open.contains("security"));
  CHECK_FALSE(open.at("components").contains("securitySchemes"));
  const auto guarded = openapi_document(true);
  CHECK(guarded.at("security").size() == 2);
  CHECK(guarded.at("components").at("securitySchemes").at("bearer").at("scheme") == "bearer");
  for (const auto& each : routes()) {
    CAPTURE(each.path);
    std::string method(each.method);
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const auto& operation = guarded.at("paths").at(std::string(each.path)).at(method);
    const auto is_public = each.needs == access::anybody;
    CHECK(operation.at("responses").contains("401") != is_public);
    CHECK(operation.at("responses").contains("403") != is_public);
    CHECK((operation.contains("security") && operation.at("security").empty()) == is_public);
  }
}

namespace {

void collect_references(const json& value, std::set<std::string>& found) {
  if (value.is_object() && value.contains("$ref"))
    found.insert(value.at("$ref").get<std::string>());
  if (value.is_structured())
    for (const auto& child : value)
      collect_references(child, found);
}

} // namespace

TEST_CASE("every schema of the OpenAPI document is there, and is used") {
  const auto document = openapi_document();
  std::set<std::string> used;
  collect_references(document, used);
  std::set<std::string> there;
  for (const auto& [name, schema] : document.at("components").at("schemas").items())
    there.insert("#/components/schemas/" + name);
  CHECK(used == there);
}
