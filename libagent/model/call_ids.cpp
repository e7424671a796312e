#include "libagent/model/call_ids.hpp"

namespace troupe {

void call_ids::fill_in(model_deltas& deltas) {
  for (auto& delta : deltas)
    if (auto* call = std::get_if<tool_call_delta>(&delta); call && call->call_id.empty())
      call->call_id = given_[call->index] = make_();
}

void call_ids::fill_in(item_list& output) {
  auto index = std::size_t{0};
  for (auto& entry : output) {
    auto* call = std::get_if<tool_call>(&entry);
    if (!call)
      continue;
    if (const auto given = given_.find(index++); given != given_.end())
      call->call_id = given->second;
    else if (call->call_id.empty())
      call->call_id = make_();
  }
}

} // namespace troupe
