#include "libagent/model/anthropic.hpp"

#include "libagent/model/anthropic_answer.hpp"
#include "libagent/model/anthropic_encode.hpp"
#include "libagent/model/anthropic_stream.hpp"
#include "libagent/model/codec_http.hpp"

namespace troupe::anthropic {

namespace {

class codec final : public model_codec {
public:
  explicit codec(wire_options options) : options_(std::move(options)) {}

  std::string_view path() const override { return "/v1/messages"; }

  std::vector<std::pair<std::string, std::string>> headers(std::string_view api_key) const override {
    auto made = std::vector<std::pair<std::string, std::string>>{};
    if (!api_key.empty())
      made.emplace_back("x-api-key", api_key);
    made.emplace_back("anthropic-version", options_.version);
    return made;
  }

  std::string encode(const model_request& request, bool streamed) const override {
    return encode_request(request, options_, streamed);
  }

  result<model_response> decode(std::string_view body) const override { return read_body(body); }

  std::unique_ptr<stream_decoder> make_stream_decoder() const override { return make_message_stream(); }

  std::string error_message(std::string_view body) const override { return endpoint_error_message(body); }

private:
  wire_options options_;
};

} // namespace

std::unique_ptr<const model_codec> make_anthropic_codec(wire_options options) {
  return std::make_unique<const codec>(std::move(options));
}

} // namespace troupe::anthropic
