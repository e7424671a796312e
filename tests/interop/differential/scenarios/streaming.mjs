import { conversations } from "./conversations.mjs";
import { handoffs } from "./handoffs.mjs";
import { outputs } from "./outputs.mjs";
import { stops } from "./stops.mjs";
import { tools } from "./tools.mjs";
import { turns } from "./turns.mjs";

/** Scenarios that are played once more with a model that streams; the requests must be the same but for that. */
const chosen = [
  "one turn",
  "a prompt and an answer with all kinds of characters",
  "an empty answer is final",
  "the model refuses the request",
  "several tools one after the other",
  "parallel tools",
  "a message beside tool calls is not final",
  "a tool without parameters",
  "a tool that fails",
  "a handoff",
  "a handoff and a tool in one turn",
  "stop on the first tool",
  "a required tool is required once",
  "no final answer within the turns",
  "structured output",
  "a conversation of three runs with tools",
  "a conversation goes on after the model refused a request",
];

const all = [...turns, ...tools, ...handoffs, ...stops, ...outputs, ...conversations];

export const streaming = chosen.map((name) => ({
  ...all.find((scenario) => scenario.name === name),
  name: `streamed: ${name}`,
  streamed: true,
}));
