#include "libagent/core/authority.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

namespace troupe {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_address_v6(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

std::string_view without_brackets(std::string_view host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

bool is_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return port;
}

/// An IPv6 address in brackets, with what follows it in `rest`.
std::optional<std::string> take_bracketed(std::string_view text, std::string_view& rest) {
  const auto close = text.find(']');
  if (close == std::string_view::npos)
    return std::nullopt;
  auto host = std::string(text.substr(1, close - 1));
  rest = text.substr(close + 1);
  if (!is_address_v6(host))
    return std::nullopt;
  std::transform(host.begin(), host.end(), host.begin(), lower);
  return host;
}

std::optional<std::string> take_name(std::string_view text, std::string_view& rest) {
  const auto colon = std::min(text.find(':'), text.size());
  auto host = std::string(text.substr(0, colon));
  rest = text.substr(colon);
  std::transform(host.begin(), host.end(), host.begin(), lower);
  if (host.size() > 1 && host.ends_with('.'))
    host.pop_back();
  if (!is_name(host))
    return std::nullopt;
  return host;
}

} // namespace

std::optional<authority> parse_authority(std::string_view text) {
  std::string_view rest;
  auto host = text.starts_with('[') ? take_bracketed(text, rest) : take_name(text, rest);
  if (!host)
    return std::nullopt;
  authority parsed{std::move(*host)};
  if (rest.empty() || rest == ":")
    return parsed;
  if (!rest.starts_with(':'))
    return std::nullopt;
  parsed.port = parse_port(rest.substr(1));
  if (!parsed.port)
    return std::nullopt;
  return parsed;
}

bool can_listen_on(std::string_view host) {
  if (host == "localhost")
    return true;
  host = without_brackets(host);
  in_addr v4{};
  return inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1 ||
         is_address_v6(std::string(host.substr(0, host.find('%'))));
}

bool is_loopback(std::string_view host) {
  std::string name(without_brackets(host));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (name == "localhost" || name.ends_with(".localhost"))
    return true;
  in_addr v4{};
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1)
    return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, name.c_str(), &v6) != 1)
    return false;
  constexpr std::array<std::uint8_t, 13> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  return IN6_IS_ADDR_LOOPBACK(&v6) || std::equal(mapped.begin(), mapped.end(), v6.s6_addr);
}

} // namespace troupe
