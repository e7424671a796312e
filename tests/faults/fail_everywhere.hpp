#pragma once

#include "tests/faults/failing_memory.hpp"

#include <catch2/catch.hpp>

#include <new>
#include <stdexcept>
#include <string>

/// A scene is an object with `act()`, which does what may fail, and `flaw(attempt)`, which says what is wrong
/// after it; empty if nothing is.
namespace troupe::testing {

/// Too long for a string to hold by itself.
inline const std::string long_text = "a text that is too long for a string to hold by itself";

/// How an attempt ended.
enum class attempt {
  /// Without an exception.
  through,
  /// With that of the failed allocation.
  thrown,
  /// An error told that something had gone wrong.
  refused,
};

struct counts {
  std::size_t failed = 0;
  std::size_t spared = 0;
};

template <class Scene>
attempt act_out(Scene& one) {
  try {
    one.act();
    return attempt::through;
  } catch (const std::bad_alloc&) {
    return attempt::thrown;
  } catch (const std::runtime_error&) {
    // `value()` of an error.
    return attempt::refused;
  }
}

/// Makes the scene anew again and again, to act with the first allocation failing, the second, and so on
/// until none is left to fail, or with every `stride`th of them. Each time the scene's `flaw` must find
/// nothing, and nothing may be left behind.
template <class Make>
counts fail_everywhere(const Make& make, std::size_t stride = 1) {
  {
    // What is made once in a program is made here.
    auto first = make();
    REQUIRE(act_out(first) == attempt::through);
    REQUIRE(first.flaw(attempt::through) == "");
  }
  counts made;
  for (std::size_t n = 1;; n += stride) {
    const auto before = failing_memory::live();
    auto came = failing_memory::outcome::not_reached;
    std::string flaw;
    {
      auto one = make();
      failing_memory::fail_at(n);
      const auto ended = act_out(one);
      came = failing_memory::heal();
      flaw = one.flaw(ended);
    }
    const auto after = failing_memory::live();
    if (!flaw.empty() || before != after) {
      CAPTURE(n, flaw, before, after);
      FAIL("it does not get over a failed allocation");
    }
    if (came == failing_memory::outcome::not_reached)
      return made;
    ++(came == failing_memory::outcome::failed ? made.failed : made.spared);
  }
}

} // namespace troupe::testing
