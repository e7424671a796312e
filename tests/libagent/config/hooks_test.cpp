#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

/// The hook stands in line 3, from column 8 on.
std::string with_hook(const std::string& body) {
  return minimal + "hooks: [" + body + "]\n";
}

hook_options hook_of(const std::string& body, const std::map<std::string, std::string>& variables = {}) {
  const auto loaded = read(with_hook(body), variables);
  INFO(body);
  REQUIRE(errors_of(loaded).empty());
  REQUIRE(loaded.value->hooks.size() == 1);
  return loaded.value->hooks[0];
}

} // namespace

TEST_CASE("all keys of a hook are read") {
  const auto hook =
      hook_of("{url: \"https://h/x?y=1\", name: audit, on: [before_tool, after_run], agents: [a], "
              "headers: {X-Key: k}, timeout: 2s, on_failure: open}");
  CHECK(hook.url == "https://h/x?y=1");
  CHECK(hook.name == "audit");
  CHECK(hook.points == std::vector<std::string>{"before_tool", "after_run"});
  CHECK(hook.agents == std::vector<std::string>{"a"});
  REQUIRE(hook.headers.size() == 1);
  CHECK(hook.headers[0].first == "X-Key");
  CHECK(hook.headers[0].second.reveal() == "k");
  CHECK(hook.timeout == 2s);
  CHECK(hook.fails_open);
}

TEST_CASE("a hook needs a URL only") {
  const auto hook = hook_of("{url: \"http://127.0.0.1:9000/hook\"}");
  CHECK(hook.name == "http://127.0.0.1:9000/hook");
  CHECK(hook.points.size() == 8);
  CHECK(hook.agents.empty());
  CHECK(hook.timeout == 5s);
  CHECK_FALSE(hook.fails_open);
}

TEST_CASE("a hook without a name is not called by what may be a key") {
  CHECK(hook_of("{url: \"http://h/x?key=1\"}").name == "http://h/x");
  CHECK(hook_of("{url: \"http://h/${KEY}\"}", {{"KEY", "t0ps3cret"}}).name == "hook 1");
}

TEST_CASE("what is wrong with a hook is told") {
  const std::vector<mistake> mistakes = {
      {"{on: [before_run]}", "3:9: hook 1 has no 'url'; write url: http://127.0.0.1:9000/hook"},
      {"{url: localhost}",
       "3:15: 'url' in hook 1 does not begin with http:// or https://; write the whole address, "
       "such as http://127.0.0.1:9000/hook"},
      {"{url: \"http://u:p@h/\"}",
       "3:15: 'url' in hook 1 holds a user name or password; give it in a header"},
      {"{url: \"http://h/#a\"}", "3:15: 'url' in hook 1 holds a '#'; leave off what begins with it"},
      {"{url: \"http://h\", on: [before_tools]}",
       "3:32: entry 1 of 'on' in hook 1 is 'before_tools'; did you mean 'before_tool'?"},
      {"{url: \"http://h\", on: []}", "3:31: 'on' in hook 1 is an empty list; leave it off for all points"},
      {"{url: \"http://h\", on: before_run}",
       "3:31: 'on' in hook 1 is a text; it has to be a list, such as [before_tool, after_run]"},
      {"{url: \"http://h\", agents: [b]}",
       "3:36: hook 1 is for agent 'b', which does not exist; agents are 'a'"},
      {"{url: \"http://h\", headers: {Host: x}}",
       "3:37: header 'Host' in 'headers' in hook 1 is set by Troupe itself; remove it"},
      {"{url: \"http://h\", on_failure: ignore}",
       "3:39: 'on_failure' in hook 1 is 'ignore'; known words are 'open', 'closed'"},
      {"{url: \"http://h\", timeout: 0}",
       "3:36: 'timeout' in hook 1 is 0; it has to be a time from 1ms to 365d"},
      {"{url: \"http://h\", retries: 1}", "3:27: unknown key 'retries' in hook 1; known keys are 'url', "
                                          "'name', 'on', 'agents', 'headers', 'timeout', "
                                          "'on_failure'"},
      {"http", "3:9: hook 1 is a text; it has to be a map of keys and values"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_hook(written)) == message);
  }
  CHECK(error_of(minimal + "hooks: {url: x}\n") ==
        "3:8: 'hooks' in the agent file is a map; it has to be a list, such as [{url: "
        "'http://127.0.0.1:9000/hook'}]");
}
