#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <mutex>
#include <string_view>

namespace troupe::cli {

/// Writes lines to a descriptor without ever waiting for whoever reads it, who else could hold up every
/// thread that has something to say. Lines that find no room are lost; the next one that finds some is told
/// after how many. Thread-safe.
class log_sink : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// The descriptor stays the caller's.
  explicit log_sink(int descriptor) : descriptor_(descriptor) {}

protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

private:
  void put(const spdlog::details::log_msg& message);
  /// Whether all of it found room.
  bool write(std::string_view text);

  int descriptor_;
  std::size_t lost_ = 0;
  /// A line was broken off.
  bool is_within_line_ = false;
};

} // namespace troupe::cli
