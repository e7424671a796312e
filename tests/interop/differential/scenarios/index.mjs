import { conversations } from "./conversations.mjs";
import { handoffs } from "./handoffs.mjs";
import { mcp } from "./mcp.mjs";
import { outputs } from "./outputs.mjs";
import { stops } from "./stops.mjs";
import { streaming } from "./streaming.mjs";
import { tools } from "./tools.mjs";
import { turns } from "./turns.mjs";

/**
 * A scenario is
 *   name      a sentence, unique
 *   agents    [{name, instructions, description, tools, functions, everything, handoffs, settings, toolUse,
 *             resetToolChoice, output}]; the first one begins. `tools` and `everything` are the tools it has of
 *             tools_server.mjs and of the reference server, or "all"; `functions` are as `tools`, but the SDK has them
 *             as function tools; `settings` has the SDK's names; `handoffs` are names or {agent, toolName,
 *             description, filter}; `output` is {name, schema}; `toolUse` is as in the SDK, or {stopAt: [names]}
 *   maxTurns  absent: each side's default
 *   streamed  whether the model's answers are
 *   sdk       options of the SDK's runner
 *   runs      [{prompt, answers, agent}], one after the other in one session; the agent is by default the one that
 *             answered last; the answers are support/answers.mjs's
 */
export const scenarios = [
  ...turns, ...tools, ...handoffs, ...stops, ...outputs, ...mcp, ...conversations, ...streaming,
];
