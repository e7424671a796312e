// What both sides need to know of those they talk to.

import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const programs = {
  tools: [path("../tools_server.mjs")],
  everything: [path("../../node_modules/@modelcontextprotocol/server-everything/dist/index.js"), "stdio"],
};

/** Ends a run that does not end by itself, so that the others are still played. */
export const patience = () => AbortSignal.timeout(120_000);

/** An agent's MCP servers: how each is started, and the tools it may offer (undefined: all). */
export function serversOf(agent) {
  return Object.keys(programs)
    .filter((program) => agent[program])
    .map((program) => ({
      name: `${program} of ${agent.name}`,
      command: process.execPath,
      args: programs[program],
      allowed: agent[program] === "all" ? undefined : agent[program],
    }));
}
