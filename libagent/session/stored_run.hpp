#pragma once

#include "libagent/core/item.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Runs as a store with a journal keeps them: docs/journal.md. JSON texts are opaque to the store.
namespace troupe {

/// A run that a session has taken on.
struct run_acceptance {
  /// On whose behalf; empty for nobody's.
  std::string owner;
  /// All that it takes to begin it.
  std::string request;
  /// What the request comes to, where its owner has named it by a key: its run's id is made of that.
  std::string key_hash{};
};

/// How a run ended, or that it has paused.
struct run_ending {
  /// "completed", "failed", "cancelled" or "paused".
  std::string status;
  /// What clients are told of it; empty for a paused one.
  std::string outcome;
  /// Its records are damaged and stay.
  bool keeps_records = false;
};

/// What happens to one run, in this order.
struct run_change {
  std::string run_id;
  std::optional<run_acceptance> accepted{};
  /// Its turn has come: what its session gets from here on is its.
  bool begins = false;
  /// Events as clients see them, and the number of the first.
  std::uint64_t first_event = 0;
  std::vector<std::string> events{};
  /// Steps, as texts of JSON, and the last event that came before them.
  std::vector<std::string> records{};
  std::uint64_t last_event = 0;
  /// Events that do not count any more.
  std::vector<std::uint64_t> void_events{};
  std::optional<run_ending> ended{};
};

/// A run as it stands in a store.
struct stored_run {
  std::string run_id;
  std::string session_id;
  std::string owner;
  /// "waiting", "running", "paused", "completed", "failed" or "cancelled".
  std::string status;
  std::string request;
  /// `run_acceptance::key_hash`.
  std::string key_hash;
  std::vector<std::string> records;
  /// For each record the last event before it.
  std::vector<std::uint64_t> events_before;
  std::string outcome;
  /// What its session has of it.
  item_list items;
  std::uint64_t last_event = 0;
  bool is_over() const { return status == "completed" || status == "failed" || status == "cancelled"; }
};

/// One event of a run. Numbers may be missing: of events that do not count any more.
struct stored_event {
  std::uint64_t number = 0;
  std::string text;
  friend bool operator==(const stored_event&, const stored_event&) = default;
};

/// A run that nobody carries on.
struct orphaned_run {
  std::string run_id;
  std::string session_id;
  std::string owner{};
  std::string key_hash{};
};

/// Which of the runs that nobody carries on are meant: all of them, or those that fit what is given.
struct orphan_filter {
  /// Those of this session.
  std::string session_id{};
  /// This one, and those of its session whose turn comes before.
  std::string run_id{};
};

/// What a journal promises of what it was given.
enum class durability : std::uint8_t {
  /// Nothing is journaled; sessions get what their runs have added at their ends.
  off = 1,
  /// It outlives the process as soon as it is written, a power cut once it was synced, now and then.
  batched,
  /// It outlives a power cut as soon as it is written.
  full,
};

/// How long what is over is kept.
struct retention {
  std::chrono::milliseconds time{std::chrono::hours{24}};
  /// Of outcomes and events together.
  std::size_t bytes = 256u << 20;
  /// Runs that are forgotten in one transaction, in which nobody else can write.
  std::size_t at_once = 500;
};

} // namespace troupe
