import { call, say, sayAndCall } from "../support/answers.mjs";

const triage = (handoffs, more = {}) => ({ name: "triage", instructions: "You pick an agent.", handoffs, ...more });
const weather = (more = {}) => ({
  name: "weather", description: "Knows the weather.", instructions: "You know the weather.", ...more,
});
const maths = (more = {}) => ({ name: "maths", description: "Adds.", instructions: "You add.", ...more });
const ask = (answers) => [{ prompt: "Help me", answers }];
const to = (agent) => [`transfer_to_${agent}`, {}];

export const handoffs = [
  { name: "a handoff", agents: [triage(["weather"]), weather()], runs: ask([call(to("weather")), say("Sunny.")]) },
  {
    name: "a handoff to an agent without description",
    agents: [triage(["plain"]), { name: "plain", instructions: "You are plain." }],
    runs: ask([call(to("plain")), say("Plainly.")]),
  },
  {
    name: "an agent's name with blanks and capitals",
    agents: [triage(["Weather & Climate Agent"]), weather({ name: "Weather & Climate Agent" })],
    runs: ask([call(["transfer_to_weather___climate_agent", {}]), say("Sunny.")]),
  },
  {
    name: "two handoffs",
    agents: [triage(["maths"]), maths({ handoffs: ["weather"] }), weather()],
    runs: ask([call(to("maths")), call(to("weather")), say("Sunny.")]),
  },
  {
    name: "a handoff there and back",
    agents: [triage(["weather"]), weather({ handoffs: ["triage"] })],
    runs: ask([call(to("weather")), call(to("triage")), say("Neither of us knows.")]),
  },
  {
    name: "a choice of handoffs beside tools",
    agents: [triage(["weather", "maths"], { tools: ["now"] }), weather(), maths()],
    runs: ask([call(["now", {}]), call(to("maths")), say("42")]),
  },
  {
    name: "a handoff, then the other agent's tools",
    agents: [triage(["weather"]), weather({ tools: ["get_weather"] })],
    runs: ask([call(to("weather")), call(["get_weather", { city: "Bern" }]), say("Sunny in Bern.")]),
  },
  {
    name: "a handoff and a tool in one turn",
    agents: [triage(["weather"], { tools: ["add"] }), weather({ tools: ["get_weather"] })],
    runs: ask([call(["add", { a: 1, b: 2 }], to("weather")), say("Three, and sunny.")]),
  },
  {
    name: "a handoff before a tool in one turn",
    agents: [triage(["weather"], { tools: ["add"] }), weather()],
    runs: ask([call(to("weather"), ["add", { a: 1, b: 2 }]), say("Three, and sunny.")]),
  },
  {
    name: "a handoff and an unknown tool in one turn",
    agents: [triage(["weather"]), weather()],
    runs: ask([call(["subtract", {}], to("weather")), say("Sunny.")]),
  },
  {
    name: "a message beside a handoff",
    agents: [triage(["weather"]), weather()],
    runs: ask([sayAndCall("I pass you on.", to("weather")), say("Sunny.")]),
  },
  {
    name: "two handoffs in one turn",
    agents: [triage(["weather", "maths"]), weather(), maths()],
    runs: ask([call(to("weather"), to("maths")), say("Sunny.")]),
  },
  {
    name: "a handoff with arguments that nobody asked for",
    agents: [triage(["weather"]), weather()],
    runs: ask([call(["transfer_to_weather", { reason: "rain" }]), say("Sunny.")]),
  },
  {
    name: "a handoff with a name and a description of its own",
    agents: [triage([{ agent: "weather", toolName: "ask_weather", description: "Ask about weather." }]), weather()],
    runs: ask([call(["ask_weather", {}]), say("Sunny.")]),
  },
  {
    name: "a handoff that drops tools",
    agents: [triage([{ agent: "weather", filter: "drop_tools" }], { tools: ["add"] }), weather()],
    runs: ask([sayAndCall("First I add.", ["add", { a: 1, b: 2 }]), call(to("weather")), say("Sunny.")]),
  },
  {
    name: "a conversation goes on after a handoff that drops tools",
    agents: [triage([{ agent: "weather", filter: "drop_tools" }], { tools: ["add"] }), weather()],
    runs: [
      ...ask([call(["add", { a: 1, b: 2 }]), call(to("weather")), say("Sunny.")]),
      { prompt: "And tomorrow?", answers: [say("Rainy.")] },
    ],
  },
];
