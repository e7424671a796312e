#include "libagent/auth/token.hpp"

#include "libagent/auth/base64url.hpp"
#include "tests/libagent/auth/token_maker.hpp"

#include <catch2/catch.hpp>

#include <openssl/err.h>

using namespace troupe;
using namespace troupe::auth;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

const std::chrono::system_clock::time_point now{1'000'000'000s};

struct issuer {
  signer rsa = signer::rsa();
  signer ec = signer::ec();
  key_set keys = key_set::parse(key_set_of({rsa.jwk("r1"), ec.jwk("e1")})).value();
  config::jwt_options rules{"/keys.json", "https://id.example", {"troupe", "other"}, 60s, "roles", {}};

  json rs256 = {{"alg", "RS256"}, {"kid", "r1"}};
  json es256 = {{"alg", "ES256"}, {"kid", "e1"}};
  json claims = {{"iss", "https://id.example"}, {"aud", "troupe"}, {"sub", "ada"}, {"exp", 1'000'000'100}};

  json with(std::string_view name, json value) const {
    auto changed = claims;
    changed[std::string(name)] = std::move(value);
    return changed;
  }
  json without(std::string_view name) const {
    auto changed = claims;
    changed.erase(std::string(name));
    return changed;
  }
  /// The subject of a token that is good, or else why it is not.
  std::string check(const std::string& token) const {
    const auto checked = check_token(token, keys, rules, now);
    const auto* good = std::get_if<token_claims>(&checked);
    return good != nullptr ? good->subject : std::get<token_fault>(checked).reason;
  }
  std::string check_claims(const json& value) const { return check(ec.token(es256, value)); }
};

/// Making RSA keys takes long.
const issuer& house() {
  static const issuer made;
  return made;
}

const std::string malformed = "it is no signed JSON Web Token";
const std::string other_algorithm = "it is not signed by RS256 or ES256";
const std::string wrong_signature = "its signature is wrong";
const std::string unknown_key = "its key ('kid') is not known";

} // namespace

TEST_CASE("a token that is signed, in time and for us tells its subject") {
  CHECK(house().check(house().rsa.token(house().rs256, house().claims)) == "ada");
  CHECK(house().check(house().ec.token(house().es256, house().claims)) == "ada");
}

TEST_CASE("a token that is not signed, or by something else, is none") {
  const auto& it = house();
  const auto payload = encode_base64url(it.claims.dump());
  const auto unsigned_token = [&](const json& header, std::string_view signature) {
    return encode_base64url(header.dump()) + "." + payload + "." + std::string(signature);
  };
  for (const char* none : {"none", "None", "NONE", "nOnE", "HS256", "RS384", "RS512", "PS256", "ES384",
                           "EdDSA", "rs256", "RS256 ", ""}) {
    CAPTURE(none);
    CHECK(it.check(unsigned_token({{"alg", none}, {"kid", "r1"}}, "")) == other_algorithm);
    CHECK(it.check(it.rsa.token({{"alg", none}, {"kid", "r1"}}, it.claims)) == other_algorithm);
  }
  CHECK(it.check(unsigned_token(it.rs256, "")) == wrong_signature);
  CHECK(it.check(unsigned_token(it.es256, "")) == wrong_signature);
  CHECK(it.check(it.rsa.token(json{{"kid", "r1"}}, it.claims)) == other_algorithm);
  CHECK(it.check(it.rsa.token({{"alg", json::array({"RS256"})}, {"kid", "r1"}}, it.claims)) ==
        other_algorithm);
}

TEST_CASE("the public key is no secret to sign with") {
  const auto& it = house();
  for (const auto& secret :
       {it.rsa.pem(), it.rsa.jwk("r1").at("n").get<std::string>(), it.rsa.jwk("r1").dump()})
    for (const char* name : {"HS256", "RS256"}) {
      const auto text = encode_base64url(json{{"alg", name}, {"kid", "r1"}}.dump()) + "." +
                        encode_base64url(it.claims.dump());
      const auto said = it.check(text + "." + encode_base64url(hmac(secret, text)));
      CHECK(said == (std::string_view(name) == "HS256" ? other_algorithm : wrong_signature));
    }
}

TEST_CASE("a key is for one algorithm, whatever the token says") {
  const auto& it = house();
  CHECK(it.check(it.rsa.token({{"alg", "ES256"}, {"kid", "r1"}}, it.claims)) == unknown_key);
  CHECK(it.check(it.ec.token({{"alg", "RS256"}, {"kid", "e1"}}, it.claims)) == unknown_key);
  CHECK(it.check(it.ec.token({{"alg", "RS256"}, {"kid", "r1"}}, it.claims)) == wrong_signature);
  CHECK(it.check(it.rsa.token({{"alg", "ES256"}, {"kid", "e1"}}, it.claims)) == wrong_signature);
}

TEST_CASE("a token of an unknown key may be good once newer keys are there") {
  const auto& it = house();
  const auto checked =
      check_token(it.ec.token({{"alg", "ES256"}, {"kid", "e2"}}, it.claims), it.keys, it.rules, now);
  CHECK(std::get<token_fault>(checked).unknown_key);
  const auto stranger = signer::ec();
  const auto forged = check_token(stranger.token(it.es256, it.claims), it.keys, it.rules, now);
  CHECK(std::get<token_fault>(forged).reason == wrong_signature);
  CHECK_FALSE(std::get<token_fault>(forged).unknown_key);
}

TEST_CASE("without a kid the key has to be the only one of its algorithm") {
  const auto& it = house();
  CHECK(it.check(it.ec.token(json{{"alg", "ES256"}}, it.claims)) == "ada");
  const auto two = key_set::parse(key_set_of({it.ec.jwk("e1"), signer::ec().jwk("e2")})).value();
  const auto checked = check_token(it.ec.token(json{{"alg", "ES256"}}, it.claims), two, it.rules, now);
  CHECK(std::get<token_fault>(checked).unknown_key);
}

TEST_CASE("keys that a token brings along mean nothing") {
  const auto& it = house();
  const auto stranger = signer::ec();
  CHECK(it.check(stranger.token({{"alg", "ES256"},
                                 {"kid", "e1"},
                                 {"jwk", stranger.jwk("e1")},
                                 {"jku", "https://evil.example/keys"},
                                 {"x5u", "https://evil.example/chain"}},
                                it.claims)) == wrong_signature);
}

TEST_CASE("an extension that has to be understood is refused, and so are other kinds of token") {
  const auto& it = house();
  const auto with_header = [&](std::string_view name, const json& value) {
    auto header = it.es256;
    header[std::string(name)] = value;
    return it.check(it.ec.token(header, it.claims));
  };
  CHECK(with_header("crit", json::array({"b64"})) ==
        "it asks for an extension ('crit') that is not understood");
  CHECK(with_header("crit", json::array()) == "it asks for an extension ('crit') that is not understood");
  for (const char* good : {"JWT", "jwt", "at+jwt", "application/at+jwt"})
    CHECK(with_header("typ", good) == "ada");
  for (const json& bad : {json("logout+jwt"), json("JOSE"), json(7)})
    CHECK(with_header("typ", bad) == "it is another kind of token ('typ')");
  CHECK(with_header("kid", 1) == malformed);
}

TEST_CASE("a signature that was changed, cut or written in another way is wrong") {
  const auto& it = house();
  for (const auto& [good, header] : {std::pair(it.rsa.token(it.rs256, it.claims), it.rs256),
                                     std::pair(it.ec.token(it.es256, it.claims), it.es256)}) {
    CAPTURE(header.dump());
    const auto dot = good.rfind('.');
    const auto signature = decode_base64url(good.substr(dot + 1)).value();
    const auto with = [&, text = good.substr(0, dot + 1)](const std::string& bytes) {
      return it.check(text + encode_base64url(bytes));
    };
    CHECK(with(signature) == "ada");
    CHECK(with(signature.substr(1)) == wrong_signature);
    CHECK(with(signature.substr(0, signature.size() - 1)) == wrong_signature);
    CHECK(with(signature + '\0') == wrong_signature);
    CHECK(with(std::string(signature.size(), '\0')) == wrong_signature);
    CHECK(with(std::string(signature.size(), '\xff')) == wrong_signature);
    auto flipped = signature;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    CHECK(with(flipped) == wrong_signature);
  }
  const auto text = encode_base64url(it.es256.dump()) + "." + encode_base64url(it.claims.dump());
  CHECK(it.check(text + "." + encode_base64url(it.ec.sign_plain(text))) == wrong_signature);
}

TEST_CASE("what was signed cannot be changed") {
  const auto& it = house();
  const auto good = it.ec.token(it.es256, it.claims);
  const auto first = good.find('.');
  const auto second = good.rfind('.');
  const auto forged = encode_base64url(it.with("sub", "root").dump());
  CHECK(it.check(good.substr(0, first + 1) + forged + good.substr(second)) == wrong_signature);
}

TEST_CASE("OpenSSL's errors of one token are not left to the next") {
  const auto& it = house();
  ERR_clear_error();
  CHECK(it.check(signer::rsa().token(it.rs256, it.claims)) == wrong_signature);
  CHECK(ERR_peek_error() == 0);
  CHECK(it.check(signer::ec().token(it.es256, it.claims)) == wrong_signature);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("what is no token of three parts is none") {
  const auto& it = house();
  const auto good = it.ec.token(it.es256, it.claims);
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".", "." + good,
        good.substr(0, good.rfind('.')), good + "=", " " + good, good + "\n", std::string("a.b.c"),
        encode_base64url("[]") + ".e30.AA", encode_base64url("{\"alg\":\"ES256\"") + ".e30.AA"}) {
    CAPTURE(bad);
    CHECK(it.check(bad) == malformed);
  }
}

TEST_CASE("a token that is huge is refused unread") {
  const auto& it = house();
  CHECK(it.check_claims(it.with("x", std::string(20'000, 'x'))) == "it is too long");
  CHECK(it.check(std::string(1u << 20, '.')) == "it is too long");
  std::string deep;
  for (int i = 0; i < 100; ++i)
    deep += "[";
  CHECK(it.check(it.ec.raw_token(it.es256.dump(), R"({"sub":)" + deep)) == malformed);
}

TEST_CASE("a token that says something twice is none") {
  const auto& it = house();
  const auto claims = it.claims.dump();
  const auto twice = [&](const std::string& more) {
    return claims.substr(0, claims.size() - 1) + "," + more + "}";
  };
  CHECK(it.check(it.ec.raw_token(it.es256.dump(), twice(R"("sub":"root")"))) == malformed);
  CHECK(it.check(it.ec.raw_token(it.es256.dump(), twice(R"("exp":9999999999)"))) == malformed);
  CHECK(it.check(it.ec.raw_token(it.es256.dump(), twice(R"("x":{"a":1,"a":2})"))) == malformed);
  CHECK(it.check(it.ec.raw_token(it.es256.dump(), twice(R"("x":{"sub":1},"y":[{"sub":2},{"sub":3}])"))) ==
        "ada");
  CHECK(it.check(it.ec.raw_token(R"({"alg":"none","alg":"ES256","kid":"e1"})", claims)) == malformed);
}

TEST_CASE("a token is good from its beginning to its end, give or take the leeway") {
  const auto& it = house();
  const auto expired = "it has expired";
  const auto unclear = "it does not say until when it is good ('exp')";
  const auto early = "it is not good yet";
  const std::vector<std::tuple<std::string, json, std::string>> cases{
      {"exp", 1'000'000'000, "ada"},
      {"exp", 999'999'941, "ada"},
      {"exp", 999'999'940, expired},
      {"exp", 999'999'940.5, "ada"},
      {"exp", -1, expired},
      {"exp", 0, expired},
      {"exp", 1e300, "ada"},
      {"exp", "1000000100", unclear},
      {"exp", nullptr, unclear},
      {"exp", true, unclear},
      {"exp", json::array({1'000'000'100}), unclear},
      {"nbf", 1'000'000'060, "ada"},
      {"nbf", 1'000'000'061, early},
      {"nbf", 1e300, early},
      {"nbf", -1e300, "ada"},
      {"nbf", "0", "it does not say from when it is good ('nbf' is no number)"},
      {"nbf", nullptr, "it does not say from when it is good ('nbf' is no number)"},
  };
  for (const auto& [name, value, said] : cases) {
    CAPTURE(name, value.dump());
    CHECK(it.check_claims(it.with(name, value)) == said);
  }
  CHECK(it.check_claims(it.without("exp")) == unclear);
  const auto text = [&](const std::string& exp) {
    return it.check(it.ec.raw_token(
        it.es256.dump(), R"({"iss":"https://id.example","aud":"troupe","sub":"ada","exp":)" + exp + "}"));
  };
  CHECK(text("1000000100") == "ada");
  CHECK(text("1e400") == malformed);
  CHECK(text("-1e400") == malformed);
  CHECK(text("NaN") == malformed);
  CHECK(text("18446744073709551615") == "ada");
}

TEST_CASE("a token is of our issuer and for us") {
  const auto& it = house();
  const auto other = "it is of another issuer ('iss')";
  const auto somebody = "it is for somebody else ('aud')";
  for (const json& bad : {json("https://id.example/"), json("https://ID.example"), json(""), json(nullptr),
                          json::array({"https://id.example"})})
    CHECK(it.check_claims(it.with("iss", bad)) == other);
  CHECK(it.check_claims(it.without("iss")) == other);
  for (const json& good :
       {json("troupe"), json("other"), json::array({"x", "troupe"}), json::array({7, "other"})})
    CHECK(it.check_claims(it.with("aud", good)) == "ada");
  for (const json& bad : {json("Troupe"), json(""), json::array(), json(nullptr), json::array({"x"}),
                          json::array({7}), json::array({json::array({"troupe"})}), json{{"troupe", true}}})
    CHECK(it.check_claims(it.with("aud", bad)) == somebody);
  CHECK(it.check_claims(it.without("aud")) == somebody);
}

TEST_CASE("a token has a subject of some bytes") {
  const auto& it = house();
  const auto nobody = "its subject ('sub') is not 1 to 255 bytes of text";
  CHECK(it.check_claims(it.with("sub", std::string(255, 'x'))) == std::string(255, 'x'));
  CHECK(it.check_claims(it.with("sub", "Åda")) == "Åda");
  for (const json& bad : {json(""), json(std::string(256, 'x')), json(7), json(nullptr), json("a\nb"),
                          json(std::string("a\0b", 3)), json::array({"ada"})})
    CHECK(it.check_claims(it.with("sub", bad)) == nobody);
  CHECK(it.check_claims(it.without("sub")) == nobody);
}

TEST_CASE("roles are the words of a text, or the texts of an array") {
  const auto& it = house();
  const auto roles = [&](const json& value) {
    const auto checked = check_token(it.ec.token(it.es256, it.with("roles", value)), it.keys, it.rules, now);
    return std::get<token_claims>(checked).roles;
  };
  using words = std::vector<std::string>;
  CHECK(roles("admin") == words{"admin"});
  CHECK(roles(" admin  dev ") == words{"admin", "dev"});
  CHECK(roles({"admin", 7, "a b"}) == words{"admin", "a b"});
  CHECK(roles(nullptr).empty());
  CHECK(roles({{"admin", true}}).empty());
}
