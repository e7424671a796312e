#include "support.hpp"

#include <catch2/catch.hpp>

using namespace guardrail_test;

namespace {

/// Put together here, lest somebody's scanner take the tests' keys for real ones.
const std::string part = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1";
const std::string upper16 = "ABCD2345EFGH6789";
const std::string jwt = "eyJ" + part + ".eyJ" + part + "." + part + "-_";
const std::string base64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\n";
const std::string head = "-----BEGIN PRIVATE KEY-----\n";
const std::string tail = "-----END PRIVATE KEY-----";

std::string found(const std::string& key) {
  return "<key " + key + ">";
}

} // namespace

TEST_CASE("keys and tokens of known forms are found") {
  const auto key = GENERATE("sk-" + part, "sk-proj-" + part + "-_x", "sk-ant-api03-" + part,
                            "ghp_" + part + "abc456789", "gho_" + part + "abc456789",
                            "github_pat_" + part + "_" + part, "AKIA" + upper16, "ASIA" + upper16,
                            "xoxb-123456789012-" + part, "xoxp-1234567890", "AIza" + part + "abcd-_78", jwt);
  CHECK(marked(key) == found(key));
  CHECK(marked("use '" + key + "', now.") == "use '" + found(key) + "', now.");
  CHECK(marked("url?k=" + key + "&x=1") == "url?k=" + found(key) + "&x=1");
  CHECK(marked("x" + key) == "x" + key);
}

TEST_CASE("private keys are found with their lines, encrypted, escaped and cut ones too") {
  const auto key =
      GENERATE(head + base64 + tail,
               "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + base64 +
                   "-----END RSA PRIVATE KEY-----",
               "-----BEGIN OPENSSH PRIVATE KEY-----\\n" + part + "\\n-----END OPENSSH PRIVATE KEY-----",
               head + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", head + base64 + "-----END PRIV");
  CHECK(marked("a\n" + key + "\nb c") == "a\n" + found(key) + "\nb c");
}

TEST_CASE("bearer tokens and secrets that are assigned are found without what stands before") {
  const auto* before = GENERATE("Authorization: Bearer ", "authorization: bearer ",
                                "password=", "DB_PASSWORD = ", "\"api_key\": \"", "apiKey: '",
                                "x-api-key: ", "token=", "client_secret := ", "secret => ",
                                "access-key=", "auth_key=\"", "PWD=");
  CHECK(marked(before + part) == before + found(part));
  CHECK(marked(before + part + "\" next") == before + found(part) + "\" next");
}

TEST_CASE("passwords need letters, something else and eight characters of which enough differ") {
  CHECK(marked("password: hunter2!") == "password: <key hunter2!>");
  CHECK(marked("password: corr3ct-Horse. Then") == "password: <key corr3ct-Horse>. Then");
  CHECK(marked("password=S3cret!&user=bob") == "password=S3cret!&user=bob");
  CHECK(marked("password=S3cret!!&user=bob") == "password=<key S3cret!!>&user=bob");
}

TEST_CASE("names, code and prose about keys are left alone") {
  const auto* text = GENERATE(
      "sk-some-long-name-of-a-style-class", "task-sk-1", "ghp_short", "AKIA1234", "AKIAabcd2345efgh6789",
      "eyJhbGciOiJI", "eyJhbGciOiJIUzI1NiJ9.short.x", "xoxb-tokens-are-slack", "xoxb-", "Bearer of bad news",
      "bearer authentication", "Bearer authentication-mechanism", "password: required", "password: ********",
      "token: string", "max_tokens: 4096", "token = get_token(user1)", "token = tokens[index]",
      "password=$DB_PASSWORD_1", "password=${DB_PASSWORD_1}", "password: <your-password-1>",
      "secret = config.secret2", "api_key = settings.api_key", "token: some-name-v2",
      "token: https://auth.example.org/v1/token", "secret: /run/secrets/db1", "the token: see page 12",
      "token: 12345678", "token: 2024-01-15", "password=aaaaaaa1", "passwordless=Abcdef12345",
      "-----BEGIN PRIVATE KEY----- begins a key",
      "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
      "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQ", "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c");
  CHECK(marked(text) == text);
}
