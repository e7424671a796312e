#include "libagent/config/defaults.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

namespace {

std::string repeat(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i)
    all += text;
  return all;
}

/// Lists of `width` aliases of the list before, `levels` deep.
std::string alias_bomb(unsigned levels, unsigned width) {
  std::string text = "x-0: &a0 [x, x]\n";
  for (unsigned i = 1; i <= levels; ++i) {
    const auto alias = "*a" + std::to_string(i - 1) + ", ";
    text += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(alias, width - 1) +
            alias.substr(0, alias.size() - 2) + "]\n";
  }
  return text;
}

} // namespace

TEST_CASE("deep nesting is refused, not followed") {
  const std::string reason = "nested deeper than 64 levels; an agent file is far flatter";
  CHECK(error_of(repeat("[", 100'000) + repeat("]", 100'000)) == "1:65: " + reason);
  CHECK(error_of(repeat("[", 100'000) + "&a" + repeat("]", 100'000)) == "1:65: " + reason);
  CHECK(error_of(repeat("{a: ", 100'000) + repeat("}", 100'000)) == "1:257: " + reason);
  CHECK(error_of(repeat("- ", 100'000)) == "1:129: " + reason);
  for (const auto opening :
       {"[", "{", "? ", "{a: ", "[a: ", "{\"a\":", "[[", "!", "&a ", "*a ", "\"", "- [", "a: "}) {
    INFO(opening);
    CHECK(errors_of(repeat(opening, 100'000)).size() == 1);
  }
}

TEST_CASE("depth counts what aliases stand for") {
  CHECK(error_of(minimal + alias_bomb(50, 1)).empty());
  CHECK(error_of(minimal + alias_bomb(1000, 1)).find("levels once its aliases are filled in") !=
        std::string::npos);
}

TEST_CASE("aliases that multiply are refused before they are followed") {
  CHECK(error_of(minimal + alias_bomb(3, 9)).empty());
  CHECK(
      error_of(minimal + alias_bomb(30, 9)).find("too large once its aliases and variables are filled in") !=
      std::string::npos);
}

TEST_CASE("an alias inside its own anchor is an error") {
  CHECK(error_of("a: &x [*x]\n").find("1:8: the alias stands inside the value it refers to") == 0);
}

TEST_CASE("variables that multiply are refused") {
  const auto text = minimal + "x-list: [" + repeat("\"${V}\", ", 20'000) + "x]\n";
  CHECK(error_of(text, {{"V", std::string(100'000, 'v')}}).find("too large once its aliases") !=
        std::string::npos);
}

TEST_CASE("a file larger than 1 MiB is refused") {
  const auto comment = "#" + std::string((1u << 20) - minimal.size() - 1, 'x');
  CHECK(error_of(minimal + comment).empty());
  CHECK(error_of(minimal + comment + "x") ==
        "1:1: the file is larger than 1048576 bytes; an agent file is far smaller");
}

TEST_CASE("bytes that are no text are refused where they stand") {
  CHECK(error_of("a: 1\nb: \xff\n") == "2:1: the line is not UTF-8; save the file in UTF-8");
  CHECK(error_of(std::string{"a: 1\nb: x\0y\n", 12}) ==
        "2:5: control character 0x00; remove it, or write \"\\x00\" in double quotes");
  CHECK(error_of("a: 1\nb: \x04\nc: d\n").find("2:4: control character 0x04") == 0);
  CHECK(error_of(std::string{"\xff\xfe"
                             "a\0",
                             4})
            .find("1:1: the line is not UTF-8") == 0);
}

TEST_CASE("a great many errors are cut off") {
  CHECK(errors_of(repeat("? k\n", 1) + "limits: {" +
                  [] {
                    std::string keys;
                    for (unsigned i = 0; i < 5000; ++i)
                      keys += "key" + std::to_string(i) + ": 1, ";
                    return keys;
                  }() +
                  "}\n")
            .size() == defaults::max_diagnostics);
}

TEST_CASE("cut or damaged files give errors, never a crash") {
  const std::string whole = R"(server: {port: "${PORT:-8000}"}
x-common: &common {provider: scripted, delay: 10ms}
models:
  default: {<<: *common, rules: [{when: {user: "a(b)?"}, call: {tool: t, arguments: {x: ["{{1}}", 1.5, null]}}}]}
mcpServers: {s: {command: ./run, args: ['a', 1], env: {A: "b\n"}, restart: {policy: never}}}
agents:
  - name: a
    instructions: |
      Text: "quoted"
    mcp_servers: [s]
)";
  REQUIRE(error_of(whole).empty());
  unsigned refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    refused += !read(whole.substr(0, i)).value;
    for (const char c : std::string_view{"\"'{]:,&*|#- \n\t\xff$", 16}) {
      auto damaged = whole;
      damaged[i] = c;
      const auto loaded = read(damaged);
      CHECK(loaded.value.has_value() == loaded.errors.empty());
    }
  }
  CHECK(refused > whole.size() / 2);
}
