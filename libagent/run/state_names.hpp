#pragma once

#include <array>
#include <string_view>

/// Names in the JSON of runs, in the order of the enumerations that they stand for.
namespace troupe::run {

/// `toolbox_entry::kind`, `open_call::stage`, `phase`.
inline constexpr auto kind_names = std::array<std::string_view, 3>{"tool", "agent", "handoff"};
inline constexpr auto stage_names =
    std::array<std::string_view, 9>{"waiting",         "opened",  "checking_input", "queued", "running",
                                    "checking_output", "settled", "reporting",      "done"};
inline constexpr auto phase_names = std::array<std::string_view, 13>{
    "created",         "guarding_input", "collecting",  "reserving",       "thinking", "holding", "resuming",
    "reserving_tools", "acting",         "handing_off", "guarding_output", "paused",   "finished"};

template <std::size_t Count, class Value>
std::string_view name_in(const std::array<std::string_view, Count>& names, Value value) {
  return names.at(static_cast<std::size_t>(value));
}

} // namespace troupe::run
