#include "libagent/model/sse_decoder.hpp"
#include "tests/fuzz/target.hpp"

#include <optional>

namespace troupe::fuzz {

namespace {

/// Small, so that inputs come past it.
constexpr std::size_t max_event_bytes = 256;

/// Nothing if an event is too large.
std::optional<std::vector<sse_event>> read(const std::vector<std::string_view>& pieces) {
  sse_decoder decoder(max_event_bytes);
  std::vector<sse_event> all;
  for (const auto piece : pieces) {
    auto events = decoder.feed(piece);
    if (!events)
      return std::nullopt;
    all.insert(all.end(), events->begin(), events->end());
  }
  return all;
}

} // namespace

void sse(std::string_view input) {
  const auto whole = read({input});
  const auto cut = read(pieces_of(input));
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < input.size(); ++i)
    bytes.push_back(input.substr(i, 1));
  const auto single = read(bytes);
  expect(whole == cut && whole == single, "events do not depend on how the stream is cut");
  if (whole)
    for (const auto& each : *whole)
      expect(each.data.size() <= max_event_bytes && each.name.find('\n') == std::string::npos,
             "an event keeps to its bounds");
}

} // namespace troupe::fuzz
