#include "apps/troupe/log_format.hpp"

#include "apps/troupe/hidden_secrets.hpp"
#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>
#include <spdlog/details/log_msg.h>

using namespace troupe;
using namespace troupe::cli;

using namespace std::string_literals;

namespace {

std::string written(spdlog::formatter& formatter, const std::string& text,
                    const std::string& logger = "troupe") {
  auto entry = spdlog::details::log_msg{logger, spdlog::level::warn, text};
  entry.time = spdlog::log_clock::time_point{std::chrono::milliseconds{1'700'000'000'042}};
  auto out = spdlog::memory_buf_t{};
  formatter.format(entry, out);
  return {out.data(), out.size()};
}

} // namespace

TEST_CASE("a JSON log entry is one line that says when, how bad, who and what") {
  auto formatter = json_formatter{};
  const auto line = written(formatter, "hello", "http");
  REQUIRE(line.find('\n') == line.size() - 1);
  const auto entry = parse_json(line).value();
  CHECK(entry ==
        json{{"ts", "2023-11-14T22:13:20.042Z"}, {"level", "warn"}, {"logger", "http"}, {"msg", "hello"}});
}

TEST_CASE("a JSON log entry survives any text") {
  auto formatter = json_formatter{};
  const auto text = "quote \" backslash \\ newline \n escape \x1b zero \0 end"s;
  const auto line = written(formatter, text);
  REQUIRE(line.find('\n') == line.size() - 1);
  CHECK(parse_json(line).value()["msg"] == text);
  CHECK(parse_json(written(formatter, "\xFF")).value()["msg"] == "\xEF\xBF\xBD");
}

TEST_CASE("a plain log entry is one line whatever the text holds") {
  auto formatter = line_formatter{};
  const auto line = written(formatter, "first\nforged entry\x1b[2J");
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line.find("warn  [troupe] first\\nforged entry\\x1b[2J") != std::string::npos);
}

TEST_CASE("log entries have no secrets, in whatever form") {
  hide_secrets(std::make_shared<const redactor>(std::vector{secret{"k\"0123456789"}}));
  auto lines = line_formatter{};
  auto objects = json_formatter{};
  CHECK(written(lines, "is k\"0123456789").ends_with("is [redacted]\n"));
  CHECK(parse_json(written(objects, R"({"key":"k\"0123456789"})")).value()["msg"] ==
        R"({"key":"[redacted]"})");
  hide_secrets(nothing_to_hide());
}
