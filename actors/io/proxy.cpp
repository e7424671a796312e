#include "actors/io/proxy.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

namespace troupe::io {
namespace {

namespace ip = boost::asio::ip;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    auto digits = text.substr(i + 1, 2);
    if (text[i] == '%' && digits.size() == 2 &&
        std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr == digits.data() + 2) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string basic_authorization(std::string_view user_info) {
  auto colon = user_info.find(':');
  std::string pair = percent_decoded(user_info.substr(0, colon)) + ':';
  if (colon != std::string_view::npos)
    pair += percent_decoded(user_info.substr(colon + 1));
  std::vector<unsigned char> encoded(4 * ((pair.size() + 2) / 3) + 1);
  auto size = EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(pair.data()),
                              static_cast<int>(pair.size()));
  return "Basic " + std::string(encoded.begin(), encoded.begin() + size);
}

bool is_below_domain(std::string_view host, std::string domain) {
  std::transform(domain.begin(), domain.end(), domain.begin(), lower);
  if (host.ends_with('.'))
    host.remove_suffix(1);
  return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                            host[host.size() - domain.size() - 1] == '.');
}

bool is_in_network(const ip::address& address, const std::string& network) {
  boost::system::error_code ec;
  if (address.is_v4()) {
    auto v4 = ip::make_network_v4(network, ec);
    return !ec && ip::network_v4(address.to_v4(), v4.prefix_length()).network() == v4.network();
  }
  auto v6 = ip::make_network_v6(network, ec);
  return !ec && ip::network_v6(address.to_v6(), v6.prefix_length()).network() == v6.network();
}

bool entry_matches(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry == "*")
    return true;
  boost::system::error_code ec;
  auto address = ip::make_address(std::string(host), ec);
  const bool is_address = !ec;
  if (entry.find('/') != std::string_view::npos)
    return is_address && is_in_network(address, std::string(entry));
  // A bare IPv6 address has colons but no port.
  if (auto bare = ip::make_address(std::string(entry), ec); !ec)
    return is_address && bare == address;
  if (entry.starts_with("*."))
    entry.remove_prefix(1);
  if (entry.starts_with('.'))
    entry.remove_prefix(1);
  auto named = parse_host_port(entry);
  if (!named || (named->port != 0 && named->port != port))
    return false;
  if (auto bare = ip::make_address(named->host, ec); !ec)
    return is_address && bare == address;
  return !is_address &&
         is_below_domain(host, named->host.ends_with('.') ? named->host.substr(0, named->host.size() - 1)
                                                          : named->host);
}

std::string variable(const char* lower_case, const char* upper_case) {
  for (const auto* name : {lower_case, upper_case})
    if (const auto* value = std::getenv(name); value != nullptr && *value != '\0')
      return value;
  return {};
}

} // namespace

bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port) {
  while (!no_proxy.empty()) {
    auto entry = no_proxy.substr(0, no_proxy.find(','));
    no_proxy.remove_prefix(std::min(no_proxy.size(), entry.size() + 1));
    if (auto name = trimmed(entry); !name.empty() && entry_matches(name, host, port))
      return true;
  }
  return false;
}

result<proxy> parse_proxy(std::string_view url) {
  if (auto scheme = url.find("://"); scheme != std::string_view::npos) {
    std::string name{url.substr(0, scheme)};
    std::transform(name.begin(), name.end(), name.begin(), lower);
    if (name != "http")
      return fail(errc::invalid_argument, "a proxy's URL begins with http://");
    url.remove_prefix(scheme + 3);
  }
  proxy made;
  auto authority = url.substr(0, url.find('/'));
  if (auto at = authority.rfind('@'); at != std::string_view::npos) {
    made.authorization = basic_authorization(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  auto where = parse_host_port(authority);
  if (!where)
    return fail(errc::invalid_argument, "the proxy's URL cannot be used: " + where.error().detail);
  made.host = std::move(where->host);
  made.port = where->port != 0 ? where->port : 80;
  return made;
}

result<std::optional<proxy>> select_proxy(const http_client_options& options, const http_url& target) {
  const auto& url = target.tls ? options.https_proxy : options.http_proxy;
  if (url.empty() || bypasses_proxy(options.no_proxy, target.host, target.port))
    return std::optional<proxy>{};
  auto parsed = parse_proxy(url);
  if (!parsed)
    return parsed.error();
  return std::optional<proxy>{std::move(*parsed)};
}

void read_proxy_environment(http_client_options& options) {
  options.https_proxy = variable("https_proxy", "HTTPS_PROXY");
  options.http_proxy = variable("http_proxy", "HTTP_PROXY");
  options.no_proxy = variable("no_proxy", "NO_PROXY");
}

} // namespace troupe::io
