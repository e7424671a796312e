#include "libagent/core/usage.hpp"

#include <algorithm>
#include <map>

namespace troupe {

namespace {

std::uint64_t count(const json& object, std::string_view key) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

/// The shares' sums by a name that each has.
json sums_by(const std::vector<usage_share>& shares, std::string usage_share::*name) {
  std::map<std::string, usage> sums;
  for (const auto& share : shares)
    sums[share.*name] += share.used;
  auto object = json::object();
  for (const auto& [key, sum] : sums)
    object[key] = to_json(sum);
  return object;
}

} // namespace

usage& usage::operator+=(const usage& other) noexcept {
  requests += other.requests;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  cached_tokens += other.cached_tokens;
  reasoning_tokens += other.reasoning_tokens;
  tool_calls += other.tool_calls;
  return *this;
}

void usage_report::add(std::string_view agent, std::string_view model, const usage& used) {
  const auto known = std::find_if(shares_.begin(), shares_.end(), [&](const usage_share& share) {
    return share.agent == agent && share.model == model;
  });
  if (known != shares_.end())
    known->used += used;
  else
    shares_.push_back({std::string(agent), std::string(model), used});
}

void usage_report::add_tool_call(std::string_view agent) {
  const auto last = std::find_if(shares_.rbegin(), shares_.rend(),
                                 [&](const usage_share& share) { return share.agent == agent; });
  add(agent, last == shares_.rend() ? std::string_view() : last->model, {0, 0, 0, 0, 0, 1});
}

usage_report& usage_report::operator+=(const usage_report& other) {
  for (const auto& share : other.shares_)
    add(share.agent, share.model, share.used);
  return *this;
}

usage usage_report::total() const noexcept {
  usage sum;
  for (const auto& share : shares_)
    sum += share.used;
  return sum;
}

json to_json(const usage& value) {
  return {{"requests", value.requests},
          {"input_tokens", value.input_tokens},
          {"output_tokens", value.output_tokens},
          {"cached_tokens", value.cached_tokens},
          {"reasoning_tokens", value.reasoning_tokens},
          {"total_tokens", value.total_tokens()},
          {"tool_calls", value.tool_calls}};
}

json to_json(const usage_report& value) {
  auto made = to_json(value.total());
  made["agents"] = sums_by(value.shares(), &usage_share::agent);
  made["models"] = sums_by(value.shares(), &usage_share::model);
  return made;
}

json shares_to_json(const usage_report& value) {
  auto array = json::array();
  for (const auto& share : value.shares()) {
    auto entry = to_json(share.used);
    entry["agent"] = share.agent;
    entry["model"] = share.model;
    array.push_back(std::move(entry));
  }
  return array;
}

result<usage_report> shares_from_json(const json& value) {
  if (!value.is_array())
    return fail(errc::malformed, "usage that is not an array");
  usage_report report;
  for (const auto& entry : value) {
    const auto* agent = find_string(entry, "agent");
    const auto* model = find_string(entry, "model");
    if (agent == nullptr || model == nullptr)
      return fail(errc::malformed, "usage without the texts 'agent' and 'model'");
    report.add(*agent, *model,
               {count(entry, "requests"), count(entry, "input_tokens"), count(entry, "output_tokens"),
                count(entry, "cached_tokens"), count(entry, "reasoning_tokens"), count(entry, "tool_calls")});
  }
  return report;
}

} // namespace troupe
