#include "libagent/run/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe {

namespace {

using count = std::optional<std::uint64_t>;

struct counted {
  const char* name;
  count budget::*bound;
};

constexpr counted counts[] = {{"turns", &budget::turns},
                              {"model_calls", &budget::model_calls},
                              {"tool_calls", &budget::tool_calls},
                              {"input_tokens", &budget::input_tokens},
                              {"output_tokens", &budget::output_tokens},
                              {"total_tokens", &budget::total_tokens}};

template <class T>
std::optional<T> smaller(const std::optional<T>& left, const std::optional<T>& right) {
  if (!left || !right)
    return left ? left : right;
  return std::min(*left, *right);
}

error wrong(std::string_view name, std::string_view expected, const json& value) {
  return fail(errc::invalid_argument,
              fmt::format("budget: '{}' must be {}, not {}", name, expected, dump_json(value).substr(0, 40)));
}

result<std::uint64_t> read_count(std::string_view name, const json& value) {
  if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0))
    return wrong(name, "a whole number that is not negative", value);
  return value.get<std::uint64_t>();
}

result<double> read_cost(const json& value) {
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0)
    return wrong("cost", "a number that is not negative", value);
  return value.get<double>();
}

result<std::chrono::milliseconds> read_time(const json& value) {
  const auto read = read_count("wall_time_ms", value);
  if (!read)
    return read.error();
  using rep = std::chrono::milliseconds::rep;
  if (*read > static_cast<std::uint64_t>(std::numeric_limits<rep>::max()))
    return wrong("wall_time_ms", "a number of milliseconds that a clock can hold", value);
  return std::chrono::milliseconds(static_cast<rep>(*read));
}

/// Bytes of explanation after which nobody need read more of what is wrong: more than all bounds need.
constexpr std::size_t most_problems = 1024;

/// Puts what was read in its place; the error if it could not be read.
template <class T, class Read>
std::optional<error> put(std::optional<T>& bound, Read read) {
  if (!read)
    return read.error();
  bound = *read;
  return std::nullopt;
}

std::optional<error> read_member(budget& into, const std::string& name, const json& value) {
  if (name == "cost")
    return put(into.cost, read_cost(value));
  if (name == "wall_time_ms")
    return put(into.wall_time, read_time(value));
  for (const auto& each : counts)
    if (name == each.name)
      return put(into.*each.bound, read_count(name, value));
  return fail(errc::invalid_argument, fmt::format("budget: '{}' is unknown", to_utf8(name)));
}

} // namespace

bool budget::is_bounded() const noexcept {
  return cost || wall_time || std::any_of(std::begin(counts), std::end(counts), [this](const counted& each) {
           return (this->*each.bound).has_value();
         });
}

budget tighter(const budget& left, const budget& right) {
  budget made;
  for (const auto& each : counts)
    made.*each.bound = smaller(left.*each.bound, right.*each.bound);
  made.cost = smaller(left.cost, right.cost);
  made.wall_time = smaller(left.wall_time, right.wall_time);
  return made;
}

json to_json(const budget& value) {
  auto made = json::object();
  for (const auto& each : counts)
    if (const auto& bound = value.*each.bound)
      made[each.name] = *bound;
  if (value.cost)
    made["cost"] = *value.cost;
  if (value.wall_time)
    made["wall_time_ms"] = value.wall_time->count();
  return made;
}

result<budget> budget_from_json(const json& value) {
  if (!value.is_object())
    return fail(errc::invalid_argument, "budget: must be an object");
  budget made;
  std::string problems;
  for (const auto& [name, bound] : value.items()) {
    const auto reason = read_member(made, name, bound);
    if (!reason)
      continue;
    if (problems.size() > most_problems)
      return fail(errc::invalid_argument, problems + "; and maybe more");
    problems += (problems.empty() ? "" : "; ") + reason->detail;
  }
  if (!problems.empty())
    return fail(errc::invalid_argument, problems);
  return made;
}

} // namespace troupe
