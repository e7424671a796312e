// A scenario as a program that uses the SDK.

import {
  Agent, handoff, MaxTurnsExceededError, MCPServerStdio, MemorySession, ModelBehaviorError, ModelRefusalError,
  OpenAIProvider, Runner, tool, UserError,
} from "@openai/agents";
import { removeAllTools } from "@openai/agents-core/extensions";

import { patience, serversOf } from "./peers.mjs";
import { tools } from "./tools.mjs";

const filters = { drop_tools: removeAllTools, keep_all: (data) => data };

function makeHandoff(wanted, agents) {
  if (typeof wanted === "string") return agents.get(wanted);
  return handoff(agents.get(wanted.agent), {
    toolNameOverride: wanted.toolName,
    toolDescriptionOverride: wanted.description,
    inputFilter: filters[wanted.filter],
  });
}

function makeServer({ name, command, args, allowed }) {
  return new MCPServerStdio({ name, command, args, toolFilter: allowed && { allowedToolNames: allowed } });
}

function makeFunction(name) {
  const { description, inputSchema, run } = tools[name];
  const execute = async (args) => {
    const { content, isError } = await run(args);
    if (isError) throw new Error(content[0].text);
    return content[0].text;
  };
  const parameters = { ...inputSchema, additionalProperties: true };
  return tool({ name, description, parameters, strict: false, execute });
}

function makeAgent(agent, model) {
  return new Agent({
    name: agent.name,
    instructions: agent.instructions,
    handoffDescription: agent.description,
    model,
    modelSettings: agent.settings ?? {},
    mcpServers: serversOf(agent).map(makeServer),
    tools: Object.keys(tools).filter((name) => agent.functions?.includes(name)).map(makeFunction),
    toolUseBehavior: agent.toolUse?.stopAt ? { stopAtToolNames: agent.toolUse.stopAt } : agent.toolUse,
    resetToolChoice: agent.resetToolChoice,
    outputType: agent.output && { type: "json_schema", strict: true, ...agent.output },
  });
}

function makeAgents(scenario, model) {
  const agents = new Map(scenario.agents.map((agent) => [agent.name, makeAgent(agent, model)]));
  for (const { name, handoffs } of scenario.agents)
    agents.get(name).handoffs = (handoffs ?? []).map((one) => makeHandoff(one, agents));
  return agents;
}

/** One of the kinds of normalisation.md; what has none is no outcome. */
function kindOf(error) {
  if (error instanceof MaxTurnsExceededError) return "max turns";
  if (error instanceof ModelBehaviorError || typeof error.status === "number") return "model";
  if (error instanceof ModelRefusalError) return "refusal";
  if (error instanceof UserError) return "configuration";
  throw error;
}

async function finish(runner, agent, prompt, options) {
  const result = await runner.run(agent, prompt, options);
  if (options.stream) {
    for await (const event of result) void event;
    await result.completed;
  }
  return result;
}

/** Plays a scenario. `beforeRun` gets each run before it begins, `afterRun` its outcome. */
export async function playWithSdk(scenario, baseUrl, beforeRun, afterRun) {
  const provider = new OpenAIProvider({ apiKey: "sk-test", baseURL: baseUrl, useResponses: false });
  const agents = makeAgents(scenario, await provider.getModel("test-model"));
  const servers = [...agents.values()].flatMap((agent) => agent.mcpServers);
  const runner = new Runner({ tracingDisabled: true, toolNotFoundBehavior: "return_error_to_model", ...scenario.sdk });
  const session = new MemorySession();
  let last = agents.values().next().value;
  try {
    await Promise.all(servers.map((server) => server.connect()));
    for (const run of scenario.runs) {
      beforeRun(run);
      const options = { session, maxTurns: scenario.maxTurns, stream: scenario.streamed === true, signal: patience() };
      try {
        const result = await finish(runner, run.agent ? agents.get(run.agent) : last, run.prompt, options);
        last = result.lastAgent;
        afterRun({ output: result.finalOutput, agent: last.name });
      } catch (error) {
        afterRun({ error: kindOf(error) });
      }
    }
  } finally {
    await Promise.allSettled(servers.map((server) => server.close()));
  }
}
