#include "apps/troupe/hidden_secrets.hpp"

#include <atomic>
#include <utility>

namespace troupe::cli {

namespace {

std::atomic<redactor_ptr>& kept() {
  static std::atomic<redactor_ptr> which{nothing_to_hide()};
  return which;
}

} // namespace

void hide_secrets(redactor_ptr which) {
  kept().store(std::move(which));
}

redactor_ptr hidden_secrets() {
  return kept().load();
}

} // namespace troupe::cli
