#pragma once

#include "actors/error.hpp"
#include "actors/messages.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>

/// Every actor's typed interface: the map of the house. All answers may also be an error, made by
/// `to_caf(error)`. Timeouts are the asker's.
namespace troupe {

/// Watches runs. Gets events from each run it is named for; never asked for an answer.
using observer_actor = caf::typed_actor<
    // Something happened in a run.
    caf::reacts_to<run_event>>;

/// One model endpoint.
using model_actor = caf::typed_actor<
    // Calls the model, retries included.
    caf::replies_to<model_call>::with<model_response>,
    // Gives a call up: its connection is closed, its answer is never delivered. Unknown keys are ignored.
    caf::reacts_to<cancel_atom, call_key>>;

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

/// One run on one agent. Its life is the run's life there.
using run_actor = caf::typed_actor<
    // Carries the run on; answers when it ends, here or at an agent it was handed to.
    caf::replies_to<travelling_run>::with<run_outcome>,
    // Ends the run now, for the reason given.
    caf::reacts_to<cancel_atom, error>>;

/// Whoever started a run and may want to cancel it.
using run_owner_actor = caf::typed_actor<
    // The run of that id is now carried by this run actor.
    caf::reacts_to<moved_atom, std::uint64_t, caf::strong_actor_ptr>>;

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
using store_actor = caf::typed_actor<
    // The session; `unknown_session` if there is none.
    caf::replies_to<info_atom, std::string>::with<session_record_ptr>,
    // Adds to a session; answers when it is durable.
    caf::replies_to<session_append>::with<acknowledgement>,
    // Forgets a session; `unknown_session` if there is none.
    caf::replies_to<erase_atom, std::string>::with<acknowledgement>>;

/// One session that is in use: its runs, one after the other.
using session_actor = caf::typed_actor<
    // Runs the prompt after those that came before.
    caf::replies_to<chat_request, observer_actor>::with<chat_reply>,
    // Forgets the session after what came before.
    caf::replies_to<erase_atom>::with<acknowledgement>,
    // Cancels the run with that id, waiting or running; 0 cancels all.
    caf::reacts_to<cancel_atom, std::uint64_t, error>,
    // The run under way is now carried by this run actor.
    caf::reacts_to<moved_atom, std::uint64_t, caf::strong_actor_ptr>>;

/// All sessions: finds or makes the actor of each.
using sessions_actor = caf::typed_actor<
    // Runs the prompt after those that already wait for its session.
    caf::replies_to<chat_request>::with<chat_reply>,
    // The same, watched.
    caf::replies_to<chat_request, observer_actor>::with<chat_reply>,
    // Cancels the run with that id on that session, waiting or running; it ends with `cancelled`.
    caf::reacts_to<cancel_atom, std::string, std::uint64_t>,
    // The session's items and last agent; `unknown_session` if there is none.
    caf::replies_to<info_atom, std::string>::with<session_record_ptr>,
    // Forgets the session once its runs are over; `unknown_session` if there is none.
    caf::replies_to<erase_atom, std::string>::with<acknowledgement>,
    // Takes no more work, waits for runs up to the time given, then cancels them; answers when all are done.
    caf::replies_to<stop_atom, caf::timespan>::with<acknowledgement>,
    // A session has dealt with so many of its messages, and has nothing to do (sent by session actors).
    caf::reacts_to<finished_atom, std::string, std::uint64_t>>;

/// The HTTP front end.
using http_front_actor = caf::typed_actor<
    // The port it listens on, once it listens; the reason if it cannot.
    caf::replies_to<port_atom>::with<std::uint16_t>,
    // Stops accepting at once, lets requests in flight finish up to the time given, then closes all
    // connections and answers. The actor then quits.
    caf::replies_to<stop_atom, caf::timespan>::with<acknowledgement>>;

} // namespace troupe
