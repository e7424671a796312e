#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/http_url.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"
#include "libagent/core/authority.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::config {

namespace {

constexpr milliseconds no_time{0};
constexpr std::string_view hash_prefix = "sha256:";

/// The value of a block, called by its own name in messages.
template <class T, class Read>
void set_block(map_reader& around, std::string_view key, T& into, Read read) {
  const auto found = around.find(key);
  if (!found)
    return;
  if (auto value = read(field{found->ctx, found->value, std::string(key), found->key_at}))
    into = std::move(*value);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

bool is_hexadecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// No ':', which stands in the subjects of tokens.
std::optional<std::string> read_key_name(const field& from) {
  auto name = read_name(from);
  if (!name || (name->size() <= defaults::longest_key_name &&
                std::all_of(name->begin(), name->end(), is_name_character)))
    return name;
  from.fail(fmt::format("is no name of a key; it has to be 1 to {} letters, digits, '_', '-' and '.'",
                        defaults::longest_key_name));
  return std::nullopt;
}

/// A key that was put where its hash belongs must not be quoted.
std::optional<std::string> read_hash(const field& from) {
  const auto text = read_name(from);
  if (!text)
    return std::nullopt;
  if (text->starts_with(hash_prefix))
    if (auto digits = text->substr(hash_prefix.size()); digits.size() == 64 && is_hexadecimal(digits))
      return digits;
  from.fail("is no hash of a key; it has to be sha256: and 64 hexadecimal digits, as `troupe key new` prints "
            "them");
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_key_agents(const field& from, const std::string& path) {
  auto names = read_names(from, path);
  if (names && names->empty())
    from.fail("is an empty list; leave it off for all agents");
  return names;
}

api_key_options read_key(const field& from, const std::string& path) {
  auto read = api_key_options{};
  auto key = map_reader{from, from.what};
  if (!key.is_map())
    return read;
  if (key.need("name", "name: ops"))
    key.set("name", read.name, read_key_name);
  if (key.need("hash", "the hash that `troupe key new` prints"))
    key.set("hash", read.hash, read_hash);
  std::size_t role = 0;
  key.set("role", role, read_word, std::vector<std::string>{"user", "operator"});
  read.is_operator = role == 1;
  key.set("agents", read.agents, read_key_agents, path + "/agents");
  key.set("budget", read.spending, read_budget, path + "/budget");
  key.set("requests_per_minute", read.requests_per_minute, read_count, 1, defaults::largest_count);
  key.finish();
  return read;
}

/// Names are subjects, and a hash that stands twice would have two.
void check_twins(const field& from, const api_key_options& key, std::set<std::string>& seen) {
  if (!key.name.empty() && !seen.insert("name " + key.name).second)
    from.ctx.fail(from.key_at, "two keys have the name of this one; give each its own");
  if (!key.hash.empty() && !seen.insert("hash " + key.hash).second)
    from.ctx.fail(from.key_at, "two keys have the hash of this one; make a key for each by `troupe key new`");
}

std::optional<std::vector<api_key_options>> read_keys(const field& from) {
  const auto list = read_list(from, "[{name: ops, hash: 'sha256:...'}]");
  if (!list)
    return std::nullopt;
  if (list->empty())
    from.fail("is an empty list, which would leave the server open; leave it off or add a key");
  if (list->size() > defaults::max_api_keys)
    from.fail(fmt::format("has more than {} keys; use jwt for so many", defaults::max_api_keys));
  std::vector<api_key_options> keys;
  std::set<std::string> seen;
  for (const auto& one : *list) {
    const auto path = fmt::format("server/auth/keys/{}", keys.size());
    one.mark(path);
    keys.push_back(read_key({one.ctx, one.value, fmt::format("key {}", keys.size() + 1), one.key_at}, path));
    check_twins(one, keys.back(), seen);
  }
  return keys;
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

/// Whoever can change the keys on their way can make tokens.
std::optional<std::string> read_jwks(const field& from) {
  auto text = read_name(from);
  if (!text)
    return std::nullopt;
  if (!is_url(*text)) {
    const auto path = resolve_path(from, *text);
    return path ? std::optional(path->string()) : std::nullopt;
  }
  if (const auto problem = problem_of_url(*text, {"https://id.example/jwks.json", {}, true});
      !problem.empty()) {
    from.fail(problem);
    return std::nullopt;
  }
  const auto host = text->substr(text->find("//") + 2);
  const auto where = parse_authority(host.substr(0, host.find_first_of("/?")));
  if (text->starts_with("http://") && !(where && is_loopback(where->host))) {
    from.fail(
        "is fetched without encryption, so that others could put their keys in its place; use https://");
    return std::nullopt;
  }
  return text;
}

std::optional<std::vector<std::string>> read_audience(const field& from) {
  if (from.value.type != node::kind::list) {
    auto one = read_name(from);
    return one ? std::optional(std::vector{std::move(*one)}) : std::nullopt;
  }
  auto names = read_names(from, "server/auth/jwt/audience");
  if (names && names->empty())
    from.fail("is an empty list; name who tokens have to be for");
  return names;
}

std::optional<milliseconds> read_leeway(const field& from) {
  const auto leeway = read_duration(from, no_time);
  if (leeway && *leeway > defaults::longest_leeway) {
    from.fail("is too long, since tokens stay good for so much longer; it has to be a time up to 10m");
    return std::nullopt;
  }
  return leeway;
}

std::optional<jwt_options> read_jwt(const field& from) {
  auto read = jwt_options{};
  auto jwt = map_reader{from, from.what};
  if (!jwt.is_map())
    return std::nullopt;
  if (const auto jwks = jwt.need("jwks", "jwks: https://id.example/jwks.json")) {
    jwks->mark("server/auth/jwt/jwks");
    jwt.set("jwks", read.jwks, read_jwks);
  }
  if (jwt.need("issuer", "issuer: https://id.example"))
    jwt.set("issuer", read.issuer, read_name);
  if (jwt.need("audience", "audience: troupe"))
    jwt.set("audience", read.audience, read_audience);
  jwt.set("leeway", read.leeway, read_leeway);
  jwt.set("roles_claim", read.roles_claim, read_name);
  jwt.set("operator_role", read.operator_role, read_name);
  jwt.finish();
  return read;
}

std::optional<auth_options> read_auth(const field& from) {
  auto read = auth_options{};
  auto auth = map_reader{from, from.what};
  if (!auth.is_map())
    return std::nullopt;
  auth.set("keys", read.keys, read_keys);
  set_block(auth, "jwt", read.jwt, read_jwt);
  auth.finish();
  if (!auth.find("keys") && !auth.find("jwt"))
    from.fail("has neither keys nor jwt, which would leave the server open; leave it off or add one");
  return read;
}

std::optional<tls_options> read_tls(const field& from) {
  auto read = tls_options{};
  auto tls = map_reader{from, from.what};
  if (!tls.is_map())
    return std::nullopt;
  const auto file = [&](std::string_view key, std::string_view example, std::filesystem::path& into) {
    if (const auto found = tls.need(key, example)) {
      found->mark(fmt::format("server/tls/{}", key));
      tls.set(key, into, read_path);
    }
  };
  file("certificate", "certificate: server.pem", read.certificate);
  file("key", "key: server.key", read.key);
  tls.finish();
  return read;
}

std::optional<std::vector<std::string>> read_hosts(const field& from) {
  const auto list = read_list(from, "[agents.example]");
  if (!list)
    return std::nullopt;
  std::vector<std::string> hosts;
  for (const auto& one : *list) {
    const auto text = read_name(one);
    const auto parsed = text ? parse_authority(*text) : std::nullopt;
    if (parsed && !parsed->port)
      hosts.push_back(parsed->host);
    else if (text)
      one.fail("is no name of a host; write one such as agents.example, without scheme and port");
  }
  return hosts;
}

/// Browsers send origins in lower case, without the default port and without a path (RFC 6454, section 6.2).
std::optional<std::string> read_origin(const field& from) {
  constexpr std::string_view example = "https://app.example";
  auto text = read_name(from);
  if (!text || *text == "*")
    return text;
  if (const auto problem = problem_of_url(*text, {example, {}, false}); !problem.empty()) {
    from.fail(problem);
    return std::nullopt;
  }
  const auto is_lower = std::none_of(text->begin(), text->end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const auto begin = text->find("//") + 2;
  const auto default_port = text->starts_with("https://") ? ":443" : ":80";
  if (is_lower && text->find('/', begin) == std::string::npos && !text->ends_with(default_port))
    return text;
  from.fail(
      fmt::format("is no origin as browsers send it; write it like {}, in lower case, without a path and "
                  "without the usual port",
                  example));
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_origins(const field& from) {
  const auto list = read_list(from, "['https://app.example']");
  if (!list)
    return std::nullopt;
  std::vector<std::string> origins;
  for (const auto& one : *list)
    if (auto origin = read_origin(one))
      origins.push_back(std::move(*origin));
  return origins;
}

std::optional<cors_options> read_cors(const field& from) {
  auto read = cors_options{};
  auto cors = map_reader{from, from.what};
  if (!cors.is_map())
    return std::nullopt;
  cors.set("origins", read.origins, read_origins);
  cors.set("credentials", read.credentials, read_boolean);
  const auto is_open = std::find(read.origins.begin(), read.origins.end(), "*") != read.origins.end();
  if (const auto flag = cors.find("credentials"); flag && read.credentials && is_open)
    flag->ctx.fail(flag->key_at, "'credentials' in cors stands beside the origin '*', so that any page could "
                                 "act for whoever visits it; name the origins");
  cors.finish();
  return read;
}

} // namespace

void read_server_security(map_reader& server, server_options& into) {
  set_block(server, "auth", into.auth, read_auth);
  set_block(server, "tls", into.tls, read_tls);
  server.set("allowed_hosts", into.allowed_hosts, read_hosts);
  set_block(server, "cors", into.cors, read_cors);
}

} // namespace troupe::config
