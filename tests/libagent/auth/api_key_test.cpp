#include "libagent/auth/api_key.hpp"

#include "libagent/auth/base64url.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using namespace troupe;
using namespace troupe::auth;

TEST_CASE("base64url is read as it is written, and in one form only") {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"), std::string("foo"),
                                   std::string("\0\xff\xfe", 3), std::string(100, '\xfb')})
    CHECK(decode_base64url(encode_base64url(bytes)) == bytes);
  CHECK(encode_base64url("\xfb\xff") == "-_8");
  for (const char* bad : {"Z", "Zg=", "Zg==", "Zh", "Zm9", "Z+", "Z/", "Zm 9v", "Zm9v\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_base64url(bad));
  }
}

TEST_CASE("a new key stands for all its random bits") {
  std::array<unsigned char, 32> random;
  std::iota(random.begin(), random.end(), static_cast<unsigned char>(0));
  const auto key = new_api_key(random);
  CHECK(key == "trp_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  random.back() ^= 1;
  CHECK(new_api_key(random) != key);
}

TEST_CASE("a key's hash is its SHA-256") {
  CHECK(hash_of_key("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a key is found wherever it stands, and nothing else is") {
  std::vector<config::api_key_options> keys;
  for (const char* name : {"first", "second", "third"})
    keys.push_back({name, hash_of_key(std::string("key of ") + name)});
  const key_ring ring(keys);
  for (const auto& key : keys) {
    REQUIRE(ring.find("key of " + key.name) != nullptr);
    CHECK(ring.find("key of " + key.name)->name == key.name);
  }
  for (const std::string& bad :
       {std::string(), std::string("key of "), std::string("key of first "),
        std::string("key of first\0", 13), keys[0].hash, std::string(1'000'000, 'x')})
    CHECK(ring.find(bad) == nullptr);
  CHECK(key_ring({}).find("key of first") == nullptr);
}
