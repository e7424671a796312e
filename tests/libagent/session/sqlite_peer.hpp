#pragma once

#include "libagent/session/journal_reader.hpp"
#include "libagent/session/store.hpp"

#include <catch2/catch.hpp>
#include <sqlite3.h>

#include <memory>
#include <string>

namespace troupe {

/// A connection of somebody else's.
class other_program {
public:
  explicit other_program(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK);
  }
  ~other_program() { sqlite3_close(handle_); }
  other_program(const other_program&) = delete;
  other_program& operator=(const other_program&) = delete;

  void run(const std::string& sql) {
    INFO(sql);
    REQUIRE(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }

  /// The first column of the last row; empty if there is none.
  std::string read(const std::string& sql) {
    auto value = std::string{};
    const auto keep = [](void* to, int, char** columns, char**) {
      *static_cast<std::string*>(to) = columns[0] ? columns[0] : "";
      return 0;
    };
    REQUIRE(sqlite3_exec(handle_, sql.c_str(), keep, &value, nullptr) == SQLITE_OK);
    return value;
  }

private:
  sqlite3* handle_ = nullptr;
};

inline std::unique_ptr<session_store> open(const std::string& path) {
  auto opened = open_sqlite_store(path);
  INFO((opened ? "" : opened.error().detail));
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

/// The journal in it, as those see it who look after it.
inline journal_reader read_journal(const std::string& path, const redactor_ptr& seals = nothing_to_hide()) {
  auto opened = journal_reader::open(path, seals);
  INFO((opened ? "" : opened.error().detail));
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

inline std::string reason_not_opened(const std::string& path) {
  const auto opened = open_sqlite_store(path);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == errc::store_failed);
  CHECK_THAT(opened.error().detail, Catch::Contains(path));
  return opened.error().detail;
}

} // namespace troupe
