#include "libagent/run/window.hpp"

#include "libagent/run/steps.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::run {

namespace {

bool is_user(const item& entry) {
  return std::holds_alternative<user_message>(entry);
}

/// How many items go from the beginning, at least.
std::size_t surplus(std::size_t size, std::size_t most) {
  const auto step = std::max<std::size_t>(most / 4, 1);
  return (size - most + step - 1) / step * step;
}

} // namespace

shared_items newest_items(shared_items all, std::size_t most) {
  if (!all || all->size() <= most)
    return all;
  if (most == 0)
    return nullptr;
  auto first = all->begin() + static_cast<std::ptrdiff_t>(surplus(all->size(), most));
  if (const auto question = std::find_if(first, all->end(), is_user); question != all->end())
    return std::make_shared<const item_list>(question, all->end());
  item_list kept;
  const auto before = std::find_if(std::make_reverse_iterator(first), all->rend(), is_user);
  if (before != all->rend()) {
    kept.push_back(*before);
    first = std::max(first, all->end() - static_cast<std::ptrdiff_t>(most - 1));
  }
  kept.insert(kept.end(), first, all->end());
  return std::make_shared<const item_list>(well_formed(std::move(kept)));
}

} // namespace troupe::run
