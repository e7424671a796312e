#include "actors/io/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace troupe {

namespace {

std::shared_ptr<spdlog::logger> find_or_make() {
  if (auto known = spdlog::get("troupe"))
    return known;
  auto made = std::make_shared<spdlog::logger>("troupe", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  made->set_level(spdlog::level::warn);
  return made;
}

} // namespace

spdlog::logger& log() {
  static const auto logger = find_or_make();
  return *logger;
}

} // namespace troupe
