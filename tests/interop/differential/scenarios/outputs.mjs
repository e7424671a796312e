import { call, say } from "../support/answers.mjs";

const schema = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "number" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};
const reporter = { name: "reporter", instructions: "Report.", output: { name: "report", schema } };
const report = JSON.stringify({ city: "Bern", degrees: 21.5 });

const ask = (name, answers, agent = reporter) => ({ name, agents: [agent], runs: [{ prompt: "Report", answers }] });

export const outputs = [
  ask("structured output", [say(report)]),
  ask("structured output after a tool", [call(["add", { a: 1, b: 2 }]), say(report)], { ...reporter, tools: ["add"] }),
  ask("structured output with blanks around it", [say(` ${report}\n`)]),
  ask("structured output that is empty at first", [say(""), say(report)]),
  ask("structured output that is not JSON", [say("It is warm."), say(report)]),
  ask("structured output that breaks the schema", [say('{"city": "Bern"}'), say(report)]),
  {
    name: "structured output after a handoff",
    agents: [{ name: "triage", instructions: "You pick.", handoffs: ["reporter"] }, reporter],
    runs: [{ prompt: "Report", answers: [call(["transfer_to_reporter", {}]), say(report)] }],
  },
  {
    name: "structured output in a conversation",
    agents: [reporter],
    runs: [
      { prompt: "Report", answers: [say(report)] },
      { prompt: "And now?", answers: [say(report)] },
    ],
  },
];
