#include "libagent/core/text_finder.hpp"

#include <algorithm>
#include <limits>

namespace troupe {

namespace {
constexpr std::size_t blocks = 1u << 16;
} // namespace

text_finder::text_finder(std::vector<std::string> wanted) : wanted_(std::move(wanted)) {
  if (wanted_.empty())
    return;
  shortest_ = std::numeric_limits<std::uint8_t>::max();
  first_pairs_.assign(blocks, false);
  for (const auto& each : wanted_) {
    first_pairs_[block(each, 1)] = true;
    shortest_ = std::min(shortest_, each.size());
    longest_ = std::max(longest_, each.size());
    first_bytes_[static_cast<unsigned char>(each.front())] = true;
  }
  shifts_.assign(blocks, static_cast<std::uint8_t>(shortest_ - 1));
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    for (std::size_t end = 1; end < shortest_; ++end) {
      auto& shift = shifts_[block(wanted_[i], end)];
      shift = std::min(shift, static_cast<std::uint8_t>(shortest_ - 1 - end));
    }
    ending_with_[block(wanted_[i], shortest_ - 1)].push_back(i);
  }
  for (auto& [end, texts] : ending_with_)
    std::sort(texts.begin(), texts.end(),
              [this](auto a, auto b) { return wanted_[a].size() > wanted_[b].size(); });
}

std::optional<text_finder::match> text_finder::find(std::string_view in, std::size_t from) const {
  if (wanted_.empty())
    return std::nullopt;
  for (auto end = from + shortest_ - 1; end < in.size();) {
    const auto last = block(in, end);
    const auto shift = shifts_[last];
    if (shift > 0) {
      end += shift;
      continue;
    }
    const auto begin = end + 1 - shortest_;
    for (const auto text : ending_with_.find(last)->second)
      if (in.substr(begin).starts_with(wanted_[text]))
        return match{begin, text};
    ++end;
  }
  return std::nullopt;
}

std::size_t text_finder::begun_at_end(std::string_view in) const {
  if (wanted_.empty())
    return 0;
  for (auto size = std::min(in.size(), longest_ - 1); size > 0; --size) {
    const auto rest = in.substr(in.size() - size);
    const bool may_be =
        size == 1 ? first_bytes_[static_cast<unsigned char>(rest.front())] : first_pairs_[block(rest, 1)];
    if (may_be && std::any_of(wanted_.begin(), wanted_.end(),
                              [&](const auto& each) { return each.size() > size && each.starts_with(rest); }))
      return size;
  }
  return 0;
}

} // namespace troupe
