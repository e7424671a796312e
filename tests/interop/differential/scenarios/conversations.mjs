import { call, fault, say, sayAndCall } from "../support/answers.mjs";

const adding = ["add", { a: 20, b: 22 }];
const worker = { name: "worker", instructions: "Use tools.", tools: ["add", "get_weather"] };

export const conversations = [
  {
    name: "a conversation of three runs",
    agents: [{ name: "helper", instructions: "You are helpful." }],
    runs: [
      { prompt: "I am Ann.", answers: [say("Hello Ann.")] },
      { prompt: "Who am I?", answers: [say("You are Ann.")] },
      { prompt: "Are you sure?", answers: [say("Yes.")] },
    ],
  },
  {
    name: "a conversation of three runs with tools",
    agents: [worker],
    runs: [
      { prompt: "Add", answers: [sayAndCall("I add.", adding), say("It is 42.")] },
      { prompt: "The weather?", answers: [call(["get_weather", { city: "Rome" }], adding), say("Sunny.")] },
      { prompt: "Thanks", answers: [say("You are welcome.")] },
    ],
  },
  {
    name: "a conversation goes on at the agent that answered",
    agents: [
      { name: "triage", instructions: "You pick.", handoffs: ["adder"] },
      { name: "adder", instructions: "You add.", tools: ["add"], handoffs: ["triage"] },
    ],
    runs: [
      { prompt: "Add", answers: [call(["transfer_to_adder", {}]), call(adding), say("It is 42.")] },
      { prompt: "Again", answers: [call(adding), say("Still 42.")] },
      { prompt: "Something else", answers: [call(["transfer_to_triage", {}]), say("What else?")] },
    ],
  },
  {
    name: "a conversation with another agent for each run",
    agents: [{ name: "one", instructions: "You are one." }, { name: "two", instructions: "You are two." }],
    runs: [
      { prompt: "Hello", answers: [say("I am one.")] },
      { prompt: "Hello", agent: "two", answers: [say("I am two.")] },
      { prompt: "Hello", agent: "one", answers: [say("One again.")] },
    ],
  },
  {
    name: "a conversation goes on after too many turns",
    agents: [worker],
    maxTurns: 1,
    runs: [
      { prompt: "Add", answers: [call(adding)] },
      { prompt: "Never mind", answers: [say("Fine.")] },
    ],
  },
  {
    name: "a conversation goes on after the model refused a request",
    agents: [worker],
    runs: [
      { prompt: "Hello", answers: [fault(400, "too long")] },
      { prompt: "Never mind", answers: [say("Fine.")] },
    ],
  },
  {
    name: "a conversation goes on after the model refused a request behind a tool",
    agents: [worker],
    runs: [
      { prompt: "Add", answers: [call(adding), fault(400, "too long")] },
      { prompt: "Never mind", answers: [say("Fine.")] },
    ],
  },
  {
    name: "a conversation goes on after two handoffs in one turn",
    agents: [
      { name: "triage", instructions: "You pick.", handoffs: ["one", "two"] },
      { name: "one", instructions: "You are one." },
      { name: "two", instructions: "You are two." },
    ],
    runs: [
      { prompt: "Help", answers: [call(["transfer_to_two", {}], ["transfer_to_one", {}]), say("I am two.")] },
      { prompt: "And?", answers: [say("Still two.")] },
    ],
  },
  {
    name: "a call id that a later run uses again for another call",
    agents: [worker],
    runs: [
      { prompt: "Add", answers: [call(["add", { a: 1, b: 1 }, "call_0"]), say("It is 2.")] },
      { prompt: "Add", answers: [call(["add", { a: 2, b: 2 }, "call_0"]), say("It is 4.")] },
      { prompt: "Thanks", answers: [say("You are welcome.")] },
    ],
  },
];
