#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <stdlib.h>

using namespace troupe::config;
namespace fs = std::filesystem;

namespace {

/// A folder that is gone when the test ends.
class temporary_folder {
public:
  temporary_folder() {
    auto pattern = (fs::temp_directory_path() / "troupe-config-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() { fs::remove_all(path_); }

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name} << text;
    return path_ / name;
  }
  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

} // namespace

TEST_CASE("a file is loaded with the process's environment and its own folder") {
  const temporary_folder folder;
  ::setenv("TROUPE_CONFIG_TEST", "from the environment", 1);
  const auto file =
      folder.write("a.yaml", minimal + "mcpServers: {s: {command: ./x, cwd: \"${TROUPE_CONFIG_TEST}\"}}\n");
  const auto loaded = load(file);
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->mcp_servers[0].command == folder.path() / "x");
  CHECK(loaded.value->mcp_servers[0].cwd == folder.path() / "from the environment");
}

TEST_CASE("a file that cannot be read is one error that says why") {
  const temporary_folder folder;
  const auto missing = load(folder.path() / "none.yaml");
  REQUIRE(missing.errors.size() == 1);
  CHECK_FALSE(missing.value);
  CHECK(to_string(missing.errors[0]) ==
        (folder.path() / "none.yaml").string() +
            ": cannot be read: No such file or directory; name a readable agent file");
  const auto is_folder = load(folder.path());
  REQUIRE(is_folder.errors.size() == 1);
  CHECK(is_folder.errors[0].message == "cannot be read: it is a folder; name a readable agent file");
}

TEST_CASE("a cassette that cannot be read is told at its place, with all else") {
  const temporary_folder folder;
  ::setenv("TROUPE_CONFIG_TEST", "s3cr3t", 1);
  const auto text =
      "agents: [{name: a, model: one}]\nmodels:\n  one: {provider: replay, cassette: tape}\n  two: "
      "{provider: replay, cassette: \"${TROUPE_CONFIG_TEST}\"}\nlimits: {max_turn: 1}\n";
  const auto file = folder.write("a.yaml", text);
  const auto message = [&](const std::string& model, const std::string& path) {
    return "'cassette' in model '" + model + "' names a file that cannot be read" + path +
           ": No such file or directory; name one that 'record' wrote";
  };
  auto told = errors_of(load(file));
  REQUIRE(told.size() == 3);
  CHECK(told[0] == "3:37: " + message("one", " (" + (folder.path() / "tape").string() + ")"));
  CHECK(told[1] == "4:37: " + message("two", ""));
  CHECK(told[2].find("5:10: unknown key 'max_turn'") == 0);
  folder.write("tape", "");
  CHECK(errors_of(load(file)).size() == 2);
}

TEST_CASE("a file without an end is refused") {
  const auto endless = load("/dev/zero");
  REQUIRE(endless.errors.size() == 1);
  CHECK(endless.errors[0].message.find("the file is larger than") == 0);
}

TEST_CASE("a relative file name is shown as it was given") {
  const auto loaded = load("no-such-agent-file.yaml");
  REQUIRE(loaded.errors.size() == 1);
  CHECK(loaded.errors[0].file == "no-such-agent-file.yaml");
}
