#include "actors/io/http_url.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace troupe::io {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size() || port == 0)
    // Not repeated: what follows the colon may be half of a password.
    return fail(errc::invalid_argument, "the port is not a number from 1 to 65535");
  return port;
}

result<host_port> parse_bracketed(std::string_view text) {
  auto close = text.find(']');
  if (close == std::string_view::npos)
    return fail(errc::invalid_argument, "the address has a \"[\" without its \"]\"");
  std::string host{text.substr(1, close - 1)};
  boost::system::error_code ec;
  boost::asio::ip::make_address_v6(host, ec);
  if (ec)
    return fail(errc::invalid_argument, "what stands in the brackets is not an IPv6 address");
  auto rest = text.substr(close + 1);
  if (rest.empty())
    return host_port{std::move(host), 0};
  if (rest.front() != ':')
    return fail(errc::invalid_argument, "only \":port\" may follow the \"]\" of an address");
  auto port = parse_port(rest.substr(1));
  if (!port)
    return port.error();
  return host_port{std::move(host), *port};
}

} // namespace

result<host_port> parse_host_port(std::string_view text) {
  if (text.starts_with('['))
    return parse_bracketed(text);
  auto colon = text.rfind(':');
  std::string host{text.substr(0, colon)};
  std::transform(host.begin(), host.end(), host.begin(), lower);
  if (!is_host_name(host))
    return fail(errc::invalid_argument, host.empty() ? "the host is missing" : "that is not a host name");
  if (colon == std::string_view::npos)
    return host_port{std::move(host), 0};
  auto port = parse_port(text.substr(colon + 1));
  if (!port)
    return port.error();
  return host_port{std::move(host), *port};
}

result<http_url> parse_http_url(std::string_view text) {
  http_url url;
  if (starts_with_scheme(text, "https://"))
    url.tls = true;
  else if (!starts_with_scheme(text, "http://"))
    return fail(errc::invalid_argument, "a URL begins with http:// or https://");
  text.remove_prefix(url.tls ? 8 : 7);
  auto authority = text.substr(0, text.find_first_of("/?#"));
  auto path = text.substr(authority.size());
  if (authority.find('@') != std::string_view::npos)
    return fail(errc::invalid_argument, "a URL must not hold a user name or password");
  if (path.find_first_of("?#") != std::string_view::npos)
    return fail(errc::invalid_argument, "a base URL has no query and no fragment");
  if (!is_visible_ascii(path))
    return fail(errc::invalid_argument, "a URL's path is visible ASCII; escape the rest as %XX");
  auto where = parse_host_port(authority);
  if (!where)
    return where.error();
  url.host = std::move(where->host);
  url.port = where->port != 0 ? where->port : (url.tls ? 443 : 80);
  while (path.ends_with('/'))
    path.remove_suffix(1);
  url.path = path;
  return url;
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return host.find(':') != std::string_view::npos ? fmt::format("[{}]:{}", host, port)
                                                  : fmt::format("{}:{}", host, port);
}

std::string host_header(const http_url& url) {
  if (url.port != (url.tls ? 443 : 80))
    return host_and_port(url.host, url.port);
  return url.host.find(':') != std::string::npos ? fmt::format("[{}]", url.host) : url.host;
}

} // namespace troupe::io
