#pragma once

#include "tests/libagent/run/game.hpp"

#include <cstdint>
#include <initializer_list>
#include <random>

namespace troupe::run::testing {

/// What a seed decides, the same on every platform.
class chance {
public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return engine_() % count; }
  bool in(unsigned percent) { return below(100) < percent; }
  template <class T>
  T any_of(std::initializer_list<T> all) {
    return all.begin()[below(all.size())];
  }

private:
  std::mt19937_64 engine_;
};

/// With guardrails, approvals, policies, handoffs and stop rules as the dice have it; named "m", it may be a
/// team.
agent_ptr random_agent(chance& luck, const std::string& name);

/// An agent whose tool "a" needs a yes.
const agent_ptr& helper();

} // namespace troupe::run::testing
