#include "apps/troupe/log_format.hpp"

#include "apps/troupe/hidden_secrets.hpp"
#include "apps/troupe/text.hpp"
#include "libagent/core/json.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/details/log_msg.h>

#include <chrono>
#include <ctime>
#include <string_view>

namespace troupe::cli {

namespace {

constexpr auto default_logger_name = "troupe";

std::string_view view(spdlog::string_view_t text) {
  return {text.data(), text.size()};
}

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
  case spdlog::level::trace:
    return "trace";
  case spdlog::level::debug:
    return "debug";
  case spdlog::level::info:
    return "info";
  case spdlog::level::warn:
    return "warn";
  case spdlog::level::err:
    return "error";
  default:
    return "critical";
  }
}

std::string_view logger_name(const spdlog::details::log_msg& entry) {
  const auto name = view(entry.logger_name);
  return name.empty() ? default_logger_name : name;
}

auto milliseconds_of(spdlog::log_clock::time_point when) {
  using namespace std::chrono;
  return duration_cast<milliseconds>(when.time_since_epoch()).count() % 1000;
}

std::string timestamp(spdlog::log_clock::time_point when) {
  const auto seconds = spdlog::log_clock::to_time_t(when);
  auto parts = std::tm{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", parts, milliseconds_of(when));
}

std::string local_timestamp(spdlog::log_clock::time_point when) {
  const auto seconds = spdlog::log_clock::to_time_t(when);
  auto parts = std::tm{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}", parts, milliseconds_of(when));
}

std::string payload_of(const spdlog::details::log_msg& entry) {
  return hidden_secrets()->hide(std::string(view(entry.payload)));
}

void append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

} // namespace

void line_formatter::format(const spdlog::details::log_msg& entry, spdlog::memory_buf_t& out) {
  append(out, fmt::format("{} {:<5} [{}] {}\n", local_timestamp(entry.time), level_name(entry.level),
                          logger_name(entry), escape_controls(payload_of(entry))));
}

std::unique_ptr<spdlog::formatter> line_formatter::clone() const {
  return std::make_unique<line_formatter>();
}

void json_formatter::format(const spdlog::details::log_msg& entry, spdlog::memory_buf_t& out) {
  const auto quote = [](std::string_view text) { return dump_json(json(std::string{text})); };
  append(out, fmt::format(R"({{"ts":"{}","level":"{}","logger":{},"msg":{}}})", timestamp(entry.time),
                          level_name(entry.level), quote(logger_name(entry)), quote(payload_of(entry))));
  append(out, "\n");
}

std::unique_ptr<spdlog::formatter> json_formatter::clone() const {
  return std::make_unique<json_formatter>();
}

} // namespace troupe::cli
