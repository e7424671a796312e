#include "actors/error.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

#include <fmt/format.h>

namespace troupe {

namespace {

error from_sec(caf::sec code) {
  switch (code) {
  case caf::sec::request_timeout:
    return fail(errc::deadline_exceeded, "no answer in time");
  case caf::sec::request_receiver_down:
    return fail(errc::shutting_down, "the actor that was asked is gone");
  default:
    return fail(errc::internal, fmt::format("actor system: {}", to_string(code)));
  }
}

} // namespace

caf::error to_caf(const error& reason) {
  return {static_cast<std::uint8_t>(reason.code), error_category, caf::make_message(reason)};
}

error from_caf(const caf::error& reason) {
  if (!reason)
    return fail(errc::internal, "an error without a code");
  if (reason.category() == error_category) {
    const auto& context = reason.context();
    if (context.match_elements<error>())
      return context.get_as<error>(0);
    return fail(static_cast<errc>(reason.code()), {});
  }
  if (reason.category() == caf::atom("system"))
    return from_sec(static_cast<caf::sec>(reason.code()));
  // An embedder's own category: what it has to say is in the context, if anywhere.
  if (reason.context().match_elements<std::string>())
    return fail(errc::internal, reason.context().get_as<std::string>(0));
  return fail(errc::internal,
              fmt::format("actor system: {} {}", caf::to_string(reason.category()), reason.code()));
}

error model_error(std::string_view model, const caf::error& reason) {
  if (reason == caf::sec::request_receiver_down || reason == caf::sec::runtime_error)
    return fail(errc::model_unavailable, fmt::format("model '{}': its actor ended", model));
  return from_caf(reason);
}

} // namespace troupe
