#include "actors/function_tool.hpp"
#include "actors/system_config.hpp"
#include "tests/actors/support/stage.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <functional>
#include <stdexcept>

using namespace troupe;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

using guardrail::verdict;

chat_request prompt(std::string session, std::string agent) {
  chat_request request;
  request.prompt = "q";
  request.session_id = std::move(session);
  request.agent = std::move(agent);
  return request;
}

[[noreturn]] void throw_known() {
  throw std::runtime_error("oops");
}
[[noreturn]] void throw_unknown() {
  throw 42;
}

using thrower = void (*)();

tool_actor::behavior_type broken_tool(tool_actor::pointer, thrower fail) {
  return {[fail](const tool_invocation&) -> tool_result {
    fail();
    return {};
  }};
}

guardrail_actor::behavior_type broken_guardrail(guardrail_actor::pointer, thrower fail) {
  return {[fail](const guardrail_question&) -> verdict {
    fail();
    return {};
  }};
}

hook_actor::behavior_type broken_hook(hook_actor::pointer, thrower fail) {
  return {[fail](const hook_call&) -> acknowledgement {
    fail();
    return {};
  }};
}

model_actor::behavior_type broken_model(model_actor::pointer, thrower fail) {
  return {[fail](const model_call&) -> model_response {
            fail();
            return {};
          },
          [](cancel_atom, call_key) {}};
}

enum class way { straight, tool, handoff };

/// Something of the agent "ops" that throws, and how its run ends.
struct row {
  const char* what;
  std::function<void(stage&, runtime_options&, thrower)> breaks;
  errc code;
  /// How the run gets there.
  way at = way::straight;
};

agent_definition& ops(runtime_options& options) {
  return options.config.agents[1];
}

hook hook_of(std::variant<hook_function, hook_actor> handler) {
  hook made;
  made.points = {hook_point::before_model};
  made.handler = std::move(handler);
  made.agents = {"ops"};
  return made;
}

std::vector<row> rows() {
  return {
      {"a guardrail in code",
       [](stage&, runtime_options& options, thrower fail) {
         ops(options).input_guardrails = {{"g", false}};
         options.guardrails["g"].check = guardrail_function([fail](const guardrail_question&) {
           fail();
           return result<verdict>(verdict{});
         });
       },
       errc::internal},
      {"a guardrail's actor",
       [](stage& s, runtime_options& options, thrower fail) {
         ops(options).input_guardrails = {{"g", false}};
         options.guardrails["g"].check = guardrail_actor(s.system().spawn(broken_guardrail, fail));
       },
       errc::internal},
      {"a hook in code",
       [](stage&, runtime_options& options, thrower fail) {
         options.hooks = {hook_of(hook_function([fail](const hook_call&) { fail(); }))};
       },
       errc::hook_failed},
      {"a hook's actor",
       [](stage& s, runtime_options& options, thrower fail) {
         options.hooks = {hook_of(hook_actor(s.system().spawn(broken_hook, fail)))};
       },
       errc::hook_failed},
      {"a text source",
       [](stage&, runtime_options& options, thrower fail) {
         ops(options).instructions_source = [fail](const json&) -> result<std::string> {
           fail();
           return std::string();
         };
       },
       errc::internal},
      {"a condition",
       [](stage&, runtime_options& options, thrower fail) {
         handoff_definition back("triage");
         back.enabled = [fail](const json&) -> result<bool> {
           fail();
           return true;
         };
         ops(options).handoffs = {back};
       },
       errc::internal},
      {"a filter",
       [](stage&, runtime_options& options, thrower fail) {
         auto& handoff = options.config.agents[0].handoffs[0];
         handoff.filter.what = input_filter::kind::code;
         handoff.filter.code = [fail](const item_list& items) {
           fail();
           return items;
         };
       },
       errc::internal, way::handoff},
      {"what is told of a handoff",
       [](stage&, runtime_options& options, thrower fail) {
         options.config.agents[0].handoffs[0].on_handoff = [fail](const json&) { fail(); };
       },
       errc::internal, way::handoff},
      {"a function tool whose failure ends the run",
       [](stage&, runtime_options& options, thrower fail) {
         options.tools = {{"ops", function_tool("t", "", [fail] { fail(); })}};
         ops(options).tool_policies["t"].fails_run = true;
       },
       errc::tool_failed, way::tool},
      {"a tool's actor whose failure ends the run",
       [](stage& s, runtime_options& options, thrower fail) {
         options.tools = {{"ops", actor_tool({"t", "", json_schema()}, s.system().spawn(broken_tool, fail))}};
         ops(options).tool_policies["t"].fails_run = true;
       },
       errc::tool_failed, way::tool},
      {"an embedder's model",
       [](stage& s, runtime_options& options, thrower fail) {
         options.models["broken"] = s.system().spawn(broken_model, fail);
         ops(options).model = "broken";
       },
       errc::model_unavailable},
  };
}

} // namespace

TEST_CASE("an exception ends the run that it came up in with a typed error, and nothing else") {
  for (const thrower fail : {throw_known, throw_unknown})
    for (const auto& [what, breaks, code, at] : rows()) {
      INFO(what << (fail == throw_known ? ", a std::exception" : ", another type"));
      stage s;
      auto options = stage::two_agents();
      breaks(s, options, fail);
      s.begin(std::move(options));
      const auto broken = s.chat(prompt("a", at == way::handoff ? "triage" : "ops"));
      if (at == way::handoff)
        s.model->calls_tools({{"transfer_to_ops", "{}"}});
      if (at == way::tool)
        s.model->calls_tools({{"t", "{}"}});
      s.run();
      const auto other = s.chat(prompt("b", "triage"));
      REQUIRE(s.model->calls.size() == 1);
      s.model->says("fine");
      s.run();
      CHECK(broken->code() == code);
      REQUIRE(other->value);
      CHECK(other->value->result == "fine");
      // The session goes on.
      const auto next = s.chat(prompt("a", "triage"));
      REQUIRE(s.model->calls.size() == 1);
      s.model->says("again");
      s.run();
      CHECK(next->value);
    }
}

TEST_CASE("an exception in a tool is told to the model as the tool's failure, unless it is to end the run") {
  for (const thrower fail : {throw_known, throw_unknown})
    for (const bool is_actor : {false, true}) {
      INFO(is_actor);
      stage s;
      auto options = stage::two_agents();
      options.tools = {
          {"triage", is_actor ? actor_tool({"t", "", json_schema()}, s.system().spawn(broken_tool, fail))
                              : function_tool("t", "", [fail] { fail(); })}};
      s.begin(std::move(options));
      const auto reply = s.chat(prompt("a", "triage"));
      s.model->calls_tools({{"t", "{}"}});
      s.run();
      REQUIRE(s.model->calls.size() == 1);
      const auto& told = std::get<tool_output>(s.model->calls.front().request->fresh.back());
      CHECK(told.is_error);
      s.model->says("so be it");
      s.run();
      CHECK(reply->value);
    }
}

TEST_CASE("an exception in a function that blocks is its tool's failure") {
  system_config config;
  caf::actor_system system(config);
  for (const thrower fail : {throw_known, throw_unknown}) {
    const auto worker = system.spawn<caf::detached>(function_tool_call, [fail](const tool_invocation&) {
      fail();
      return tool_result();
    });
    caf::scoped_actor self(system);
    bool failed = false;
    self->request(worker, 10s, tool_invocation{1, "t", nullptr, {}, {}})
        .receive([&](const tool_result& result) { failed = result.is_error; }, [](const caf::error&) {});
    CHECK(failed);
  }
}
