#pragma once

#include "libagent/core/json.hpp"
#include "tests/support/stdio_child.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <stdlib.h>

namespace troupe::hostwatch::testing {

/// A directory that is gone with this object.
class temporary_directory {
public:
  temporary_directory() {
    std::string made = (std::filesystem::temp_directory_path() / "hostwatch-XXXXXX").string();
    REQUIRE(::mkdtemp(made.data()) != nullptr);
    path_ = std::filesystem::canonical(made);
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

  std::string write(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

private:
  std::filesystem::path path_;
};

/// The program, with the handshake done.
class running_hostwatch {
public:
  explicit running_hostwatch(const std::vector<std::string>& args = {}) : child(HOSTWATCH, args) {
    request("initialize", {{"protocolVersion", "2025-11-25"},
                           {"capabilities", json::object()},
                           {"clientInfo", {{"name", "test"}, {"version", "1"}}}});
    REQUIRE(child.write_line(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"));
  }

  json read() {
    const auto line = child.read_line();
    REQUIRE(line.has_value());
    return json::parse(*line);
  }

  /// The whole answer.
  json request(const std::string& method, const json& params = json::object()) {
    REQUIRE(child.write_line(
        json{{"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", params}}.dump()));
    auto answer = read();
    REQUIRE(answer["id"] == last_id_);
    return answer;
  }

  json call(const std::string& tool, const json& arguments = json::object()) {
    return request("tools/call", {{"name", tool}, {"arguments", arguments}})["result"];
  }

  /// The figures that a call gave, once it is sure that its text and its structure are the same.
  json figures(const std::string& tool, const json& arguments = json::object()) {
    const auto given = call(tool, arguments);
    INFO(given.dump());
    REQUIRE(given["isError"] == false);
    auto value = json::parse(given["content"][0]["text"].get<std::string>());
    REQUIRE(given["structuredContent"] == value);
    return value;
  }

  /// The reason why a call was refused.
  std::string refusal(const std::string& tool, const json& arguments) {
    const auto given = call(tool, arguments);
    INFO(given.dump());
    REQUIRE(given["isError"] == true);
    return given["content"][0]["text"].get<std::string>();
  }

  troupe::testing::stdio_child child;

private:
  int last_id_ = 0;
};

} // namespace troupe::hostwatch::testing
