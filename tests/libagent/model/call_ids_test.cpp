#include "libagent/model/call_ids.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

/// Makes "new1", "new2", ...
call_ids counting() {
  return call_ids([made = 0]() mutable { return "new" + std::to_string(++made); });
}

std::vector<std::string> ids_of(const item_list& items) {
  auto ids = std::vector<std::string>{};
  for (const auto& entry : items)
    if (const auto* call = std::get_if<tool_call>(&entry))
      ids.push_back(call->call_id);
  return ids;
}

tool_call call(std::string id) {
  return {std::move(id), "x", "{}", {}};
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a call without an id gets one, and others keep theirs") {
  auto ids = counting();
  auto output = item_list{assistant_message{{}, "text"}, call(""), call("own"), call("")};
  ids.fill_in(output);
  CHECK(ids_of(output) == strings{"new1", "own", "new2"});
}

TEST_CASE("a call has the same id where it is announced and in the whole answer") {
  auto ids = counting();
  auto first = model_deltas{tool_call_delta{0, "own", "x"}, tool_call_delta{1, "", "x"}};
  auto later = model_deltas{arguments_delta{1, "{}"}, tool_call_delta{3, "", "x"}};
  ids.fill_in(first);
  ids.fill_in(later);
  CHECK(first == model_deltas{tool_call_delta{0, "own", "x"}, tool_call_delta{1, "new1", "x"}});
  CHECK(later == model_deltas{arguments_delta{1, "{}"}, tool_call_delta{3, "new2", "x"}});
  // The second got its own too late; the third was never announced.
  auto output = item_list{call("own"), call("late"), call(""), call("")};
  ids.fill_in(output);
  CHECK(ids_of(output) == strings{"own", "new1", "new3", "new2"});
}
