#include "libagent/run/toolbox.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

shared_tools tools(std::initializer_list<const char*> names) {
  auto list = std::make_shared<tool_list>();
  for (const auto* name : names)
    list->push_back({name, "", json_schema()});
  return list;
}

std::vector<std::string> names(const toolbox& box) {
  std::vector<std::string> all;
  for (const auto& tool : *box.offered())
    all.push_back(tool.name);
  return all;
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("names that only one source offers stay as they are") {
  const toolbox box({{"one", tools({"a"})}, {"two", tools({"b"})}}, {});
  CHECK(names(box) == strings{"a", "b"});
  CHECK(box.entries()[1].source == 1);
}

TEST_CASE("a name that two servers offer is renamed on both, and still routed by its own name") {
  const toolbox box({{"one", tools({"search", "a"})}, {"two.x", tools({"search"})}}, {});
  CHECK(names(box) == strings{"one_search", "a", "two_x_search"});
  CHECK(box.entries()[0].name == "search");
  CHECK(box.entries()[2].name == "search");
  CHECK(box.find("search") == toolbox::npos);
}

TEST_CASE("renamed tools are at most 64 characters long and unique") {
  const std::string longest(64, 't');
  const toolbox box({{std::string(40, 's') + "1", tools({longest.c_str()})},
                     {std::string(40, 's') + "2", tools({longest.c_str()})}},
                    {});
  CHECK(names(box)[0].size() == 64);
  CHECK(names(box)[1].size() == 64);
  CHECK(names(box)[0] != names(box)[1]);
}

TEST_CASE("a renamed tool that meets another name gets a number") {
  const toolbox box({{"one", tools({"a"})}, {"two", tools({"a"})}, {"", tools({"one_a"})}}, {});
  CHECK(names(box) == strings{"one_a", "two_a", "one_a_2"});
}

TEST_CASE("a function tool keeps its name against a server's") {
  const toolbox box({{"", tools({"a"})}, {"srv", tools({"a"})}}, {});
  CHECK(names(box) == strings{"a", "srv_a"});
}

TEST_CASE("handoffs come last and keep their names against tools") {
  agent_definition agent;
  agent.name = "Ops";
  const toolbox box({{"srv", tools({"transfer_to_ops"})}}, {make_handoff_target(agent)});
  CHECK(names(box) == strings{"srv_transfer_to_ops", "transfer_to_ops"});
  CHECK(box.entries()[1].what == toolbox_entry::kind::handoff);
  CHECK(box.entries()[1].name == "Ops");
}
