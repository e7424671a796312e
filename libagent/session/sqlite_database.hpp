#pragma once

#include "libagent/core/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite's C interface as values that clean up after themselves. A failure is `store_full` where there is no
/// room, `unavailable` where the same may succeed later (somebody holds a lock, memory is short, the disk
/// could not be read or written), else `store_failed`. It names the database's path until `hide_path`.
namespace troupe::sqlite {

struct close_database {
  void operator()(sqlite3* handle) const noexcept;
};
struct finalize_statement {
  void operator()(sqlite3_stmt* handle) const noexcept;
};

/// A prepared statement. Owned by who prepared it; must go before its database.
using statement = std::unique_ptr<sqlite3_stmt, finalize_statement>;

/// How a file is opened that is there already.
struct opening {
  /// Its path, or a URI if the flags say so.
  std::string name;
  /// SQLITE_OPEN_...
  int flags = 0;
  /// The VFS's name; null for the default one.
  const char* vfs = nullptr;
  /// Goes after the database.
  std::shared_ptr<const void> kept{};
};

class database {
public:
  /// Opens or creates the file. Waits up to `busy_milliseconds` for other writers from then on.
  static result<database> open(const std::string& path, int busy_milliseconds);
  static result<database> open(const std::string& path, const opening& how, int busy_milliseconds);

  /// Runs SQL text that gives no rows that matter; may be several statements.
  result<void> execute(const std::string& sql);
  result<statement> prepare(std::string_view sql);
  /// The same, but where `damage` is given a statement that does not fit the database is left out, which is
  /// told there.
  result<statement> prepare(std::string_view sql, std::string* damage);
  /// How many rows the last statement changed.
  int changes() const noexcept;
  /// Whether the last call failed because another connection held a lock.
  bool is_busy() const noexcept;
  /// Whether it failed because the disk, or the user's share of it, is full.
  bool is_full() const noexcept;
  /// Failures from now on do not name the path: they reach clients, whom it does not concern.
  void hide_path() noexcept { names_path_ = false; }
  /// Whether it failed for what stands in the file.
  bool is_damaged() const noexcept;
  /// SQLite's primary result code of the last call.
  int code() const noexcept;

  struct page_counts {
    std::uint64_t promised = 0;
    std::uint64_t there = 0;
  };
  /// Of the file, its log left aside: as its first page says, and as many as there are. Zeroes if that cannot
  /// be read.
  page_counts pages() const;

  /// A `store_failed` with this reason.
  error failure(std::string_view reason) const;
  /// A failure with SQLite's own reason for its last error.
  error failure() const;
  /// Its code is that of the result `code` of SQLite's.
  error failure(int code, std::string_view reason) const;

private:
  database(std::unique_ptr<sqlite3, close_database> handle, std::string path,
           std::shared_ptr<const void> kept);
  /// What the system says of a failure, as to which SQLite says no more than that it could not; may be empty.
  std::string system_reason(int code) const;
  /// What failures call it.
  std::string name() const;

  std::shared_ptr<const void> kept_;
  std::unique_ptr<sqlite3, close_database> handle_;
  std::string path_;
  bool names_path_ = true;
};

/// One execution of a prepared statement: bind parameters in order, then step. Its end resets the statement.
class execution {
public:
  /// One that could not be prepared fails at its first step.
  execution(database& owner, const statement& prepared) : owner_(owner), handle_(prepared.get()) {}
  execution(const execution&) = delete;
  execution& operator=(const execution&) = delete;
  ~execution();

  /// The text must outlive the execution.
  execution& bind(std::string_view text);
  execution& bind(std::int64_t number);
  /// Goes to the next row; false when there is none left.
  result<bool> step();
  /// Hands each row that is left to `take()`, a `result<void>`, until that returns an error.
  template <class Take>
  result<void> each(Take take) {
    while (true) {
      const auto more = step();
      if (!more)
        return more.error();
      if (!*more)
        return {};
      if (result<void> taken = take(); !taken)
        return taken;
    }
  }
  /// Runs a statement to its end.
  result<void> finish();

  std::int64_t number(int column) const;
  /// Valid until the next step.
  std::string_view text(int column) const;

private:
  database& owner_;
  sqlite3_stmt* handle_;
  int next_parameter_ = 1;
  bool bound_ = true;
};

/// A transaction; rolled back unless committed.
class transaction {
public:
  /// To write, from now on.
  static result<transaction> begin(database& owner);
  /// What is read while it lives is of the moment of the first read.
  static result<transaction> begin_to_read(database& owner);
  transaction(transaction&& other) noexcept;
  transaction& operator=(transaction&&) = delete;
  ~transaction();

  result<void> commit();

private:
  explicit transaction(database& owner) : owner_(&owner) {}

  /// Null when there is nothing to roll back.
  database* owner_;
};

} // namespace troupe::sqlite
