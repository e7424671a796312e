#include "tests/fuzz/target.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace fuzz = troupe::fuzz;

namespace {

struct known_target {
  const char* name;
  void (*run)(std::string_view);
};

constexpr known_target targets[] = {
    {"http_bodies", fuzz::http_bodies},
    {"sse", fuzz::sse},
    {"json_rpc", fuzz::json_rpc},
    {"config_file", fuzz::config_file},
    {"journal", fuzz::journal},
    {"stored_run", fuzz::stored_run},
    {"token", fuzz::token},
    {"key_set", fuzz::key_set},
    {"responses", fuzz::responses},
    {"chat_completions", fuzz::chat_completions},
    {"anthropic", fuzz::anthropic},
};

} // namespace

TEST_CASE("each fuzz target stands its seeds") {
  const auto& target = GENERATE(from_range(std::begin(targets), std::end(targets)));
  CAPTURE(target.name);
  std::size_t seeds = 0;
  for (const auto& each :
       std::filesystem::directory_iterator(std::filesystem::path(TROUPE_FUZZ_SEEDS) / target.name)) {
    std::ifstream file(each.path(), std::ios::binary);
    const std::string input(std::istreambuf_iterator<char>(file), {});
    CAPTURE(each.path().filename().string());
    CHECK_NOTHROW(target.run(input));
    ++seeds;
  }
  CHECK(seeds > 1);
}
