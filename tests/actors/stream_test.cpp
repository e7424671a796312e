#include "actors/defaults.hpp"
#include "tests/actors/support/stage.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::stage;

namespace {

using strings = std::vector<std::string>;

chat_request prompt(bool streamed) {
  chat_request request;
  request.prompt = "q";
  request.session_id = "s";
  request.streamed = streamed;
  return request;
}

} // namespace

TEST_CASE("the watcher of a streamed run sees the answer grow, and is not told it again") {
  stage s;
  s.begin(stage::two_agents());
  s.chat(prompt(true));
  s.model->grows({text_delta{"hel"}, text_delta{"lo"}}, 10);
  s.run();
  s.model->says("hello");
  s.run();
  CHECK(s.events == strings{"agent:triage", "text:hel", "text:lo"});
  CHECK(s.model->consumed == 10);
}

TEST_CASE("what a model that does not stream says comes in one piece") {
  stage s;
  s.begin(stage::two_agents());
  s.chat(prompt(true));
  s.model->calls_tools({{"nothing", R"({"x":1})"}}, "wait");
  s.run();
  CHECK(s.events ==
        strings{"agent:triage", "text:wait", "said:wait", "call:nothing", R"(arguments:{"x":1})"});
}

TEST_CASE("a model is not asked to stream when nobody watches it grow") {
  stage s;
  s.begin(stage::two_agents());
  s.chat(prompt(false));
  CHECK(s.model->calls.front().listener == nullptr);
  s.model->says("hello");
  s.run();
  CHECK(s.events == strings{"agent:triage"});
}

TEST_CASE("a model is held back while its watcher is behind") {
  stage s;
  s.begin(stage::two_agents());
  s.acknowledges = false;
  s.chat(prompt(true));
  model_deltas many(defaults::stream_window, text_delta{"x"});
  s.model->grows(many, 100);
  s.run();
  CHECK(s.model->consumed == 0);
  s.acknowledge_all();
  s.run();
  CHECK(s.model->consumed == 100);
}
