#pragma once

#include "libagent/config/defaults.hpp"
#include "libagent/run/budget.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// Who may ask a server, and how it is reached: the parts of `server_options` that guard it.
namespace troupe::config {

/// A key that clients show. The file has its hash only.
struct api_key_options {
  /// Also the subject of whoever shows it: 1 to 64 letters, digits, '_', '-' and '.'.
  std::string name;
  /// SHA-256 of the key, 64 lower-case hexadecimal digits.
  std::string hash;
  bool is_operator = false;
  /// Agents that it may ask, the default one first. Nothing given: all.
  std::optional<std::vector<std::string>> agents{};
  /// What each run may spend, beside what else bounds it.
  budget spending{};
  std::optional<unsigned> requests_per_minute{};
};

/// Tokens of an identity provider (RFC 7519), signed by RS256 or ES256.
struct jwt_options {
  /// A JWK Set (RFC 7517): an absolute path, or a URL.
  std::string jwks;
  /// What `iss` has to be.
  std::string issuer;
  /// One of them has to be in `aud`.
  std::vector<std::string> audience;
  /// For clocks that differ.
  std::chrono::milliseconds leeway = defaults::jwt_leeway;
  /// The claim that has roles: a text with spaces between, or an array of texts.
  std::string roles_claim = defaults::jwt_roles_claim;
  /// The role that makes an operator. Empty: no token does.
  std::string operator_role{};
};

struct auth_options {
  std::vector<api_key_options> keys{};
  std::optional<jwt_options> jwt{};
  /// Whether anybody has to say who they are.
  bool is_required() const noexcept { return !keys.empty() || jwt.has_value(); }
};

/// PEM files; absolute.
struct tls_options {
  /// The server's own certificate first, then those in between.
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// What pages of other origins may do in a browser.
struct cors_options {
  /// "https://app.example", or "*" for all.
  std::vector<std::string> origins{};
  /// Whether the browser may send what it keeps for this server. Not with "*".
  bool credentials = false;
};

} // namespace troupe::config
