#include "actors/io/line_splitter.hpp"

#include <catch2/catch.hpp>

using troupe::io::line_splitter;
using lines = std::vector<std::string>;

TEST_CASE("lines are the same however their bytes arrive") {
  const std::string text = "a\r\n\nlonger line\r\r\n\r\n\nb\nrest";
  const auto step = GENERATE(range<std::size_t>(1, 28));
  line_splitter splitter(100);
  lines got;
  for (std::size_t at = 0; at < text.size(); at += step)
    CHECK(splitter.feed(std::string_view(text).substr(at, step), got));
  splitter.finish(got);
  CHECK(got == lines{"a", "", "longer line\r", "", "b", "rest"});
}

TEST_CASE("a line of just the bound passes, one more byte does not") {
  line_splitter splitter(5);
  lines got;
  CHECK(splitter.feed("12345\r\n12345\n", got));
  CHECK(got == lines{"12345", "12345"});
  CHECK_FALSE(splitter.feed("ok\n123456\n", got));
  CHECK(got.back() == "ok");
}
