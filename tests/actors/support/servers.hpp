#pragma once

#include "tests/actors/support/stage.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::test {

chat_request prompt(std::string text, std::string run_id, std::string session = "s");

/// What may happen to a server's disk.
struct disk {
  /// Nothing reaches it any more.
  bool is_gone = false;
  /// Nothing more has room on it.
  bool is_full = false;
  /// What others have left on it cannot be taken over.
  bool cannot_adopt = false;
  /// Neither have these; empty: no such.
  std::function<bool(const session_append&)> is_full_for;
};

/// One server after the other over the same database. The end of one is as sudden as a kill: nothing of it
/// reaches the database any more.
class servers {
public:
  servers() { start(); }

  void start(const std::function<void(runtime_options&)>& change = {});
  void kill();
  /// Kills it and starts the next.
  void restart();
  /// As `kill`, but after a shutdown in order for which runs get no time.
  void shut_down();
  /// The model answers the oldest call that is open.
  void says(const std::string& text);
  /// A run whose call of "pay" a crash has left without a result: it is paused, at the next server.
  void leave_in_doubt(const chat_request& request);
  run_record_ptr show(const std::string& run_id);
  /// At once.
  void cancel(const std::string& run_id);

  temporary_folder folder;
  std::shared_ptr<disk> where;
  std::unique_ptr<stage> now;
  /// That of the agent "triage", named "pay".
  std::shared_ptr<fake_tool> tool;
};

} // namespace troupe::test
