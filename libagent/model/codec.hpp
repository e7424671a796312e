#pragma once

#include "libagent/model/model.hpp"
#include "libagent/model/stream.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// One provider's wire format. Immutable; may be used from any thread.
class model_codec {
public:
  virtual ~model_codec() = default;

  /// Path of the endpoint below the base URL, e.g. "/chat/completions".
  virtual std::string_view path() const = 0;
  /// Headers that the format itself asks for, credentials included; `api_key` may be empty.
  virtual std::vector<std::pair<std::string, std::string>> headers(std::string_view api_key) const = 0;
  /// The request body as JSON text.
  virtual std::string encode(const model_request& request, bool streamed) const = 0;
  /// Reads the body of a 200 answer that is not streamed. Error `model_failed`. Never throws.
  virtual result<model_response> decode(std::string_view body) const = 0;
  /// For the body of a 200 answer of media type text/event-stream.
  virtual std::unique_ptr<stream_decoder> make_stream_decoder() const = 0;
  /// What an error body says, for people; at most 500 characters.
  virtual std::string error_message(std::string_view body) const = 0;
};

} // namespace troupe
