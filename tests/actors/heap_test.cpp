#include "actors/metrics/heap.hpp"
#include "actors/metrics/process_usage.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

} // namespace

TEST_CASE("memory that was freed goes back to the kernel when the heap is trimmed", "[heap]") {
  const auto before = read_resident_bytes();
  constexpr std::size_t piece = 1024, count = 64 * mebibyte / piece;
  std::vector<std::unique_ptr<std::string>> pieces;
  pieces.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    pieces.push_back(std::make_unique<std::string>(piece, 'x'));
  // One that stays at the end, so that the allocator cannot just shorten the heap.
  const auto last = std::move(pieces.back());
  pieces.clear();
  REQUIRE(read_resident_bytes() > before + 48 * mebibyte);

  trim_heap();

  CHECK(read_resident_bytes() < before + 16 * mebibyte);
  CHECK(last->size() == piece);
}

} // namespace troupe
