#include "actors/http/token_keys.hpp"

#include "actors/http/defaults.hpp"
#include "actors/io/log.hpp"
#include "libagent/auth/defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace troupe::http {

namespace {

bool is_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

/// Scheme and authority, and the rest.
std::pair<std::string, std::string> split_url(const std::string& url) {
  const auto path = std::min(url.find_first_of("/?", url.find("//") + 2), url.size());
  auto target = url.substr(path);
  if (!target.starts_with('/'))
    target.insert(0, "/");
  return {url.substr(0, path), std::move(target)};
}

} // namespace

token_keys::token_keys(io::reactor& io, std::optional<config::jwt_options> options,
                       std::function<void()> on_fetched)
    : io_(io), options_(std::move(options)), on_fetched_(std::move(on_fetched)) {}

token_keys::~token_keys() {
  on_fetched_ = nullptr;
  client_.reset();
}

result<void> token_keys::open(clock::time_point now) {
  if (!options_)
    return {};
  if (!is_url(options_->jwks))
    return read_file();
  if (auto made = make_client(); !made)
    return made;
  fetch(now);
  return {};
}

result<void> token_keys::read_file() {
  const auto unusable = [this](std::string_view why) {
    return fail(errc::invalid_config,
                fmt::format("cannot use the keys of tokens in {}: {}", options_->jwks, why));
  };
  errno = 0;
  std::ifstream file(options_->jwks, std::ios::binary);
  // One byte more than is allowed tells that there was more.
  std::string text(auth::defaults::largest_jwks + 1, '\0');
  if (!file || file.read(text.data(), static_cast<std::streamsize>(text.size())).bad())
    return unusable(std::strerror(errno != 0 ? errno : EIO));
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto keys = auth::key_set::parse(text);
  if (!keys)
    return unusable(keys.error().detail);
  keys_ = std::make_shared<const auth::key_set>(std::move(*keys));
  return {};
}

result<void> token_keys::make_client() {
  io::http_client_options options;
  options.base_url = split_url(options_->jwks).first;
  options.connect_timeout = defaults::jwks_connect_timeout;
  options.max_connections = 1;
  options.max_queue = 1;
  options.max_response_bytes = auth::defaults::largest_jwks;
  io::read_proxy_environment(options);
  auto client = io::http_client::make(io_, std::move(options));
  if (!client)
    return fail(errc::invalid_config,
                fmt::format("cannot fetch the keys of tokens: {}", client.error().detail));
  client_ = std::move(*client);
  return {};
}

bool token_keys::fetch_for_stranger(clock::time_point now) {
  if (client_ == nullptr)
    return false;
  if (schedule_.is_due_for_stranger(now))
    fetch(now);
  return schedule_.is_running();
}

void token_keys::keep_fresh(clock::time_point now) {
  if (client_ != nullptr && schedule_.is_due_for_age(now))
    fetch(now);
}

void token_keys::fetch(clock::time_point now) {
  schedule_.begin(now);
  io::http_request request;
  request.method = "GET";
  request.target = split_url(options_->jwks).second;
  request.headers = {{"Accept", "application/jwk-set+json, application/json"}};
  request.timeout = defaults::jwks_timeout;
  // Safe with `this`: the client's end is the end of its handlers.
  client_->send(std::move(request), [this](const std::optional<io::http_response>& response,
                                           const io::http_failure& why) { fetched(response, why); });
}

void token_keys::fetched(const std::optional<io::http_response>& response, const io::http_failure& why) {
  // The client is on its way down.
  if (!on_fetched_)
    return;
  if (!response)
    take(why.reason);
  else if (response->status != 200)
    take(fail(errc::io_failed, fmt::format("the answer has the status {}", response->status)));
  else
    take(auth::key_set::parse(response->body));
  on_fetched_();
}

void token_keys::take(result<auth::key_set> keys) {
  schedule_.end(clock::now(), keys.has_value());
  if (keys)
    keys_ = std::make_shared<const auth::key_set>(std::move(*keys));
  else
    log().warn("http: cannot fetch the keys of tokens: {}; {}", keys.error().detail,
               keys_ ? "those from before stay in use" : "no token is accepted until they come");
}

} // namespace troupe::http
