#include "libagent/session/journal_reader.hpp"

#include "libagent/session/sealed_store.hpp"
#include "libagent/session/sqlite_reading.hpp"
#include "libagent/session/sqlite_salvage.hpp"
#include "libagent/session/sqlite_schema.hpp"
#include "libagent/session/sqlite_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// Opens it twice where it has to be brought up to date in between.
result<sqlite::readable> open_current(const std::string& path) {
  {
    auto opened = sqlite::open_to_read(path, sqlite::busy_milliseconds);
    if (!opened)
      return opened;
    const auto version = sqlite::read_version(opened->opened);
    if (!version)
      return version.error();
    if (*version == sqlite::schema_version)
      return opened;
    if (*version == 0)
      return opened->opened.failure("it is empty: no server has written anything to it yet");
    if (!opened->damage.empty())
      return opened->opened.failure(
          fmt::format("{}; an older version of Troupe has made it, and so it cannot be brought up to date to "
                      "be read (docs/journal.md#damage)",
                      opened->damage));
  }
  if (const auto updated = open_sqlite_store(path, durability::off); !updated)
    return fail(
        errc::store_failed,
        fmt::format("{} (an older version of Troupe has made it, and it has to be brought up to date to "
                    "be read: copy it, and its -wal if there is one, to where it can be written)",
                    updated.error().detail));
  return sqlite::open_to_read(path, sqlite::busy_milliseconds);
}

} // namespace

journal_reader::journal_reader(std::shared_ptr<sqlite::database> opened, std::unique_ptr<session_store> store,
                               redactor_ptr seals, std::string damage)
    : opened_(std::move(opened)), store_(std::move(store)), seals_(std::move(seals)),
      damage_(std::move(damage)) {}

result<journal_reader> journal_reader::open(const std::string& path, redactor_ptr seals) {
  auto current = open_current(path);
  if (!current)
    return current.error();
  auto opened = std::make_shared<sqlite::database>(std::move(current->opened));
  auto& damage = current->damage;
  auto store = sqlite::store_to_read(opened, damage);
  if (!store)
    return store.error();
  auto sealed = make_sealed_store(std::move(*store), seals);
  return journal_reader{std::move(opened), std::move(sealed), std::move(seals), std::move(damage)};
}

found_ids journal_reader::runs() {
  return sqlite::salvage_runs(*opened_);
}

found_ids journal_reader::sessions() {
  return sqlite::salvage_sessions(*opened_);
}

result<std::optional<run_remains>> journal_reader::remains(const std::string& run_id) {
  auto found = sqlite::salvage_run(*opened_, run_id);
  if (found && *found) {
    unseal((*found)->run, *seals_);
    for (auto& each : (*found)->events)
      each.text = seals_->unseal_json(std::move(each.text));
  }
  return found;
}

std::vector<std::string> journal_reader::check_file() {
  // A finding may have several lines, the first of which names the database, of which there is one.
  std::vector<std::string> lines;
  if (!damage_.empty())
    lines.push_back(damage_);
  for (const auto& finding : sqlite::check_pages(*opened_))
    for (std::string_view rest = finding; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.empty() && !line.starts_with("***") &&
          std::find(lines.begin(), lines.end(), line) == lines.end())
        lines.emplace_back(line);
    }
  return lines;
}

std::string journal_reader::words_of(const error& reason) const {
  return sqlite::words_of(*opened_, reason);
}

} // namespace troupe
