#include "libagent/auth/authenticator.hpp"

#include "tests/libagent/auth/token_maker.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::auth;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

const std::chrono::system_clock::time_point now{1'000'000'000s};

struct house {
  signer maker = signer::ec();
  key_set keys = key_set::parse(key_set_of({maker.jwk("k")})).value();
  authenticator guarded{options()};

  static config::auth_options options() {
    config::auth_options made;
    made.keys = {{"ops", hash_of_key("secret of ops"), true}, {"app", hash_of_key("secret.of.app")}};
    made.jwt = config::jwt_options{"/k", "me", {"troupe"}, 0s, "roles", "admin"};
    return made;
  }
  std::string token(const json& more = json::object(), const std::string& kid = "k") const {
    json claims{{"iss", "me"}, {"aud", "troupe"}, {"sub", "ops"}, {"exp", 1'000'000'001}};
    claims.update(more);
    return maker.token(json{{"alg", "ES256"}, {"kid", kid}}, claims);
  }
  finding ask(const std::string& authorization, const std::string& api_key = {}) const {
    return guarded.identify({authorization, api_key}, &keys, now);
  }
  std::string refusal(const std::string& authorization, const std::string& api_key = {}) const {
    const auto found = ask(authorization, api_key);
    const auto* why = std::get_if<rejection>(&found);
    return why == nullptr ? "" : why->reason;
  }
  identity who(const std::string& authorization, const std::string& api_key = {}) const {
    return std::get<identity>(ask(authorization, api_key));
  }
};

} // namespace

TEST_CASE("where nobody has to say who they are, everybody is an operator without a name") {
  const authenticator open{config::auth_options{}};
  const auto found = open.identify({"Bearer whatever", {}}, nullptr, now);
  CHECK(std::get<identity>(found).subject.empty());
  CHECK(std::get<identity>(found).is_operator);
}

TEST_CASE_METHOD(house, "a key is shown in one of two headers, and is who has its name") {
  CHECK(who("Bearer secret of ops").subject == "ops");
  CHECK(who("bearer  secret of ops").subject == "ops");
  CHECK(who("", "secret of ops").is_operator);
  CHECK(who("BEARER secret.of.app").subject == "app");
  CHECK_FALSE(who("", "secret.of.app").is_operator);
  CHECK(who("", "secret.of.app").key->name == "app");
}

TEST_CASE_METHOD(house, "a token's subject is never a key's name") {
  CHECK(who("Bearer " + token()).subject == "jwt:ops");
  CHECK(who("Bearer " + token()).key == nullptr);
  CHECK_FALSE(who("Bearer " + token()).is_operator);
  CHECK(who("Bearer " + token({{"roles", "admin"}})).is_operator);
  CHECK(who("Bearer " + token({{"roles", {"dev", "admin"}}})).is_operator);
  CHECK_FALSE(who("Bearer " + token({{"roles", "administrator"}})).is_operator);
}

TEST_CASE_METHOD(house, "without a role for them, no token makes an operator") {
  auto rules = options();
  rules.jwt->operator_role.clear();
  const authenticator strict(rules);
  const auto shown = "Bearer " + token({{"roles", json::array({"", "admin"})}});
  CHECK_FALSE(std::get<identity>(strict.identify({shown, {}}, &keys, now)).is_operator);
}

TEST_CASE_METHOD(house, "who shows nothing, or something that is not good, is told so") {
  CHECK(refusal("") == "this needs a key or a token: Authorization: Bearer ...");
  CHECK_FALSE(std::get<rejection>(ask("")).is_invalid);
  CHECK(refusal("Bearer secret of ops", "secret of ops") ==
        "Authorization and X-Api-Key are both given; send one of them");
  for (const char* other : {"Basic b3BzOg==", "Bearer", "Bearersecret of ops", "secret of ops", "Be"})
    CHECK(refusal(other) == "Authorization has to be: Bearer, a blank, and a key or a token");
  for (const char* bad : {"Bearer x", "Bearer  ", "Bearer secret of op", "Bearer secret of ops "})
    CHECK(refusal(bad) == "the key is not known");
  CHECK(refusal("", "x") == "the key is not known");
  CHECK(refusal("Bearer a.b.c") == "the token is not good: it is no signed JSON Web Token");
  CHECK(refusal("", token()) == "the key is not known");
  CHECK(std::get<rejection>(ask("Bearer x")).is_invalid);
}

TEST_CASE_METHOD(house, "a token waits for keys that may tell") {
  CHECK(std::holds_alternative<keys_wanted>(ask("Bearer " + token(json::object(), "newer"))));
  CHECK(std::holds_alternative<keys_wanted>(guarded.identify({"Bearer " + token(), {}}, nullptr, now)));
  CHECK(std::get<identity>(guarded.identify({"Bearer secret of ops", {}}, nullptr, now)).subject == "ops");
}

TEST_CASE_METHOD(house, "where there are only keys, a token is no key") {
  auto rules = options();
  rules.jwt.reset();
  const auto shown = "Bearer " + token();
  CHECK(std::get<rejection>(authenticator(rules).identify({shown, {}}, &keys, now)).reason ==
        "the key is not known");
}
