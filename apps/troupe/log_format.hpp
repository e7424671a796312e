#pragma once

#include <spdlog/formatter.h>

namespace troupe::cli {

/// "2026-01-31 12:00:00.123 warn  [logger] text": local time, one line an entry whatever the text holds;
/// control characters are written as `\xNN`, and secrets (`hide_secrets`) are left out.
class line_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& entry, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

/// `{"ts","level","logger","msg"}` on one line; `ts` is UTC by RFC 3339 with milliseconds.
/// Secrets are left out likewise.
class json_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& entry, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

} // namespace troupe::cli
