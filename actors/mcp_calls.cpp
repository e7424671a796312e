#include "actors/mcp_calls.hpp"

#include <algorithm>

namespace troupe {

void mcp_calls::add(const tool_invocation& what, promise answer, time_point now,
                    std::chrono::milliseconds timeout, std::chrono::milliseconds hard_limit) {
  const auto deadline = deadlines_.emplace(now + std::min(timeout, hard_limit), what.key);
  calls_.insert_or_assign(
      what.key, open_call{what, std::move(answer), timeout, hard_limit, now + hard_limit, deadline, false});
  waiting_.push_back(what.key);
}

const tool_invocation* mcp_calls::begin_next() {
  if (waiting_.empty())
    return nullptr;
  auto& call = calls_.at(waiting_.front());
  waiting_.pop_front();
  call.on_the_wire = true;
  return &call.what;
}

void mcp_calls::progressed(call_key key, time_point now) {
  const auto found = calls_.find(key);
  if (found == calls_.end())
    return;
  auto& call = found->second;
  deadlines_.erase(call.deadline);
  call.deadline = deadlines_.emplace(std::min(now + call.timeout, call.hard_deadline), key);
}

bool mcp_calls::answer(call_key key, tool_result result) {
  auto call = calls_.extract(key);
  if (call.empty())
    return false;
  deadlines_.erase(call.mapped().deadline);
  if (!call.mapped().on_the_wire)
    std::erase(waiting_, key);
  call.mapped().answer.deliver(std::move(result));
  return true;
}

void mcp_calls::fail_all(const std::string& reason) {
  for (auto& [key, call] : calls_)
    call.answer.deliver(tool_result::failure(reason));
  calls_.clear();
  waiting_.clear();
  deadlines_.clear();
}

std::vector<mcp_calls::late_call> mcp_calls::overdue(time_point now) const {
  std::vector<late_call> late;
  for (auto each = deadlines_.begin(); each != deadlines_.end() && each->first <= now; ++each) {
    const auto& call = calls_.at(each->second);
    const bool is_hard = now >= call.hard_deadline;
    late.push_back({each->second, call.on_the_wire, is_hard ? call.hard_limit : call.timeout});
  }
  return late;
}

std::optional<mcp_calls::time_point> mcp_calls::next_deadline() const {
  if (deadlines_.empty())
    return std::nullopt;
  return deadlines_.begin()->first;
}

} // namespace troupe
