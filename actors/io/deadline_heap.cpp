#include "actors/io/deadline_heap.hpp"

#include <algorithm>

namespace troupe::io {

void deadline_heap::add(time_point at, std::uint64_t id) {
  entries_.push_back({at, id});
  std::push_heap(entries_.begin(), entries_.end(), later);
}

std::optional<deadline_heap::time_point> deadline_heap::next() const {
  if (entries_.empty())
    return std::nullopt;
  return entries_.front().at;
}

std::vector<std::uint64_t> deadline_heap::take_due(time_point now) {
  std::vector<std::uint64_t> due;
  while (!entries_.empty() && entries_.front().at <= now) {
    due.push_back(entries_.front().id);
    std::pop_heap(entries_.begin(), entries_.end(), later);
    entries_.pop_back();
  }
  return due;
}

void deadline_heap::keep_if(const std::function<bool(std::uint64_t)>& wanted) {
  std::erase_if(entries_, [&](const entry& one) { return !wanted(one.id); });
  std::make_heap(entries_.begin(), entries_.end(), later);
}

} // namespace troupe::io
