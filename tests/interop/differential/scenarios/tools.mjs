import { call, say, sayAndCall } from "../support/answers.mjs";

/** One run of one agent that has all tools it needs. */
function use(name, tools, answers, more = {}) {
  const agent = { name: "worker", instructions: "Use tools.", tools };
  return { name, agents: [agent], runs: [{ prompt: "Do it", answers: [...answers, say("Done.")] }], ...more };
}

const asFunctions = (names) => ({ agents: [{ name: "worker", instructions: "Use tools.", functions: names }] });

export const tools = [
  use("parallel functions", [], [
    call(["slow", { word: "late" }], ["add", { a: 3, b: 4 }]),
  ], asFunctions(["slow", "add"])),
  use("a function that fails", [], [call(["fail", { reason: "no paper" }])], asFunctions(["fail"])),
  use("a function's arguments that are not JSON", [], [call(["add", '{"a": 1, '])], asFunctions(["add"])),
  use("one tool", ["add"], [call(["add", { a: 20, b: 22 }])]),
  use("several tools one after the other", ["add", "get_weather"], [
    call(["add", { a: 1, b: 2 }]), call(["get_weather", { city: "Zürich" }]), call(["add", { a: 3, b: 3 }]),
  ]),
  use("parallel tools", ["add", "get_weather"], [
    call(["add", { a: 1, b: 2 }], ["get_weather", { city: "Oslo", unit: "C" }], ["add", { a: 3, b: 4 }]),
  ]),
  use("parallel tools of which the first is the slowest", ["slow", "add"], [
    call(["slow", { word: "late" }], ["add", { a: 1, b: 1 }]),
  ]),
  use("a message beside tool calls is not final", ["add"], [
    sayAndCall("Let me add that.", ["add", { a: 1, b: 2 }]),
  ]),
  use("an empty message beside tool calls", ["add"], [sayAndCall("", ["add", { a: 1, b: 2 }])]),
  use("arguments are passed on as the model wrote them", ["add"], [call(["add", ' { "b":2 ,"a": 1.0}'])]),
  use("a tool without parameters", ["now"], [call(["now", {}])]),
  use("a tool without parameters, called with nothing at all", ["now"], [call(["now", ""])]),
  use("a tool without description and properties", ["undescribed"], [call(["undescribed", {}])]),
  use("a tool that fails", ["fail"], [call(["fail", { reason: "no paper" }])]),
  use("a tool that fails beside one that does not", ["fail", "add"], [
    call(["fail", { reason: "no ink" }], ["add", { a: 1, b: 2 }]),
  ]),
  use("a tool that answers with a protocol error", ["refuse"], [call(["refuse", {}])]),
  use("arguments that are not JSON", ["add"], [call(["add", '{"a": 1, '])]),
  use("arguments that are no object", ["add"], [call(["add", "[1, 2]"])]),
  use("arguments that break the tool's schema", ["add"], [call(["add", { a: "1" }])]),
  use("an unknown tool", ["add"], [call(["subtract", { a: 1, b: 2 }])]),
  use("an unknown tool beside a known one", ["add"], [call(["subtract", { a: 1, b: 2 }], ["add", { a: 1, b: 2 }])]),
  use("an unknown tool, as the SDK treats it by default", ["add"], [call(["subtract", { a: 1, b: 2 }])], {
    sdk: { toolNotFoundBehavior: "raise_error" },
  }),
  use("a call of an agent that has no tools", undefined, [call(["add", { a: 1, b: 2 }])]),
  use("an answer in two texts", ["two_texts"], [call(["two_texts", {}])]),
  use("an answer without content", ["nothing"], [call(["nothing", {}])]),
  use("an answer that is an empty text", ["empty_text"], [call(["empty_text", {}])]),
  use("an answer with structured content", ["structured"], [call(["structured", {}])]),
  use("schemas that are closed and open", ["closed", "open"], [
    call(["closed", { word: "a" }], ["open", { word: "b", more: 1 }]),
  ]),
  use("a call id that a later turn uses again for the same call", ["add"], [
    call(["add", { a: 1, b: 2 }, "call_x"]), call(["add", { a: 1, b: 2 }, "call_x"]),
  ]),
  use("a call id that a later turn uses again for another call", ["add"], [
    call(["add", { a: 1, b: 2 }, "call_x"]), call(["add", { a: 5, b: 5 }, "call_x"]),
  ]),
  use("a call id that an answer uses twice for the same call", ["add"], [
    call(["add", { a: 1, b: 2 }, "call_x"], ["add", { a: 1, b: 2 }, "call_x"]),
  ]),
  use("a call id that an answer uses twice for different calls", ["add"], [
    call(["add", { a: 1, b: 2 }, "call_x"], ["add", { a: 5, b: 5 }, "call_x"]),
  ]),
];
