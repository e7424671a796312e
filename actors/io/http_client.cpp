#include "actors/io/http_client.hpp"

#include "actors/io/defaults.hpp"
#include "actors/io/http_pool.hpp"
#include "actors/io/reactor.hpp"

#include <algorithm>

#include <strings.h>

namespace troupe::io {

std::string_view http_response::header(std::string_view name) const noexcept {
  auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& field) {
    return field.first.size() == name.size() &&
           strncasecmp(field.first.data(), name.data(), name.size()) == 0;
  });
  return found == headers.end() ? std::string_view{} : found->second;
}

http_client::http_client(std::shared_ptr<pool> impl) : impl_(std::move(impl)) {}

result<std::unique_ptr<http_client>> http_client::make(reactor& io, http_client_options options) {
  auto url = parse_http_url(options.base_url);
  if (!url)
    return url.error();
  if (options.max_connections == 0)
    return fail(errc::invalid_argument, "max_connections is 0; give at least 1");
  options.idle_timeout = std::min<std::chrono::milliseconds>(options.idle_timeout, defaults::longest_timeout);
  auto way = std::make_shared<route>();
  way->origin = std::move(*url);
  way->connect_timeout =
      std::min<std::chrono::milliseconds>(options.connect_timeout, defaults::longest_timeout);
  auto via = select_proxy(options, way->origin);
  if (!via)
    return via.error();
  way->via = std::move(*via);
  if (way->origin.tls) {
    auto tls = make_tls_context(options.ca_file);
    if (!tls)
      return tls.error();
    way->tls = std::move(*tls);
  }
  auto impl = std::make_shared<pool>(io.context(), std::move(options), std::move(way));
  return std::unique_ptr<http_client>(new http_client(std::move(impl)));
}

http_client::~http_client() {
  impl_->shut();
}

http_request_id http_client::send(http_request request, http_handler handler) {
  return impl_->send(std::move(request), std::move(handler));
}

http_request_id http_client::stream(http_request request, http_stream_options options,
                                    http_stream_handlers handlers) {
  return impl_->stream(std::move(request), options, std::move(handlers));
}

void http_client::consumed(http_request_id id, std::size_t bytes) {
  impl_->consumed(id, bytes);
}

void http_client::cancel(http_request_id id) {
  impl_->cancel(id);
}

std::size_t http_client::open_connections() const {
  return impl_->open_connections();
}

} // namespace troupe::io
