#include "libagent/session/sqlite_database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace troupe::sqlite {

void close_database::operator()(sqlite3* handle) const noexcept {
  sqlite3_close_v2(handle);
}

void finalize_statement::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

database::database(std::unique_ptr<sqlite3, close_database> handle, std::string path,
                   std::shared_ptr<const void> kept)
    : kept_(std::move(kept)), handle_(std::move(handle)), path_(std::move(path)) {}

std::string database::name() const {
  return names_path_ ? fmt::format("session database \"{}\"", path_) : "session database";
}

namespace {

/// Called by SQLite with how often it was called before; 0 gives up.
int wait_for_others(void* milliseconds, int times) {
  if (times >= reinterpret_cast<std::intptr_t>(milliseconds))
    return 0;
  sqlite3_sleep(1);
  return 1;
}

/// Makes a file that is not there yet, which others must not read; SQLite gives its log the same mode. What
/// is there is not opened: closing it would take the locks of other connections in this process away.
void create_private(const std::string& path) {
  if (path.empty() || path == ":memory:")
    return;
  const int made = ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0)
    ::close(made);
}

/// Whether a failure says nothing about what is in the file.
bool passes(int code) {
  switch (code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL:
  case SQLITE_NOMEM:
  case SQLITE_IOERR:
    return true;
  default:
    return false;
  }
}

} // namespace

result<database> database::open(const std::string& path, int busy_milliseconds) {
  create_private(path);
  return open(path, {path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE}, busy_milliseconds);
}

result<database> database::open(const std::string& path, const opening& how, int busy_milliseconds) {
  sqlite3* handle = nullptr;
  const auto code = sqlite3_open_v2(how.name.c_str(), &handle, how.flags | SQLITE_OPEN_NOMUTEX, how.vfs);
  auto opened = database{std::unique_ptr<sqlite3, close_database>{handle}, path, how.kept};
  if (code != SQLITE_OK)
    return handle ? opened.failure() : opened.failure(code, sqlite3_errstr(code));
  // Not SQLite's own timeout, whose pauses grow to 100 ms: a process that writes one transaction after the
  // other leaves gaps far shorter than that, and whoever waits for one would not find it.
  sqlite3_busy_handler(handle, wait_for_others,
                       reinterpret_cast<void*>(static_cast<std::intptr_t>(busy_milliseconds)));
  return opened;
}

result<void> database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure();
  return {};
}

result<statement> database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &handle, nullptr) != SQLITE_OK)
    return failure();
  return statement{handle};
}

result<statement> database::prepare(std::string_view sql, std::string* damage) {
  auto made = prepare(sql);
  if (made || damage == nullptr || made.error().code != errc::store_failed)
    return made;
  *damage = fmt::format("its list of tables is damaged: {}", sqlite3_errmsg(handle_.get()));
  return statement{};
}

bool database::is_damaged() const noexcept {
  return code() == SQLITE_CORRUPT || code() == SQLITE_ERROR;
}

int database::changes() const noexcept {
  return sqlite3_changes(handle_.get());
}

bool database::is_busy() const noexcept {
  return sqlite3_errcode(handle_.get()) == SQLITE_BUSY;
}

bool database::is_full() const noexcept {
  if (sqlite3_errcode(handle_.get()) == SQLITE_FULL)
    return true;
  const auto reason = sqlite3_system_errno(handle_.get());
  return (sqlite3_errcode(handle_.get()) & 0xff) == SQLITE_IOERR && (reason == ENOSPC || reason == EDQUOT);
}

int database::code() const noexcept {
  return sqlite3_errcode(handle_.get()) & 0xff;
}

namespace {

/// The number of so many bytes, the highest first.
std::uint64_t number_in(std::string_view bytes) {
  std::uint64_t made = 0;
  for (const auto each : bytes)
    made = made * 256 + static_cast<unsigned char>(each);
  return made;
}

} // namespace

database::page_counts database::pages() const {
  // By SQLite's own descriptor: to close another one would take its locks away.
  sqlite3_file* file = nullptr;
  std::array<char, 32> header{};
  sqlite3_int64 bytes = 0;
  if (sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file->pMethods == nullptr || file->pMethods->xFileSize(file, &bytes) != SQLITE_OK ||
      file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0) != SQLITE_OK)
    return {};
  // sqlite.org/fileformat2.html#the_database_header
  const std::string_view start(header.data(), header.size());
  const auto size = number_in(start.substr(16, 2));
  const auto page_size = size == 1 ? 65536 : size;
  if (page_size == 0)
    return {};
  return {number_in(start.substr(28, 4)), static_cast<std::uint64_t>(bytes) / page_size};
}

error database::failure(std::string_view reason) const {
  return fail(errc::store_failed, fmt::format("{}: {}", name(), reason));
}

error database::failure() const {
  if (is_full())
    return fail(errc::store_full, fmt::format("{}: there is no room left on the disk", name()));
  const auto code = sqlite3_errcode(handle_.get());
  const std::string said = sqlite3_errmsg(handle_.get());
  const auto why = system_reason(code & 0xff);
  return failure(code, why.empty() ? said : fmt::format("{}: {}", said, why));
}

std::string database::system_reason(int code) const {
  const bool could_not_open = code == SQLITE_CANTOPEN;
  if (could_not_open || code == SQLITE_READONLY) {
    const auto folder = std::filesystem::path(path_).parent_path();
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK) != 0)
      return fmt::format("its folder cannot be written: {}", std::strerror(errno));
    if (::access(path_.c_str(), F_OK) == 0 && ::access(path_.c_str(), W_OK) != 0)
      return fmt::format("it cannot be written: {}", std::strerror(errno));
  }
  const auto reason = sqlite3_system_errno(handle_.get());
  return reason != 0 && (could_not_open || code == SQLITE_IOERR) ? std::strerror(reason) : "";
}

error database::failure(int code, std::string_view reason) const {
  auto made = failure(reason);
  if (passes(code))
    made.code = errc::unavailable;
  return made;
}

execution::~execution() {
  if (!handle_)
    return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

execution& execution::bind(std::string_view text) {
  const auto code = sqlite3_bind_text64(handle_, next_parameter_++, text.empty() ? "" : text.data(),
                                        text.size(), SQLITE_STATIC, SQLITE_UTF8);
  bound_ = bound_ && code == SQLITE_OK;
  return *this;
}

execution& execution::bind(std::int64_t number) {
  bound_ = sqlite3_bind_int64(handle_, next_parameter_++, number) == SQLITE_OK && bound_;
  return *this;
}

result<bool> execution::step() {
  if (!handle_)
    return owner_.failure("its list of tables is damaged");
  if (!bound_)
    return owner_.failure("a value is too large to be stored");
  const auto code = sqlite3_step(handle_);
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    return owner_.failure();
  return code == SQLITE_ROW;
}

result<void> execution::finish() {
  return each([] { return result<void>(); });
}

std::int64_t execution::number(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view execution::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return bytes ? std::string_view{bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))}
               : std::string_view{};
}

result<transaction> transaction::begin(database& owner) {
  // IMMEDIATE takes the write lock here, where the busy timeout applies; a later upgrade could fail at once.
  if (auto begun = owner.execute("BEGIN IMMEDIATE"); !begun)
    return begun.error();
  return transaction{owner};
}

result<transaction> transaction::begin_to_read(database& owner) {
  if (auto begun = owner.execute("BEGIN"); !begun)
    return begun.error();
  return transaction{owner};
}

transaction::transaction(transaction&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}

transaction::~transaction() {
  // Where a failure has rolled back already, this one's own failure means nothing.
  if (owner_)
    (void)owner_->execute("ROLLBACK");
}

result<void> transaction::commit() {
  auto committed = owner_->execute("COMMIT");
  if (committed)
    owner_ = nullptr;
  return committed;
}

} // namespace troupe::sqlite
