#pragma once

#include "actors/caller.hpp"
#include "actors/error.hpp"
#include "libagent/core/item.hpp"
#include "libagent/core/usage.hpp"
#include "libagent/run/budget.hpp"
#include "libagent/run/interruption.hpp"
#include "libagent/run/ledger.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What is asked of sessions, agents and runs, and what they answer.
namespace troupe {

/// What a prompt does when a run of its session is under way.
enum class busy_policy : std::uint8_t {
  /// Waits for it.
  enqueue = 1,
  /// Is refused (`conflict`).
  reject,
  /// Cancels it; what it has added to the session stays.
  interrupt,
  /// Cancels it, and what it has added is taken back.
  rollback,
};
/// "enqueue", "reject", "interrupt" or "rollback", and back.
std::string_view to_string(busy_policy policy) noexcept;
std::optional<busy_policy> busy_policy_named(std::string_view name) noexcept;

/// A prompt for a session.
struct chat_request {
  std::string prompt;
  /// Empty: the agent that last answered on the session, or the default one on a new session.
  std::string agent;
  std::string session_id;
  /// The caller has just made the id, so that there is nothing to load.
  bool is_new = false;
  /// Names the run (`new_run_id`); empty: the session makes one.
  std::string run_id{};
  /// What templates and expressions know as `context`: an object, or null for an empty one.
  std::shared_ptr<const json> context{};
  /// Beside the configuration's budgets; the tighter bound of each kind holds.
  budget spending{};
  /// Whether the observer wants to see the model's answers grow.
  bool streamed = false;
  caller by{};
  /// Answered as soon as the run is accepted for good; it goes on by itself.
  bool background = false;
  /// Nothing given: the session's.
  std::optional<busy_policy> busy{};
  /// Not empty: the run's id is made of a key of the caller's, so that the same request, which comes to the
  /// same hash, is answered by the same run; another one is refused (`invalid_argument`).
  std::string key_hash{};
  /// The front end's to heed: the key itself; whether the run is cancelled when whoever asked goes away, or
  /// whether that is expressly not to be.
  std::string idempotency_key{};
  bool ends_with_client = false;
  bool detached = false;
  /// Its events are kept to be read later, by who asks for them by its id.
  bool is_logged = false;
  /// For the run, from its beginning; the configuration's is an upper bound.
  std::optional<std::chrono::milliseconds> within{};
};

/// Goes on with a paused run.
struct resume_request {
  std::string run_id;
  std::vector<decision> decisions;
  bool streamed = false;
  caller by{};
  bool is_logged = false;
  /// As in `chat_request`.
  bool ends_with_client = false;
  bool detached = false;
  /// Nothing is decided: whoever asks waits for a run that goes on already, and is answered as its prompt
  /// would be.
  bool only_joins = false;
};

/// How a run stands.
enum class run_status : std::uint8_t { running = 1, paused, completed, failed, cancelled };
/// "running", "paused", ...
std::string_view to_string(run_status status) noexcept;

/// The answer to a prompt: the run is completed, or paused.
struct chat_reply {
  /// The final output. Empty while paused.
  std::string result;
  std::string session_id;
  /// The agent that answered.
  std::string agent;
  /// What the run added to the session, the prompt included.
  item_list items;
  usage_report used;
  std::string run_id{};
  run_status status = run_status::completed;
  /// What a paused run waits for.
  std::vector<interruption> interruptions{};
  /// The final output of an agent with an output schema; null for others.
  std::shared_ptr<const json> structured{};
  /// Of what was used, where models have prices.
  std::optional<double> cost{};
};

/// A run as clients see it.
struct run_record {
  std::string run_id;
  std::string session_id;
  run_status status = run_status::running;
  /// The agent that holds it, or held it last.
  std::string agent;
  std::string result;
  std::shared_ptr<const json> structured;
  /// For failed and cancelled runs.
  std::optional<error> failure;
  item_list items;
  usage_report used;
  std::optional<double> cost;
  std::vector<interruption> interruptions;
  /// Whose it is; empty for nobody's.
  std::string owner{};
  /// `chat_request::key_hash`.
  std::string key_hash{};
  /// It was never carried out: the same request may be.
  bool is_refused = false;
};
using run_record_ptr = std::shared_ptr<const run_record>;

/// When a cancelled run ends.
enum class cancel_mode : std::uint8_t { at_once = 1, after_turn };

/// A prompt for an agent, without a session.
struct run_request {
  std::string prompt;
  /// The conversation so far; may be null.
  shared_items history;
  std::shared_ptr<const json> context{};
  budget spending{};
};

struct run_reply {
  std::string result;
  std::string agent;
  item_list items;
  usage_report used;
  std::shared_ptr<const json> structured{};
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::chat_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::chat_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::resume_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_record_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cancel_mode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_reply)
