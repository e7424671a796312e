#include "libagent/core/redactor.hpp"
#include "libagent/core/secret_forms.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace troupe;

namespace {

const std::string key = "sk-\"quo\\ted/\n€ 42";

redactor with_key() {
  return redactor({secret{key, "KEY"}, secret{"t0ps3cret!", "TOP"}, secret{"t0ps3cret!-longer", "LONGER"}});
}

std::string base64(std::string_view text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string made;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      made += i + j > text.size() ? '=' : letters[bits >> (18 - 6 * j) & 63];
  }
  return made;
}

/// A text that holds no secret and much that looks like the beginning of one.
std::string noise(std::mt19937& random, std::size_t size) {
  constexpr std::string_view pieces[] = {
      "t0ps3cre", "sk-\"", "[redacted", "[redacted:", "]", "x", "[redacted:TOP]"};
  std::string made;
  while (made.size() < size)
    made += pieces[random() % std::size(pieces)];
  return made;
}

} // namespace

TEST_CASE("secrets are hidden wherever they stand, the longest first, and nothing else is touched") {
  const auto with = with_key();
  CHECK(with.hide("t0ps3cret!") == "[redacted]");
  CHECK(with.hide("a t0ps3cret!t0ps3cret! b") == "a [redacted][redacted] b");
  CHECK(with.hide("a t0ps3cret!-longer b") == "a [redacted] b");
  CHECK(with.hide("a t0ps3cret b") == "a t0ps3cret b");
  CHECK(with.hide("") == "");
  CHECK(redactor().hide("t0ps3cret!") == "t0ps3cret!");
  CHECK(redactor({secret{"7 bytes"}, secret{""}}).hide("7 bytes") == "7 bytes");
  CHECK(redactor({secret{"7 bytes"}}).empty());
}

TEST_CASE("secrets are hidden in each of the forms that texts of others have them in") {
  const auto with = with_key();
  const auto once = dump_json(key);
  const auto twice = dump_json(once);
  CHECK(with.hide("x" + once) == "x\"[redacted]\"");
  CHECK(with.hide(twice) == R"("\"[redacted]\"")");
  CHECK(with.hide(R"("sk-\"quo\\ted\/\n€ 42")") == R"("[redacted]")");
  CHECK(with.hide(R"("sk-\"quo\\ted/\n\u20ac 42")") == R"("[redacted]")");
  CHECK(with.hide(R"("sk-\\\"quo\\\\ted/\\n\\u20ac 42")") == R"("[redacted]")");
  CHECK(with.hide("k=sk-%22quo%5Cted%2F%0A%E2%82%AC%2042&") == "k=[redacted]&");
  CHECK(with.hide("k=sk-%22quo%5cted%2f%0a%e2%82%ac%2042&") == "k=[redacted]&");
  CHECK(with.hide(R"(sk-\\\"quo\\\\ted\\/\\n€ 42)") == "[redacted]");
  CHECK(with.hide(R"(sk-\\\"quo\\\\ted\\\/\\n€ 42)") == "[redacted]");
  CHECK(with.hide("https://a/sk-%22quo%5Cted/%0A%E2%82%AC%2042") == "https://a/[redacted]");
  for (const std::string before : {"", "u:", "user", "u", "us", "use"}) {
    const auto hidden = with.hide(base64(before + key + " and more"));
    INFO(before << " " << hidden);
    CHECK(hidden.find("[redacted]") != std::string::npos);
    // What is left tells of two bytes at the most.
    CHECK(hidden.size() <= base64(before + " and more").size() + std::string("[redacted]").size() + 3);
  }
}

TEST_CASE("JSON stays JSON when secrets in it are hidden") {
  const redactor with({secret{"12345678"}, secret{key}, secret{"\":1,\"b\":"}});
  const json value = {{"n", 12345678}, {"12345678", {key, "12345678 " + dump_json(key), nullptr}}, {"b", 1}};
  const auto hidden = parse_json(with.hide_json(dump_json(value)));
  REQUIRE(hidden.has_value());
  CHECK(*hidden == json{{"n", "[redacted]"},
                        {"[redacted]", {"[redacted]", "[redacted] \"[redacted]\"", nullptr}},
                        {"b", 1}});
  CHECK(with.hide_json("no JSON: 12345678") == "no JSON: [redacted]");
  CHECK(with.hide_json(R"({"a": 1})") == R"({"a": 1})");
}

TEST_CASE("a number that has a secret is hidden, also in JSON inside of JSON") {
  const redactor with({secret("481516234299")});
  const auto hidden = [&with](const json& value) {
    return parse_json(with.hide_json(dump_json(value))).value();
  };
  CHECK(hidden({{"pin", 481516234299}, {"n", 4815}}) == json{{"pin", "[redacted]"}, {"n", 4815}});
  CHECK(hidden({-481516234299, 481516234299.5, 1.5}) == json{"[redacted]", "[redacted]", 1.5});
  CHECK(hidden({{"arguments", R"({"pin": 481516234299, "n": [1]})"}}) ==
        json{{"arguments", R"({"n":[1],"pin":"[redacted]"})"}});
  CHECK(hidden({{"arguments", R"({"pin": "481516234299"})"}}) ==
        json{{"arguments", R"({"pin": "[redacted]"})"}});
  CHECK(hidden({{"arguments", R"({"pin": 481516234299)"}}) == json{{"arguments", R"({"pin": [redacted])"}});
  CHECK(hidden({{"text", "[1] is 481516234299"}}) == json{{"text", "[1] is [redacted]"}});
}

TEST_CASE("what was sealed has no secret, and is the same again when it is unsealed") {
  const auto with = with_key();
  CHECK(with.seal("a t0ps3cret! b") == "a [redacted:TOP] b");
  CHECK(with.seal(dump_json(key)) == "\"[redacted:KEY/2]\"");
  CHECK(with.seal("[redacted:TOP]") == "[redacted:]TOP]");
  CHECK(with.seal("nothing") == "nothing");
  std::mt19937 random(7);
  const std::string secrets[] = {key, "t0ps3cret!", "t0ps3cret!-longer", dump_json(dump_json(key)),
                                 base64(key)};
  for (int i = 0; i < 1000; ++i) {
    auto text = noise(random, random() % 60);
    for (auto count = random() % 3; count > 0; --count)
      text += secrets[random() % std::size(secrets)] + noise(random, random() % 20);
    const auto sealed = with.seal(text);
    INFO(text << "\n" << sealed);
    CHECK(sealed.find("t0ps3cret!") == std::string::npos);
    CHECK(sealed.find(key) == std::string::npos);
    CHECK(with.unseal(sealed) == text);
    const auto in_json = dump_json({{"a", text}});
    CHECK(with.unseal_json(with.seal(in_json)) == in_json);
  }
}

TEST_CASE("a seal of a secret that is not known any more, or of another value, is kept or follows") {
  const auto sealed = with_key().seal("use t0ps3cret! now");
  CHECK(redactor({secret{"another-value", "OTHER"}}).unseal(sealed) == "use [redacted:TOP] now");
  CHECK(redactor({secret{"another-value", "TOP"}}).unseal(sealed) == "use another-value now");
  CHECK(redactor({secret{"without-a-name"}}).seal("without-a-name") == "without-a-name");
}

TEST_CASE("no piece of a secret gets through when a text comes in pieces") {
  const auto with = with_key();
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    const auto text =
        noise(random, random() % 30) + "t0ps3cret!" + noise(random, random() % 30) + key + "t0ps3";
    stream_redactor stream;
    std::string told;
    for (std::size_t at = 0; at < text.size();) {
      const auto size = 1 + random() % 4;
      told += stream.take(std::string_view(text).substr(at, size), with);
      at += size;
      CHECK(with.hide(text).starts_with(told));
    }
    told += stream.finish(with);
    INFO(text);
    CHECK(told == with.hide(text));
    CHECK_FALSE(stream.holds_back());
  }
}

TEST_CASE("a text that cannot begin a secret is not held back") {
  const auto with = with_key();
  stream_redactor stream;
  CHECK(stream.take("Hello t", with) == "Hello ");
  CHECK(stream.take("here", with) == "there");
  CHECK(stream.finish(with).empty());
}

TEST_CASE("a search among many secrets is the same as one for each") {
  std::mt19937 random(3);
  const auto word = [&](std::size_t size) {
    std::string made;
    for (std::size_t i = 0; i < size; ++i)
      made += static_cast<char>('a' + random() % 2);
    return made;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> wanted;
    for (int i = 0; i < 6; ++i)
      wanted.push_back(word(4 + random() % 5));
    const text_finder finder(wanted);
    const auto text = word(60);
    for (std::size_t from = 0; from <= text.size(); ++from) {
      auto best = std::string::npos;
      std::size_t longest = 0;
      for (const auto& each : wanted)
        if (const auto at = text.find(each, from); at < best || (at == best && at != std::string::npos)) {
          longest = at < best ? each.size() : std::max(longest, each.size());
          best = at;
        }
      const auto found = finder.find(text, from);
      REQUIRE(found.has_value() == (best != std::string::npos));
      if (found) {
        CHECK(found->begin == best);
        CHECK(finder.text(found->text).size() == longest);
      }
    }
  }
}
