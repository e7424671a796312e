// Tools as simple as tools can be, and one for each way to fail. `run` answers as an MCP server does.

const text = (value) => ({ content: [{ type: "text", text: value }] });
const object = (properties, required = Object.keys(properties)) => ({ type: "object", properties, required });
const aString = { type: "string" };
const aNumber = { type: "number" };

/** Calls of `slow` that wait for `add`. */
const late = [];
const letLateCallsGo = () => setImmediate(() => late.splice(0).forEach((resolve) => resolve()));

export const tools = {
  add: {
    description: "Adds two numbers.",
    inputSchema: object({ a: aNumber, b: aNumber }),
    run: ({ a, b }) => {
      letLateCallsGo();
      return text(String(a + b));
    },
  },
  get_weather: {
    description: "Tells the weather of a city.",
    inputSchema: object({ city: { ...aString, description: "The city's name" }, unit: { enum: ["C", "F"] } }, ["city"]),
    run: ({ city, unit }) => text(`Sunny in ${city}, 21 °${unit ?? "C"}`),
  },
  slow: {
    description: "Answers once add has answered.",
    inputSchema: object({ word: aString }),
    run: async ({ word }) => {
      await new Promise((resolve) => late.push(resolve));
      return text(word);
    },
  },
  now: { description: "Tells the time.", inputSchema: object({}), run: () => text("noon") },
  undescribed: { inputSchema: { type: "object" }, run: () => text("done") },
  closed: {
    description: "Takes nothing else.",
    inputSchema: { ...object({ word: aString }), additionalProperties: false },
    run: ({ word }) => text(word),
  },
  open: {
    description: "Takes anything else.",
    inputSchema: { ...object({ word: aString }), additionalProperties: true },
    run: ({ word }) => text(word),
  },
  json: { description: "Answers in JSON.", inputSchema: object({}), run: () => text('{"temperature": 21}') },
  two_texts: {
    description: "Answers in two parts.",
    inputSchema: object({}),
    run: () => ({ content: [{ type: "text", text: "one" }, { type: "text", text: "two" }] }),
  },
  nothing: { description: "Answers without content.", inputSchema: object({}), run: () => ({ content: [] }) },
  empty_text: { description: "Answers with an empty text.", inputSchema: object({}), run: () => text("") },
  structured: {
    description: "Answers in structured content.",
    inputSchema: object({}),
    run: () => ({ ...text("21 degrees"), structuredContent: { temperature: 21 } }),
  },
  fail: {
    description: "Fails, and says so.",
    inputSchema: object({ reason: aString }),
    run: ({ reason }) => ({ ...text(`it failed: ${reason}`), isError: true }),
  },
  refuse: {
    description: "Answers with a protocol error.",
    inputSchema: object({}),
    run: () => {
      throw new Error("refused");
    },
  },
};
