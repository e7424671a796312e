#include "apps/troupe/host.hpp"

#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe::cli {

host::host(const stop_signals& signals) : signals_(signals), system_(config_) {}

std::unique_ptr<host> host::start(config::configuration file, const stop_signals& signals, error* why,
                                  std::optional<orphan_filter> takes_up) {
  auto made = std::unique_ptr<host>{new host(signals)};
  runtime_options options{std::move(file), {}, {}};
  options.takes_up_runs = takes_up.has_value();
  options.runs_to_take_up = std::move(takes_up).value_or(orphan_filter{});
  auto started = runtime::start(made->system_, std::move(options));
  if (!started) {
    complain("troupe: {}\n", printable(started.error().detail));
    if (why)
      *why = started.error();
    return nullptr;
  }
  made->agents_ = std::move(*started);
  return made;
}

host::~host() {
  shutdown(std::chrono::milliseconds{0});
}

void host::shutdown(std::chrono::milliseconds grace) {
  if (!agents_)
    return;
  impatience_.emplace(signals_);
  agents_->shutdown(grace);
  agents_.reset();
}

} // namespace troupe::cli
