#pragma once

#include "libagent/model/model.hpp"

#include <cstddef>

namespace troupe {

/// A request's past and fresh items as one sequence, without copying them. Lives no longer than the request.
class history_view {
public:
  explicit history_view(const model_request& request)
      : past_(request.past ? request.past.get() : nullptr), fresh_(&request.fresh) {}

  std::size_t size() const noexcept { return past_size() + fresh_->size(); }
  const item& operator[](std::size_t index) const noexcept {
    return index < past_size() ? (*past_)[index] : (*fresh_)[index - past_size()];
  }

private:
  std::size_t past_size() const noexcept { return past_ ? past_->size() : 0; }

  const item_list* past_;
  const item_list* fresh_;
};

} // namespace troupe
