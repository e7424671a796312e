#include "tests/actors/support/stage.hpp"

#include <caf/actor_cast.hpp>
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
  CHECK(s.events == strings{"agent:triage", "text:wait", "said:wait", "call:nothing", R"(arguments:{"x":1})",
                            "done:nothing!"});
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

TEST_CASE("a model gets back what it told once the watcher has dealt with it, and not before") {
  stage s;
  s.begin(stage::two_agents());
  s.acknowledges = false;
  s.chat(prompt(true));
  s.model->grows({text_delta{"a"}, text_delta{"b"}}, 100);
  s.model->grows({text_delta{"c"}}, 7);
  s.run();
  CHECK(s.model->consumed == 0);
  // The run and its agent were told of before.
  const auto run = caf::actor_cast<caf::actor>(s.unacknowledged.front());
  caf::anon_send(run, consumed_atom::value, std::uint64_t{3});
  s.run();
  CHECK(s.model->consumed == 0);
  caf::anon_send(run, consumed_atom::value, std::uint64_t{1});
  s.run();
  CHECK(s.model->consumed == 100);
  caf::anon_send(run, consumed_atom::value, std::uint64_t{5});
  s.run();
  CHECK(s.model->consumed == 107);
}
