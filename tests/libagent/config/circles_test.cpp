#include "libagent/config/circles.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

namespace {

/// References by their ends, each with the path "FROM>TO".
std::vector<circle> circles_of(const std::vector<std::vector<std::size_t>>& ends) {
  std::vector<std::vector<reference>> references(ends.size());
  for (std::size_t from = 0; from < ends.size(); ++from)
    for (const auto to : ends[from])
      references[from].push_back({to, std::to_string(from) + ">" + std::to_string(to)});
  return find_circles(references);
}

using owners = std::vector<std::size_t>;

} // namespace

TEST_CASE("references without a circle are right, whichever way they meet") {
  CHECK(circles_of({}).empty());
  CHECK(circles_of({{1, 2}, {3}, {3}, {}}).empty());
  CHECK(circles_of({{}, {0}, {0, 1}, {2, 1, 0}}).empty());
}

TEST_CASE("a circle is told once, with the reference that closes it") {
  const auto found = circles_of({{1}, {2, 3}, {1}, {}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].owners == owners{1, 2});
  CHECK(found[0].path == "2>1");
}

TEST_CASE("each circle is told") {
  const auto found = circles_of({{1}, {0, 2}, {0}, {4}, {3}, {5}});
  REQUIRE(found.size() == 4);
  CHECK(found[0].owners == owners{0, 1});
  CHECK(found[1].owners == owners{0, 1, 2});
  CHECK(found[2].owners == owners{3, 4});
  CHECK(found[3].owners == owners{5});
}

TEST_CASE("a chain of any length is followed, and a great many circles are cut off") {
  std::vector<std::vector<std::size_t>> ends;
  for (std::size_t i = 1; i <= 200'000; ++i)
    ends.push_back({i, 0});
  ends.push_back({});
  const auto found = circles_of(ends);
  CHECK(found.size() == 100);
  ends.back() = {};
  for (auto& each : ends)
    each.resize(each.empty() ? 0 : 1);
  CHECK(circles_of(ends).empty());
}
