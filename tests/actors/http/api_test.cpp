#include "actors/http/api.hpp"
#include "actors/http/chat_body.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <string>

using namespace troupe;
using namespace troupe::http;

namespace {

api make_api() {
  config::server_options options;
  options.max_json_depth = 4;
  options.max_body_bytes = 100;
  return {options, {"triage", "helper"}};
}

/// The answer to a chat that is not worth a call.
answer refused(std::string_view body, std::optional<std::string_view> type = "application/json") {
  return std::get<answer>(make_api().decide({"POST", "/api/v1/chat", type, body}));
}

chat_request accepted(std::string_view body, std::optional<std::string_view> type = "application/json") {
  return std::get<chat_request>(std::get<call>(make_api().decide({"POST", "/api/v1/chat", type, body})));
}

json detail_of(const answer& value) {
  return json::parse(value.body).at("detail");
}

} // namespace

TEST_CASE("a chat is decoded") {
  const auto chat = accepted(R"({"prompt":"Hi","agent":"helper","session_id":"s1"})");
  CHECK(chat.prompt == "Hi");
  CHECK(chat.agent == "helper");
  CHECK(chat.session_id == "s1");
}

TEST_CASE("agent and session may be absent or null, and unknown fields are ignored") {
  for (const char* body : {R"({"prompt":"Hi"})", R"({"prompt":"Hi","agent":null,"session_id":null})",
                           R"({"prompt":"Hi","tone":"warm"})"}) {
    CAPTURE(body);
    const auto chat = accepted(body);
    CHECK(chat.prompt == "Hi");
    CHECK(chat.agent.empty());
    CHECK(chat.session_id.empty());
  }
}

TEST_CASE("a prompt may hold any characters") {
  CHECK(accepted(R"({"prompt":"a\u0000b"})").prompt == std::string("a\0b", 3));
  CHECK(accepted(R"({"prompt":"\ud83d\ude00"})").prompt == "\xF0\x9F\x98\x80");
  CHECK(accepted(R"({"prompt":" x "})").prompt == " x ");
}

TEST_CASE("what is not JSON text is a bad request") {
  const std::string body =
      GENERATE(as<std::string>(), "", "  \r\n", "{", "prompt=Hi", "{\"prompt\":\"\xff\"}", "{'prompt':'x'}",
               "{\"prompt\":\"x\"} {}", R"({"prompt":"x","a":[[[[1]]]]})");
  CAPTURE(body);
  const auto value = refused(body);
  CHECK(value.status == 400);
  CHECK(detail_of(value).at("code") == "malformed");
}

TEST_CASE("a field that is missing, empty or of the wrong type is named") {
  const auto [body, field] = GENERATE(table<std::string, std::string>({
      {R"({})", "'prompt'"},
      {R"({"agent":"triage"})", "'prompt'"},
      {R"({"prompt":null})", "'prompt'"},
      {R"({"prompt":7})", "'prompt'"},
      {R"({"prompt":["x"]})", "'prompt'"},
      {R"({"prompt":""})", "'prompt'"},
      {R"({"prompt":" \n\t"})", "'prompt'"},
      {R"({"prompt":"x","agent":7})", "'agent'"},
      {R"({"prompt":"x","agent":""})", "'agent'"},
      {R"({"prompt":"x","session_id":true})", "'session_id'"},
      {R"({"prompt":"x","session_id":""})", "'session_id'"},
      {R"({"prompt":"x","session_id":"a b"})", "'session_id'"},
      {R"({"prompt":"x","session_id":"\u00e4"})", "'session_id'"},
      {R"({"prompt":"x","session_id":")" + std::string(129, 'a') + R"("})", "'session_id'"},
      {R"({"prompt":"x","stream":"yes"})", "'stream'"},
      {R"({"prompt":"x","stream":1})", "'stream'"},
      {R"({"prompt":"x","context":[]})", "'context'"},
      {R"({"prompt":"x","context":"x"})", "'context'"},
      {R"({"prompt":"x","budget":7})", "'budget'"},
      {R"({"prompt":"x","budget":{"turns":-1}})", "'turns'"},
      {R"({"prompt":"x","budget":{"time":1}})", "'time'"},
      {R"([{"prompt":"x"}])", "body"},
      {R"("x")", "body"},
  }));
  CAPTURE(body);
  const auto value = refused(body);
  CHECK(value.status == 422);
  CHECK(detail_of(value).at("code") == "invalid_argument");
  CHECK(detail_of(value).at("error").get<std::string>().find(field) != std::string::npos);
}

TEST_CASE("all fields that are wrong are named at once") {
  const auto message = detail_of(refused(R"({"agent":1,"session_id":" "})")).at("error").get<std::string>();
  for (const char* field : {"'prompt'", "'agent'", "'session_id'"})
    CHECK(message.find(field) != std::string::npos);
}

TEST_CASE("of all that is wrong with a body the first ten things are told") {
  std::string decisions = "0";
  std::string bounds = R"("0":1)";
  for (int i = 1; i < 20'000; ++i) {
    decisions += ",0";
    bounds += fmt::format(R"(,"{}":1)", i);
  }
  const auto told = [](const http::decision& made) {
    return detail_of(std::get<answer>(made)).at("error").get<std::string>();
  };
  const auto resumed = told(make_api().decide(
      {"POST", "/api/v1/runs/r/resume", "application/json", R"({"decisions":[)" + decisions + "]}"}));
  CHECK(resumed.find("decisions[9]") != std::string::npos);
  CHECK(resumed.find("decisions[10]") == std::string::npos);
  CHECK(resumed.ends_with("; and maybe more"));
  const auto chatted = detail_of(refused(R"({"prompt":"x","budget":{)" + bounds + "}}")).at("error");
  CHECK(chatted.get<std::string>().size() < 4000);
}

TEST_CASE("a name that is nearly right is told what would be") {
  const auto [body, message] = GENERATE(table<std::string, std::string>({
      {R"({"prompt":"x","budget":{"wall_time":30}})",
       "budget: 'wall_time' is unknown; it is 'wall_time_ms' here, a number of milliseconds"},
      {R"({"prompt":"x","budget":{"wall_tme_ms":30}})",
       "budget: 'wall_tme_ms' is unknown; did you mean 'wall_time_ms'?"},
      {R"({"prompt":"x","budget":{"Turn":1,"costs":2}})",
       "budget: 'Turn' is unknown; did you mean 'turns'?; budget: 'costs' is unknown; did you mean 'cost'?"},
      {R"({"prompt":"x","budget":{"bogus":1}})",
       "budget: 'bogus' is unknown; bounds are 'turns', 'model_calls', 'tool_calls', 'input_tokens', "
       "'output_tokens', 'total_tokens', 'cost', 'wall_time_ms'"},
      {R"({"promt":"x"})", "'prompt' is missing; 'promt' is unknown"},
      {R"({"text":"x"})", "'prompt' is missing"},
      {R"({"prompt":"x","agent":"Triage"})", "there is no agent 'Triage'; did you mean 'triage'?"},
      {R"({"prompt":"x","agent":"nobody"})", "there is no agent 'nobody'"},
  }));
  CAPTURE(body);
  CHECK(detail_of(refused(body)).at("error") == message);
}

TEST_CASE("every bound of a budget is known") {
  using namespace std::chrono_literals;
  const budget all{1, 2, 3, 4, 5, 6, 0.5, 7ms};
  const auto bounds = to_json(all);
  CHECK(bounds.size() == 8);
  CHECK(accepted(json{{"prompt", "x"}, {"budget", bounds}}.dump()).spending == all);
}

TEST_CASE("a chat may be streamed, and bring a context and a budget") {
  const auto chat =
      accepted(R"({"prompt":"x","stream":true,"context":{"user":{"id":7}},"budget":{"turns":3,"cost":0.5}})");
  CHECK(chat.streamed);
  REQUIRE(chat.context);
  CHECK(*chat.context == json::parse(R"({"user":{"id":7}})"));
  CHECK(chat.spending.turns == 3u);
  CHECK(chat.spending.cost == 0.5);
  CHECK_FALSE(chat.spending.tool_calls);
}

TEST_CASE("what a chat may bring may also be null") {
  const auto chat = accepted(R"({"prompt":"x","stream":null,"context":null,"budget":null})");
  CHECK_FALSE(chat.streamed);
  CHECK_FALSE(chat.context);
  CHECK_FALSE(chat.spending.is_bounded());
}

TEST_CASE("a client asks for events by its Accept") {
  const auto [accept, wanted] = GENERATE(table<std::string_view, bool>({
      {"text/event-stream", true},
      {"Text/Event-Stream", true},
      {"application/json, text/event-stream", true},
      {" text/event-stream ;q=0.5, */*", true},
      {"text/event-stream;charset=utf-8;q=1", true},
      {"text/event-stream;q=0", false},
      {"text/event-stream; Q=0.000, application/json", false},
      {"text/event-stream;q=0.001", true},
      {"*/*", false},
      {"text/*", false},
      {"text/event-streams", false},
      {"application/json;x=text/event-stream", false},
      {"application/json;q=0.9, text/event-stream;q=0.9", true},
      {"application/json, text/event-stream;q=0.9", false},
      {"text/event-stream;q=0.9, Application/JSON;q=1.0", false},
      {"text/event-stream;q=0, text/event-stream", true},
      {"text/event-stream;q=nan", true},
      {"text/event-stream;q=-0", false},
      {"text/event-stream;q=", true},
      {"text/event-stream;;q=0", false},
      {",,", false},
      {"", false},
  }));
  CAPTURE(accept);
  CHECK(wants_events(accept) == wanted);
  const auto decided = make_api().decide({"POST", "/api/v1/chat", {}, R"({"prompt":"x"})", accept});
  CHECK(is_streamed(std::get<call>(decided)) == wanted);
}

TEST_CASE("without an Accept nobody asks for events") {
  CHECK_FALSE(wants_events(std::nullopt));
}

TEST_CASE("decisions are decoded, with the run's id out of the path") {
  const auto decide = [](std::string_view body) {
    return make_api().decide({"POST", "/api/v1/runs/run%5F1/resume", "application/json", body});
  };
  const auto resume = std::get<resume_request>(std::get<call>(decide(R"({"stream":true,"decisions":[
      {"id":"c1","decision":"approve","always":true},{"id":"c2","decision":"reject","message":"no"}]})")));
  CHECK(resume.run_id == "run_1");
  CHECK(resume.streamed);
  REQUIRE(resume.decisions.size() == 2);
  CHECK(resume.decisions[0].always);
  CHECK(resume.decisions[1].what == troupe::decision::verdict::reject);
  CHECK(resume.decisions[1].message == "no");
  const auto [body, status, part] = GENERATE(table<std::string, unsigned, std::string>({
      {"", 400, "empty"},
      {"{", 400, "JSON"},
      {"[]", 422, "object"},
      {"{}", 422, "'decisions'"},
      {R"({"decisions":{}})", 422, "'decisions'"},
      {R"({"decisions":[],"stream":0})", 422, "'stream'"},
      {R"({"decisions":[{"id":"c1","decision":"approve"},{"id":"c2"}]})", 422, "decisions[1]"},
      {R"({"decisions":["approve"]})", 422, "decisions[0]"},
  }));
  CAPTURE(body);
  const auto value = std::get<answer>(decide(body));
  CHECK(value.status == status);
  CHECK(detail_of(value).at("run_id") == "run_1");
  CHECK(detail_of(value).at("error").get<std::string>().find(part) != std::string::npos);
}

TEST_CASE("a run is cancelled at once unless its turn is to end") {
  const auto decide = [](std::string_view body) {
    return make_api().decide({"POST", "/api/v1/runs/r/cancel", {}, body});
  };
  const auto mode_of = [&](std::string_view body) {
    return std::get<cancel_run>(std::get<call>(decide(body))).mode;
  };
  CHECK(mode_of("") == cancel_mode::at_once);
  CHECK(mode_of("{}") == cancel_mode::at_once);
  CHECK(mode_of(R"({"mode":"at_once"})") == cancel_mode::at_once);
  CHECK(mode_of(R"({"mode":"after_turn"})") == cancel_mode::after_turn);
  for (const char* body : {R"({"mode":"later"})", R"({"mode":1})", "[]"}) {
    CAPTURE(body);
    CHECK(std::get<answer>(decide(body)).status == 422);
  }
}

TEST_CASE("a body for a run must be JSON by its type, if there is one") {
  const auto ask = [](std::string_view path, std::string_view body) {
    return make_api().decide({"POST", path, "text/plain", body});
  };
  CHECK(std::get<answer>(ask("/api/v1/runs/r/cancel", "{}")).status == 415);
  CHECK(std::get<answer>(ask("/api/v1/runs/r/resume", R"({"decisions":[]})")).status == 415);
  CHECK(std::holds_alternative<call>(ask("/api/v1/runs/r/cancel", "")));
}

TEST_CASE("an id that no run can have is not found") {
  for (const char* id : {"a%20b", "%zz", "%00"}) {
    CAPTURE(id);
    const auto value =
        std::get<answer>(make_api().decide({"GET", "/api/v1/runs/" + std::string(id), {}, {}}));
    CHECK(value.status == 404);
    CHECK(detail_of(value).at("code") == "unknown_run");
  }
}

TEST_CASE("a session id of 128 characters is accepted") {
  CHECK(accepted(R"({"prompt":"x","session_id":")" + std::string(128, '~') + R"("})").session_id.size() ==
        128);
}

TEST_CASE("an unknown agent is not found, and the session is named") {
  const auto value = refused(R"({"prompt":"x","agent":"Triage","session_id":"s1"})");
  CHECK(value.status == 404);
  CHECK(detail_of(value).at("code") == "unknown_agent");
  CHECK(detail_of(value).at("session_id") == "s1");
}

TEST_CASE("a chat's body must say that it is JSON, or say nothing") {
  for (const char* type : {"application/json", "application/json; charset=utf-8", "Application/JSON;x=y",
                           " application/problem+json ", "application/vnd.x+JSON"}) {
    CAPTURE(type);
    CHECK(accepted(R"({"prompt":"x"})", type).prompt == "x");
  }
  CHECK(accepted(R"({"prompt":"x"})", std::nullopt).prompt == "x");
  for (const char* type : {"", ";", "text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                           "text/json+x", "json", "text/x+json"}) {
    CAPTURE(type);
    const auto value = refused(R"({"prompt":"x"})", type);
    CHECK(value.status == 415);
    CHECK(detail_of(value).at("code") == "unsupported_media_type");
  }
}

TEST_CASE("a session's id in a path is decoded and checked") {
  const auto api = make_api();
  CHECK(std::get<show_session>(std::get<call>(api.decide({"GET", "/api/v1/sessions/a%2Fb", {}, {}})))
            .session_id == "a/b");
  CHECK(std::get<forget_session>(std::get<call>(api.decide({"DELETE", "/api/v1/sessions/x", {}, {}})))
            .session_id == "x");
  for (const std::string& id : {std::string("a%20b"), std::string("%zz"), std::string("%00"),
                                std::string("%C3%A4"), std::string(129, 'x')}) {
    CAPTURE(id);
    CHECK(std::get<answer>(api.decide({"GET", "/api/v1/sessions/" + id, {}, {}})).status == 422);
  }
}

TEST_CASE("a key's agents are the only ones that it may ask, the first by default") {
  const auto api = make_api();
  config::api_key_options key;
  key.agents = {"helper"};
  key.spending.turns = 3;
  key.spending.total_tokens = 1000;
  const auth::identity who{"app", false, &key};
  const auto ask = [&](std::string_view body) { return api.decide({"POST", "/api/v1/chat", {}, body}, who); };
  const auto chat_of = [&](std::string_view body) {
    return std::get<chat_request>(std::get<call>(ask(body)));
  };
  CHECK(chat_of(R"({"prompt":"x"})").agent == "helper");
  CHECK(chat_of(R"({"prompt":"x","agent":"helper"})").agent == "helper");
  for (const char* other : {"triage", "nobody", "Helper"}) {
    CAPTURE(other);
    const auto refusal =
        std::get<answer>(ask(R"({"prompt":"x","session_id":"s","agent":")" + std::string(other) + R"("})"));
    CHECK(refusal.status == 403);
    CHECK(detail_of(refusal).at("error") == "the key may not ask this agent; it may ask 'helper'");
    CHECK(detail_of(refusal).at("session_id") == "s");
  }
  const auto listed = std::get<answer>(api.decide({"GET", "/api/v1/agents", {}, {}}, who));
  CHECK(json::parse(listed.body) == json::parse(R"({"agents":["helper"]})"));
}

TEST_CASE("a key's budget bounds what the chat may spend, and loosens nothing") {
  const auto api = make_api();
  config::api_key_options key;
  key.spending.turns = 3;
  key.spending.total_tokens = 1000;
  const auth::identity who{"app", false, &key};
  const auto chat = std::get<chat_request>(std::get<call>(api.decide(
      {"POST", "/api/v1/chat", {}, R"({"prompt":"x","budget":{"turns":9,"total_tokens":10,"cost":1}})"},
      who)));
  CHECK(chat.spending.turns == 3u);
  CHECK(chat.spending.total_tokens == 10u);
  CHECK(chat.spending.cost == 1.0);
  CHECK(chat.agent.empty());
}

TEST_CASE("what needs no actor is answered at once") {
  const auto api = make_api();
  const auto body_at = [&](std::string_view path) {
    const auto value = std::get<answer>(api.decide({"GET", path, {}, {}}));
    CHECK(value.status == 200);
    return json::parse(value.body);
  };
  CHECK(body_at("/health") == json::parse(R"({"status":"ok"})"));
  CHECK(body_at("/api/v1/agents") == json::parse(R"({"agents":["triage","helper"]})"));
  CHECK(body_at("/openapi.json").at("openapi") == "3.1.0");
}

TEST_CASE("an unknown path is not found, a wrong method not allowed, and OPTIONS answered") {
  const auto api = make_api();
  const auto ask = [&](std::string_view method, std::string_view path) {
    return std::get<answer>(api.decide({method, path, {}, {}}));
  };
  CHECK(detail_of(ask("GET", "/nowhere")).at("code") == "not_found");
  CHECK(ask("OPTIONS", "/nowhere").status == 404);
  const auto wrong = ask("GET", "/api/v1/chat");
  CHECK(wrong.status == 405);
  CHECK(detail_of(wrong).at("code") == "method_not_allowed");
  REQUIRE(wrong.headers.size() == 1);
  CHECK(wrong.headers[0] == std::pair<std::string_view, std::string>("Allow", "POST, OPTIONS"));
  const auto options = ask("OPTIONS", "/api/v1/chat");
  CHECK(options.status == 204);
  CHECK(options.headers == wrong.headers);
  const auto of_all = ask("OPTIONS", "*");
  CHECK(of_all.status == 204);
  CHECK(of_all.headers.at(0).second == "GET, HEAD, POST, DELETE, OPTIONS");
  CHECK(ask("GET", "*").status == 404);
}

TEST_CASE("a request that cannot be read is refused and its connection closed") {
  const auto [what, status] = GENERATE(table<fault, unsigned>({{fault::bad_request, 400},
                                                               {fault::body_too_large, 413},
                                                               {fault::target_too_long, 414},
                                                               {fault::headers_too_large, 431}}));
  const auto value = make_api().refuse_fault(what);
  CHECK(value.status == status);
  CHECK(value.close);
  CHECK(detail_of(value).contains("code"));
}
