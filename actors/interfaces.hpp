#pragma once

#include "actors/adopted_runs.hpp"
#include "actors/error.hpp"
#include "actors/mcp_status.hpp"
#include "actors/messages.hpp"
#include "actors/run_event.hpp"
#include "actors/run_requests.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>

/// Every actor's typed interface: the map of the house. All answers may also be an error, made by
/// `to_caf(error)`. Timeouts are the asker's.
namespace troupe {

/// An actor that tells how it is, at once.
using observed_actor = caf::typed_actor<caf::replies_to<status_atom>::with<actor_status>>;

/// Watches runs. Gets events from each run it is named for; never asked for an answer. Of a streamed run's
/// events it has to tell their sender how many it has dealt with (`consumed_atom`), without waiting for
/// further ones, since the run holds its model back until then.
using observer_actor = caf::typed_actor<
    // Something happened in a run.
    caf::reacts_to<run_event>>;

/// Takes what is to be written down.
using journal_actor = caf::typed_actor<
    // Adds to a session, and to the journal; answers when it is durable.
    caf::replies_to<session_append>::with<acknowledgement>>;

/// The events of one run, in order and numbered from 1, for any number of readers. It watches the run, and
/// all that is to be written down of the run goes through it, so that events and steps stand in one order.
using run_log_actor = observer_actor::extend_with<journal_actor>::extend<
    // Events after that number, as soon as there are any; none and `is_over` once there will be no more.
    // After `from_here`: those since the run last went on. Where the reader is named, the run waits for it as
    // it would for an observer.
    caf::replies_to<events_atom, std::uint64_t>::with<run_events_ptr>,
    // A paused run goes on.
    caf::reacts_to<recover_atom>,
    // The store (a `store_actor`) was started again.
    caf::reacts_to<wire_atom, caf::strong_actor_ptr>,
    // The run is over or has paused.
    caf::reacts_to<finished_atom>>;

/// Wants to see a model's answer grow.
using model_listener_actor = caf::typed_actor<
    // The answer has grown. Its sender is a `stream_source_actor`, unless the progress has no bytes.
    caf::reacts_to<model_progress>>;

/// Sends what others must keep up with.
using stream_source_actor = caf::typed_actor<
    // So many bytes of the call's progress were dealt with. Unknown keys are ignored.
    caf::reacts_to<consumed_atom, call_key, std::uint64_t>>;

/// One model endpoint.
using model_actor = caf::typed_actor<
    // Calls the model, retries included.
    caf::replies_to<model_call>::with<model_response>,
    // Gives a call up: its connection is closed, its answer is never delivered. Unknown keys are ignored.
    caf::reacts_to<cancel_atom, call_key>>;

using watched_model_actor = model_actor::extend_with<observed_actor>;

/// What a run and all that it starts may spend.
using budget_actor = caf::typed_actor<
    // Room for a model call, at once or when calls under way have given some back; `budget_exceeded`.
    caf::replies_to<reserve_atom, call_estimate>::with<reservation>,
    // Room for so many tool calls; `budget_exceeded`.
    caf::replies_to<reserve_atom, std::uint64_t>::with<acknowledgement>,
    // A model call has ended: its reservation, the model, and what it cost.
    caf::reacts_to<settle_atom, std::uint64_t, std::string, usage>>;

/// A guardrail that is an actor.
using guardrail_actor = caf::typed_actor<
    // Judges a text.
    caf::replies_to<guardrail_question>::with<guardrail::verdict>>;

/// Something that is told of points in runs, and by an error can stop them.
using hook_actor = caf::typed_actor<
    // A run is at this point; it goes on once this is answered.
    caf::replies_to<hook_call>::with<acknowledgement>>;

/// A tool that is an actor. An error counts as the tool's failure and is shown to the model.
using tool_actor = caf::typed_actor<
    // Runs the tool.
    caf::replies_to<tool_invocation>::with<tool_result>>;

/// One MCP server: its process, its connection, its restarts.
using mcp_server_actor = tool_actor::extend<
    // Gives a call up: the server is told, a late answer is ignored. Unknown keys are ignored.
    caf::reacts_to<cancel_atom, call_key>,
    // The tools. While the server is being started the answer waits for the outcome; empty when it is down.
    caf::replies_to<tools_atom>::with<shared_tools>,
    // How it is, at once.
    caf::replies_to<status_atom>::with<mcp_status>,
    // Ends the process in bounded stages; answers when it is reaped. The actor then quits.
    caf::replies_to<stop_atom>::with<acknowledgement>>;

/// Whoever started a run and may want to cancel it.
using run_owner_actor = caf::typed_actor<
    // The run of that id is now carried by this run actor.
    caf::reacts_to<moved_atom, std::string, caf::strong_actor_ptr>>;

/// One run on one agent. Its life is the run's life there. It is a model listener, and owns the runs that it
/// starts.
using run_actor = caf::typed_actor<
    // Carries the run on; answers when it ends or pauses, here or at an agent it was handed to.
    caf::replies_to<travelling_run>::with<run_outcome>,
    // Ends the run now, for the reason given.
    caf::reacts_to<cancel_atom, error>,
    // Ends the run when its turn is over, for the reason given.
    caf::reacts_to<cancel_atom, error, cancel_mode>,
    // A run that it started (by its id) has paid for a model call: agent, model, usage.
    caf::reacts_to<spent_atom, std::string, std::string, std::string, usage>,
    // Its observer has dealt with so many events.
    caf::reacts_to<consumed_atom,
                   std::uint64_t>>::extend_with<model_listener_actor>::extend_with<run_owner_actor>;

/// One agent: holds its definition, makes a run actor for each run.
using agent_actor = caf::typed_actor<
    // Runs the agent on a prompt until the final output. For embedders.
    caf::replies_to<run_request>::with<run_reply>,
    // Takes a run over that was started elsewhere, or handed off.
    caf::replies_to<travelling_run>::with<run_outcome>,
    // What it can do; asks its MCP servers.
    caf::replies_to<info_atom>::with<agent_info>,
    // Tells it what stands around it. Once, before anything else.
    caf::reacts_to<wire_atom, agent_wiring_ptr>>;

/// Where sessions live: the only owner of the store.
using store_actor = journal_actor::extend<
    // The session; `unknown_session` if there is none.
    caf::replies_to<info_atom, std::string>::with<session_record_ptr>,
    // The session that a paused run belongs to; `unknown_run` if there is none.
    caf::replies_to<run_atom, std::string>::with<std::string>,
    // Forgets a session; `unknown_session` if there is none.
    caf::replies_to<erase_atom, std::string>::with<acknowledgement>,
    // Takes over what processes that are gone have left of the session; nothing that this one has under way.
    caf::replies_to<adopt_atom, std::string>::with<adopted_runs_ptr>,
    // How a run has ended that could not be written when it did: tried with each write, until it works.
    caf::reacts_to<finished_atom, run_change>,
    // A run as its journal has it, whole; `unknown_run`, `store_failed` if damaged, or `unavailable`.
    caf::replies_to<journal_atom, std::string>::with<stored_run_ptr>,
    // How a run stands, without what it consists of; `unknown_run`, `store_failed` or `unavailable`.
    caf::replies_to<head_atom, std::string>::with<run_head_ptr>,
    // Events of a run after that number, at most so many.
    caf::replies_to<events_atom, std::string, std::uint64_t, std::uint64_t>::with<stored_events_ptr>,
    // And of so many bytes, but one at least.
    caf::replies_to<events_atom, std::string, std::uint64_t, std::uint64_t,
                    std::uint64_t>::with<stored_events_ptr>>;

/// One session that is in use: its runs, one after the other.
using session_actor = caf::typed_actor<
    // Runs the prompt after those that came before. `conflict` while a run of the session is paused.
    caf::replies_to<chat_request, observer_actor>::with<chat_reply>,
    // Goes on with the paused run. `conflict` if there is none of that id.
    caf::replies_to<resume_request, observer_actor>::with<chat_reply>,
    // How the paused run stands; `unknown_run` if there is none of that id that the caller may see.
    caf::replies_to<run_atom, std::string, caller>::with<run_record_ptr>,
    // Forgets the session after what came before; `unknown_session` if the caller may not see it.
    caf::replies_to<erase_atom, caller>::with<acknowledgement>,
    // Goes on with a run that the server did not live to end.
    caf::reacts_to<recover_atom, std::string, observer_actor>,
    // Answers for a run in the background that was asked for before, once it is written down.
    caf::replies_to<journal_atom, std::string>::with<chat_reply>,
    // Cancels the run with that id, waiting, running or paused; an empty id cancels all but paused ones.
    caf::reacts_to<cancel_atom, std::string, error, cancel_mode>,
    // The run under way is now carried by this run actor.
    caf::reacts_to<moved_atom, std::string, caf::strong_actor_ptr>>;

/// All sessions: finds or makes the actor of each.
using sessions_actor = caf::typed_actor<
    // Runs the prompt after those that already wait for its session.
    caf::replies_to<chat_request>::with<chat_reply>,
    // The same, watched. The observer may be null.
    caf::replies_to<chat_request, observer_actor>::with<chat_reply>,
    // Goes on with a paused run. `unknown_run`, `conflict` if it is not paused, `invalid_argument` for
    // decisions that do not fit it; it stays paused then. The observer may be null. One that only joins waits
    // for the end, or the pause, of a run that is under way here; `conflict` if another process carries it.
    caf::replies_to<resume_request, observer_actor>::with<chat_reply>,
    // How a run stands: under way, paused, or over lately; `unknown_run`.
    caf::replies_to<run_atom, std::string>::with<run_record_ptr>,
    // Cancels a run, waiting, running or paused, and tells how it stood. It ends with `cancelled`.
    // `unknown_run`, `conflict` if it is over.
    caf::replies_to<cancel_atom, std::string, cancel_mode>::with<run_record_ptr>,
    // The session's items and last agent; `unknown_session` if there is none.
    caf::replies_to<info_atom, std::string>::with<session_record_ptr>,
    // Forgets the session once its runs are over; `unknown_session` if there is none.
    caf::replies_to<erase_atom, std::string>::with<acknowledgement>,
    // The log of a run's events (a `run_log_actor`), of one that is logged; `unknown_run`. With a key's hash:
    // `invalid_argument` if the run was asked for by another request. May be empty.
    caf::replies_to<events_atom, std::string, caller, std::string>::with<caf::strong_actor_ptr>,
    // These four again on somebody's behalf: what belongs to another subject is unknown.
    caf::replies_to<run_atom, std::string, caller>::with<run_record_ptr>,
    caf::replies_to<cancel_atom, std::string, cancel_mode, caller>::with<run_record_ptr>,
    caf::replies_to<info_atom, std::string, caller>::with<session_record_ptr>,
    caf::replies_to<erase_atom, std::string, caller>::with<acknowledgement>,
    // How a run stands, which may be without its items where it is over.
    caf::replies_to<head_atom, std::string, caller>::with<run_record_ptr>,
    // Takes no more work, waits for runs up to the time given, then cancels them; answers when all are done.
    caf::replies_to<stop_atom, caf::timespan>::with<acknowledgement>,
    // A session has dealt with so many of its messages, and has nothing to do, or what is left waits for
    // somebody's word (sent by session actors).
    caf::reacts_to<finished_atom, std::string, std::uint64_t>,
    // A run is over, has paused or goes on (sent by session actors).
    caf::reacts_to<finished_atom, run_record_ptr>,
    // From a session: these runs of it, which were taken over, are to go on. Answered after they were sent to
    // it.
    caf::replies_to<recover_atom, std::string, adopted_runs_ptr>::with<acknowledgement>,
    // From a session: all that it had is erased.
    caf::reacts_to<erase_atom, std::string, acknowledgement>>;

/// The HTTP front end.
using http_front_actor = caf::typed_actor<
    // The port it listens on, once it listens; the reason if it cannot.
    caf::replies_to<port_atom>::with<std::uint16_t>,
    // Stops accepting at once, lets requests in flight finish up to the time given, then closes all
    // connections and answers. The actor then quits.
    caf::replies_to<stop_atom, caf::timespan>::with<acknowledgement>>;

struct front_maker;
using front_maker_ptr = std::shared_ptr<const front_maker>;

/// The root: watches all that a runtime has spawned, starts again what ended by a failure, and tells those
/// that deal with it.
using supervisor_actor = caf::typed_actor<
    // How all of it is; parts that do not answer within a bound are shown so.
    caf::replies_to<status_atom>::with<system_status_ptr>,
    // Watches a front end too, and tells it whom it serves from now on. One that has listened and fails is
    // made again, at the port that it had.
    caf::reacts_to<adopt_atom, http_front_actor, front_maker_ptr>,
    // Starts nothing again from here on.
    caf::replies_to<stop_atom>::with<acknowledgement>>;

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::front_maker_ptr)
