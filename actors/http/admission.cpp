#include "actors/http/admission.hpp"

#include <fmt/format.h>

#include <ctime>
#include <utility>

namespace troupe::http {

namespace {

/// Whether it takes memory that nobody knows the size of: of a run, or of a session or run that is shown.
bool takes_memory(endpoint what) noexcept {
  switch (what) {
  case endpoint::chat:
  case endpoint::resume_run:
  case endpoint::run:
  case endpoint::run_events:
  case endpoint::session:
    return true;
  default:
    return false;
  }
}

/// Whether it has to be possible above all when there is too much of everything.
bool is_first_aid(endpoint what) noexcept {
  switch (what) {
  case endpoint::health:
  case endpoint::system:
  case endpoint::metrics:
  case endpoint::mcp:
  case endpoint::cancel_run:
    return true;
  default:
    return false;
  }
}

gauge show_used(metrics& all, const std::string& bound) {
  return all.level("troupe_bound_used", "How much of a bound is taken.", {{"bound", bound}, {"name", ""}});
}

} // namespace

admission::admission(metrics& all, const config::server_options& options,
                     std::shared_ptr<memory_watch> memory)
    : max_requests_(options.max_requests), memory_(std::move(memory)),
      refused_requests_(count_refusals(all, "requests", "overloaded")),
      refused_memory_(count_refusals(all, "memory", "memory_short")),
      refused_connections_(count_refusals(all, "connections", "overloaded")),
      refused_body_(count_refusals(all, "body", "body_too_large")),
      connections_(show_used(all, "connections")), requests_(show_used(all, "requests")) {
  show_limit(all, "connections", static_cast<double>(options.max_connections));
  show_limit(all, "requests", static_cast<double>(options.max_requests));
  show_limit(all, "body", static_cast<double>(options.max_body_bytes));
  show_limit(all, "json_depth", static_cast<double>(options.max_json_depth));
}

std::optional<answer> admission::refuse(endpoint what, std::size_t in_work, clock::time_point now) {
  if (is_first_aid(what))
    return std::nullopt;
  if (in_work >= max_requests_) {
    refused_requests_.add();
    return http::refuse(503, to_string(errc::overloaded),
                        fmt::format("{} requests are in work already", in_work));
  }
  if (takes_memory(what) && memory_ && memory_->is_short(now)) {
    refused_memory_.add();
    return http::refuse(fail(errc::memory_short, "the process has little memory left"));
  }
  return std::nullopt;
}

const std::string& admission::no_connection() {
  refused_connections_.add();
  if (no_connection_.empty()) {
    auto refusal =
        http::refuse(503, to_string(errc::overloaded), "there are too many connections to this server");
    no_connection_ = render_head(refusal, false, http_date(std::time(nullptr))) + refusal.body;
  }
  return no_connection_;
}

} // namespace troupe::http
