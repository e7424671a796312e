// A scenario as an agent file, served by Troupe.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { patience, serversOf } from "./peers.mjs";

/** Without the members that are undefined. */
const only = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Its functions are tools of an MCP server as well. */
const serversFor = (agent) => serversOf(agent.functions?.length ? { ...agent, tools: agent.functions } : agent);

function handoffEntry(wanted) {
  if (typeof wanted === "string") return wanted;
  const { agent, toolName, description, filter } = wanted;
  return only({ agent, tool_name: toolName, description, input_filter: filter });
}

function agentEntry(agent) {
  const { temperature, topP, maxTokens, toolChoice, parallelToolCalls } = agent.settings ?? {};
  const settings = only({
    temperature, top_p: topP, max_tokens: maxTokens, tool_choice: toolChoice, parallel_tool_calls: parallelToolCalls,
  });
  return only({
    name: agent.name,
    instructions: agent.instructions,
    description: agent.description,
    model_settings: agent.settings && settings,
    handoffs: agent.handoffs?.map(handoffEntry),
    mcp_servers: serversFor(agent).map(({ name }) => name),
    tool_use_behavior: agent.toolUse?.stopAt ? { stop_at_tools: agent.toolUse.stopAt } : agent.toolUse,
    reset_tool_choice: agent.resetToolChoice,
    output_schema: agent.output?.schema,
    output_name: agent.output?.name,
  });
}

function agentFile(scenario, baseUrl) {
  const servers = scenario.agents
    .flatMap(serversFor)
    .map(({ name, command, args, allowed }) => [name, only({ command, args, allowed_tools: allowed })]);
  return {
    server: { port: 0 },
    models: { default: { provider: "openai", base_url: baseUrl, api_key: "sk-test", model: "test-model" } },
    mcpServers: Object.fromEntries(servers),
    agents: scenario.agents.map(agentEntry),
    ...(scenario.maxTurns && { limits: { max_turns: scenario.maxTurns } }),
  };
}

class Served {
  #program;
  #folder;
  #url;

  async start(file) {
    this.#folder = await mkdtemp(join(tmpdir(), "troupe-differential-"));
    await writeFile(join(this.#folder, "agents.json"), JSON.stringify(file));
    const log = openSync(join(this.#folder, "log"), "w");
    this.#program = spawn(process.env.TROUPE_BIN, ["serve", "-c", "agents.json"], {
      cwd: this.#folder,
      stdio: ["ignore", "pipe", log],
      env: { ...process.env, HOME: this.#folder },
    });
    closeSync(log);
    const lines = createInterface({ input: this.#program.stdout });
    const [first] = await Promise.race([once(lines, "line"), once(lines, "close"), once(this.#program, "error")]);
    const said = /^listening on (http:\S+)$/.exec(first);
    if (!said) throw new Error(`Troupe did not start: ${first ?? ""}\n${await this.log()}`);
    this.#url = said[1];
  }

  log() {
    return readFile(join(this.#folder, "log"), "utf8");
  }

  ask(body) {
    return fetch(`${this.#url}/api/v1/chat`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: patience(),
    });
  }

  async stop() {
    if (this.#program && this.#program.exitCode === null && this.#program.kill("SIGTERM"))
      await once(this.#program, "exit");
    if (this.#folder) await rm(this.#folder, { recursive: true });
  }
}

const kinds = {
  max_turns_exceeded: "max turns",
  model_failed: "model",
  model_stream_cut: "model",
  protocol_violation: "model",
  invalid_output: "model",
};

/** The last event of a streamed answer. */
function lastEvent(text) {
  const blocks = text.split(/\r?\n\r?\n/).filter((block) => /^data:/m.test(block));
  const last = blocks.at(-1) ?? "";
  const data = last.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
  return { event: /^event: ?(.*)$/m.exec(last)?.[1], data: JSON.parse(data.join("\n")) };
}

/** What an answer says: an output and the agent it is from, or the code of an error. */
async function outcomeOf(response) {
  const text = await response.text();
  const streamed = response.headers.get("content-type")?.startsWith("text/event-stream");
  const { event, data } = streamed ? lastEvent(text) : { data: JSON.parse(text) };
  if (response.status === 200 && (!streamed || event === "run_completed"))
    return { outcome: { output: data.result, agent: data.agent }, session: data.session_id };
  const detail = data.detail ?? data;
  return { outcome: { error: kinds[detail.code] ?? text }, session: detail.session_id };
}

/** Plays a scenario, as `playWithSdk` does. */
export async function playWithTroupe(scenario, baseUrl, beforeRun, afterRun) {
  const troupe = new Served();
  let session = null;
  try {
    await troupe.start(agentFile(scenario, baseUrl));
    for (const run of scenario.runs) {
      beforeRun(run);
      const stream = scenario.streamed === true ? { stream: true } : {};
      const response = await troupe.ask({ prompt: run.prompt, agent: run.agent, session_id: session, ...stream });
      const { outcome, session: used } = await outcomeOf(response);
      session = used ?? session;
      afterRun(outcome);
    }
  } finally {
    await troupe.stop();
  }
}
