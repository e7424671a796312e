#include "apps/hostwatch/line_loop.hpp"

#include <catch2/catch.hpp>

#include <array>

#include <fcntl.h>
#include <unistd.h>

using namespace troupe::hostwatch;

namespace {

/// What `serve_lines` writes for an input, with lines of at most 8 bytes.
std::string served(const std::string& input) {
  std::array<int, 2> in{}, out{};
  REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
  REQUIRE(::write(in[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  ::close(in[1]);
  serve_lines(in[0], out[1],
              {[](std::string_view line) {
                 return line.empty() ? std::vector<std::string>()
                                     : std::vector{"<" + std::string(line) + ">"};
               },
               [] { return std::vector<std::string>{"too long"}; }, 8});
  ::close(out[1]);
  std::array<char, 4096> text{};
  const auto count = ::read(out[0], text.data(), text.size());
  ::close(in[0]);
  ::close(out[0]);
  REQUIRE(count >= 0);
  return {text.data(), static_cast<std::size_t>(count)};
}

} // namespace

TEST_CASE("each line is answered, the last also without its newline") {
  CHECK(served("a\nbc\n\nd") == "<a>\n<bc>\n<d>\n");
  CHECK(served("").empty());
}

TEST_CASE("a line that is too long is skipped, and the next one counts again") {
  CHECK(served("12345678\n123456789\nok\n") == "<12345678>\ntoo long\n<ok>\n");
  CHECK(served(std::string(1000, 'x')) == "too long\n");
}
