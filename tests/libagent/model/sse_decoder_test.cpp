#include "libagent/model/sse_decoder.hpp"
#include "tests/libagent/model/stream_support.hpp"

using namespace troupe;

namespace {

std::vector<sse_event> read(sse_decoder& decoder, const std::vector<std::string>& pieces) {
  auto all = std::vector<sse_event>{};
  for (const auto& piece : pieces) {
    auto events = decoder.feed(piece);
    REQUIRE(events.has_value());
    all.insert(all.end(), events->begin(), events->end());
  }
  return all;
}

} // namespace

TEST_CASE("events are the same however the bytes are cut") {
  struct row {
    std::string stream;
    std::vector<sse_event> events;
  };
  const auto [stream, events] = GENERATE(values<row>({
      {"data: a\n\n", {{"", "a"}}},
      {"data: a\r\rdata: b\r\r", {{"", "a"}, {"", "b"}}},
      {"data: a\r\n\r\ndata: b\n\r\n", {{"", "a"}, {"", "b"}}},
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {{"", "a"}}},
      {"\xEF\xBB"
       "data: a\n\n",
       {}},
      {"data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {{"", "a"}}},
      {"event: x\ndata: a\n\ndata: b\n\n", {{"x", "a"}, {"", "b"}}},
      {"event: x\nevent: y\ndata: a\n\n", {{"y", "a"}}},
      {"event: x\n\ndata: a\n\n", {{"", "a"}}},
      {"data: a\ndata:b\ndata:  c\ndata\n\n", {{"", "a\nb\n c\n"}}},
      {"data\n\ndata:\n\n", {{"", ""}, {"", ""}}},
      {": comment\ndata: a\n: data: b\n\n:\n\n", {{"", "a"}}},
      {"id: 1\nretry: 5\nfoo: bar\nDATA: x\n data: y\ndata: a: b\n\n", {{"", "a: b"}}},
      {"data: a\n\ndata: cut off", {{"", "a"}}},
      {"data: a\n\ndata: cut off\n", {{"", "a"}}},
      {"\n\n\r\n", {}},
  }));
  CAPTURE(stream);
  for (const auto& pieces : model_test::cut(stream)) {
    auto decoder = sse_decoder{};
    CHECK(read(decoder, pieces) == events);
  }
}

TEST_CASE("nothing between CR and LF is no line") {
  auto decoder = sse_decoder{};
  CHECK(read(decoder, {"data: a\r", "", "\n\r", "\ndata: b\r\n\r\n"}) ==
        std::vector<sse_event>{{"", "a"}, {"", "b"}});
}

TEST_CASE("an event is no larger than the limit, whatever it consists of") {
  const auto [stream, fits] = GENERATE(table<std::string, bool>({
      {"data: 1234\n\n", true},
      {"data: 12345", false},
      {"data: 1\ndata: 2\n\n", true},
      {"data: 1234\ndata: 5\n\n", false},
      {": 12345678", true},
      {": 123456789", false},
      {"event: 123\ndata:\n\n", true},
      {"data: 1234\n\ndata: 1234\n\ndata: 1234\n\n", true},
  }));
  CAPTURE(stream);
  for (const auto& pieces : model_test::cut(stream)) {
    auto decoder = sse_decoder{10};
    auto fed = true;
    for (const auto& piece : pieces)
      if (const auto events = decoder.feed(piece); !events) {
        CHECK(events.error().code == errc::model_failed);
        fed = false;
        break;
      }
    CHECK(fed == fits);
  }
}
