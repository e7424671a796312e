#include "apps/troupe/logging.hpp"

#include "apps/troupe/log_format.hpp"
#include "apps/troupe/log_sink.hpp"

#include <spdlog/spdlog.h>

#include <unistd.h>

namespace troupe::cli {

void set_up_logging(const common_options& options, const char* default_level) {
  auto sink = std::make_shared<log_sink>(STDERR_FILENO);
  if (options.log_json)
    sink->set_formatter(std::make_unique<json_formatter>());
  else
    sink->set_formatter(std::make_unique<line_formatter>());
  auto logger = std::make_shared<spdlog::logger>("troupe", std::move(sink));
  const auto& level = options.log_level.empty() ? std::string{default_level} : options.log_level;
  logger->set_level(spdlog::level::from_str(level));
  // A log that cannot be written (stderr closed, disk full) must neither throw nor complain to itself.
  logger->set_error_handler([](const std::string&) {});
  spdlog::set_default_logger(std::move(logger));
}

} // namespace troupe::cli
