#pragma once

#include "libagent/model/stream.hpp"

#include <functional>
#include <map>
#include <string>

namespace troupe {

/// Gives the calls of one answer that came without an id one each: the same where the answer is streamed and
/// where it is whole.
class call_ids {
public:
  /// Makes an id that nobody else has.
  using source = std::function<std::string()>;

  explicit call_ids(source make) : make_(std::move(make)) {}

  /// For what the answer grows by.
  void fill_in(model_deltas& deltas);
  /// For the whole answer, after its deltas. An id that came after its call was announced is too late: the
  /// call keeps the one that it was announced by.
  void fill_in(item_list& output);

private:
  source make_;
  /// By the call's number in the answer.
  std::map<std::size_t, std::string> given_;
};

} // namespace troupe
