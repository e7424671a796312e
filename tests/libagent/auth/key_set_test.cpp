#include "libagent/auth/key_set.hpp"

#include "libagent/auth/base64url.hpp"
#include "tests/libagent/auth/token_maker.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::auth;
using namespace troupe::testing;

namespace {

std::string error_of(const std::string& jwks) {
  const auto parsed = key_set::parse(jwks);
  return parsed ? "" : parsed.error().detail;
}

const signer& some_ec() {
  static const auto made = signer::ec();
  return made;
}

json changed(json key, std::string_view name, json value) {
  key[std::string(name)] = std::move(value);
  return key;
}

const std::string no_set = "it is no JWK Set, which is an object with an array 'keys'";
const std::string no_key = "it has no key for RS256 (RSA, 2048 bits or more) or ES256 (P-256)";

} // namespace

TEST_CASE("what is no JWK Set is refused") {
  for (const char* bad :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[],"keys":[]})", "{\"keys\":[", "\xff"})
    CHECK(error_of(bad) == no_set);
  CHECK(error_of(std::string(1u << 20, ' ')) == "it is too large");
  CHECK(error_of(json{{"keys", json::array_t(101, json::object())}}.dump()) == "it has too many keys");
}

TEST_CASE("keys that are for something else are left out") {
  const auto good = some_ec().jwk("k");
  const auto left = [](const json& key) { return error_of(key_set_of({key})) != no_key; };
  CHECK(left(good));
  CHECK(left(changed(good, "use", "sig")));
  CHECK(left(changed(good, "alg", "ES256")));
  CHECK(left(changed(good, "key_ops", {"verify"})));
  CHECK_FALSE(left(changed(good, "use", "enc")));
  CHECK_FALSE(left(changed(good, "alg", "RS256")));
  CHECK_FALSE(left(changed(good, "alg", "HS256")));
  CHECK_FALSE(left(changed(good, "key_ops", {"sign"})));
  CHECK_FALSE(left(changed(good, "key_ops", "verify")));
  CHECK_FALSE(left(changed(good, "kty", "oct")));
  CHECK_FALSE(left(changed(good, "crv", "P-384")));
  CHECK_FALSE(left(signer::ec("P-384").jwk("k")));
  CHECK_FALSE(left(7));
  CHECK_FALSE(left({{"kty", "oct"}, {"k", "c2VjcmV0"}}));
  CHECK(key_set::parse(key_set_of({good, {{"kty", "OKP"}}, 7}))->size() == 1);
}

TEST_CASE("a point that is not on the curve is no key") {
  const auto good = some_ec().jwk("k");
  auto y = decode_base64url(good.at("y").get<std::string>()).value();
  y.back() = static_cast<char>(y.back() ^ 1);
  CHECK(error_of(key_set_of({changed(good, "y", encode_base64url(y))})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "y", encode_base64url(y + y))})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "x", "")})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "x", 7)})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "x", good.at("x").get<std::string>() + "=")})) == no_key);
}

TEST_CASE("RSA keys that are weak, or dear to use, are left out") {
  const auto good = signer::rsa().jwk("k");
  CHECK(error_of(key_set_of({good})).empty());
  CHECK(error_of(key_set_of({signer::rsa(1024).jwk("k")})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "e", "AQ")})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "e", "AQAA")})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "e", encode_base64url(std::string(16, '\xff')))})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "n", encode_base64url(std::string(1025, '\xff')))})) == no_key);
  CHECK(error_of(key_set_of({changed(good, "n", encode_base64url(std::string(300, '\0')))})) == no_key);
}
