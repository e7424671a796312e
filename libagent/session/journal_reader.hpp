#pragma once

#include "libagent/core/redactor.hpp"
#include "libagent/session/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::sqlite {
class database;
}

namespace troupe {

/// Ids as far as they can be read.
struct found_ids {
  std::vector<std::string> ids;
  /// Why there may be more; empty if these are all.
  std::string gap{};
};

/// What is left of a run, whatever of it is damaged.
struct run_remains {
  /// Records that cannot be read are empty; `events_before` is not filled. The status is empty if it cannot
  /// be told.
  stored_run run;
  std::vector<stored_event> events;
  /// What cannot be read or is not as it was written, in words, the run not named.
  std::vector<std::string> damage;
  /// Whether its request is, which a paused run can do without.
  bool is_request_damaged = false;
};

/// A session database that is only read, for those who look after it: docs/journal.md. Not thread-safe. Not
/// for a process that has the same database open otherwise.
class journal_reader {
public:
  /// `seals` gives back the secrets that texts are kept without. Beside servers that have the file open; on a
  /// disk that is full or cannot be written only while none has, which is seen to. One of an older version is
  /// brought up to date first, one that is damaged is read as far as it goes. Error `store_failed` names the
  /// path, the reason, and what helps.
  static result<journal_reader> open(const std::string& path, redactor_ptr seals);

  /// To be read alone: changes fail.
  session_store& store() { return *store_; }
  /// In the order in which they were accepted.
  found_ids runs();
  /// The oldest first.
  found_ids sessions();
  /// Nothing if there is no such run. Reads on where a page is damaged. Error `store_failed` if damage hides
  /// whether there is one.
  result<std::optional<run_remains>> remains(const std::string& run_id);
  /// What is wrong with the file as such, each thing once.
  std::vector<std::string> check_file();
  /// Why something could not be read, without the database's name.
  std::string words_of(const error& reason) const;

private:
  journal_reader(std::shared_ptr<sqlite::database> opened, std::unique_ptr<session_store> store,
                 redactor_ptr seals, std::string damage);

  std::shared_ptr<sqlite::database> opened_;
  std::unique_ptr<session_store> store_;
  redactor_ptr seals_;
  /// Of the file as such, as it has shown at once.
  std::string damage_;
};

} // namespace troupe
