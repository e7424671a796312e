#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace troupe::io {

/// Deadlines of requests, the earliest first. A request that has ended is not taken out but forgotten when
/// its time comes, or by `keep_if` when such entries pile up: adding and ending stay cheap.
class deadline_heap {
public:
  using time_point = std::chrono::steady_clock::time_point;

  void add(time_point at, std::uint64_t id);
  std::optional<time_point> next() const;
  /// Takes out all that are due and returns their ids, earliest first.
  std::vector<std::uint64_t> take_due(time_point now);
  void keep_if(const std::function<bool(std::uint64_t)>& wanted);
  std::size_t size() const { return entries_.size(); }

private:
  struct entry {
    time_point at;
    std::uint64_t id;
  };
  static bool later(const entry& a, const entry& b) { return a.at > b.at; }

  std::vector<entry> entries_;
};

} // namespace troupe::io
