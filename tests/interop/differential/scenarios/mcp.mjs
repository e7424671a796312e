import { call, say } from "../support/answers.mjs";

/** One run of an agent that has tools of the reference server. */
function use(name, everything, answers, more = {}) {
  const agent = { name: "worker", instructions: "Use tools.", everything, ...more };
  return { name, agents: [agent], runs: [{ prompt: "Do it", answers: [...answers, say("Done.")] }] };
}

export const mcp = [
  use("tools of the reference server", ["echo", "get-sum"], [
    call(["echo", { message: "hello" }]), call(["get-sum", { a: 20, b: 22 }]),
  ]),
  use("all tools of the reference server", "all", []),
  use("tools of two servers", ["echo"], [call(["echo", { message: "hello" }], ["add", { a: 1, b: 2 }])], {
    tools: ["add"],
  }),
  use("the reference server refuses arguments", ["get-sum"], [call(["get-sum", { a: 1, b: "two" }])]),
  use("an image of the reference server", ["get-tiny-image"], [call(["get-tiny-image", {}])]),
  use("structured content of the reference server", ["get-structured-content"], [
    call(["get-structured-content", { location: "Chicago" }]),
  ]),
  use("annotated content of the reference server", ["get-annotated-message"], [
    call(["get-annotated-message", { messageType: "error", includeImage: false }]),
  ]),
  use("links of the reference server", ["get-resource-links"], [call(["get-resource-links", { count: 2 }])]),
  use("progress of the reference server", ["trigger-long-running-operation"], [
    call(["trigger-long-running-operation", { duration: 0.2, steps: 2 }]),
  ]),
];
