import { call, say } from "../support/answers.mjs";

const adding = ["add", { a: 20, b: 22 }];
const asking = ["get_weather", { city: "Rome" }];

/** The script goes on after the answers, so that a run which does not stop is seen. */
function stop(name, agent, answers, more = {}) {
  const functions = ["add", "get_weather", "fail", "json"];
  const worker = { name: "worker", instructions: "Use tools.", functions, ...agent };
  return { name, agents: [worker], runs: [{ prompt: "Do it", answers }], ...more };
}

export const stops = [
  stop("stop on the first tool", { toolUse: "stop_on_first_tool" }, [call(adding)]),
  stop("stop on the first of parallel tools, though all of them run", { toolUse: "stop_on_first_tool" }, [
    call(asking, adding),
  ], {
    runs: [
      { prompt: "Do it", answers: [call(asking, adding)] },
      { prompt: "And again", answers: [call(adding)] },
    ],
  }),
  stop("stop on the first tool, which failed", { toolUse: "stop_on_first_tool" }, [call(["fail", { reason: "x" }])]),
  stop("stop on the first tool, which answers in JSON", { toolUse: "stop_on_first_tool" }, [call(["json", {}])]),
  stop("stop on the first tool of an MCP server", { toolUse: "stop_on_first_tool", functions: [], tools: ["add"] }, [
    call(adding),
  ]),
  stop("stop on the first tool, which is unknown", { toolUse: "stop_on_first_tool" }, [
    call(["subtract", {}]), say("Done."),
  ]),
  stop("stop at tools, and one of them is called", { toolUse: { stopAt: ["get_weather"] } }, [call(adding, asking)]),
  stop("stop at tools, and none of them is called", { toolUse: { stopAt: ["get_weather"] } }, [
    call(adding), call(asking),
  ]),
  {
    name: "a handoff wins over a rule to stop",
    agents: [
      { name: "worker", functions: ["add"], toolUse: "stop_on_first_tool", handoffs: ["other"] },
      { name: "other", instructions: "You are the other." },
    ],
    runs: [{ prompt: "Do it", answers: [call(adding, ["transfer_to_other", {}]), say("It is 42.")] }],
  },
  stop("a required tool is required once", { settings: { toolChoice: "required" } }, [call(adding), say("It is 42.")]),
  stop("a tool that must be called is so once", { settings: { toolChoice: "add" } }, [
    call(adding), call(asking), say("It is 42."),
  ]),
  stop("a required tool stays required if that is wanted", {
    settings: { toolChoice: "required" }, resetToolChoice: false, toolUse: { stopAt: ["get_weather"] },
  }, [call(adding), call(asking)]),
  stop("tools are not to be used", { settings: { toolChoice: "none" } }, [say("I would add.")]),
  stop("an automatic choice after a tool", { settings: { toolChoice: "auto" } }, [call(adding), say("It is 42.")]),
  {
    name: "each agent's own choice of tools",
    agents: [
      { name: "first", functions: ["now"], handoffs: ["second"], settings: { toolChoice: "required" } },
      { name: "second", functions: ["add"], handoffs: ["first"], settings: { toolChoice: "add" } },
    ],
    runs: [{
      prompt: "Do it",
      answers: [
        call(["transfer_to_second", {}]), call(adding), call(["transfer_to_first", {}]), call(["now", {}]),
        say("Noon."),
      ],
    }],
  },
  {
    name: "a choice of tools holds anew in the next run",
    agents: [{ name: "worker", functions: ["add"], settings: { toolChoice: "required" } }],
    runs: [
      { prompt: "Do it", answers: [call(adding), say("It is 42.")] },
      { prompt: "And again", answers: [call(adding), say("Still 42.")] },
    ],
  },
  stop("no final answer within the turns", {}, [call(adding), call(adding), call(adding)], { maxTurns: 2 }),
  stop("no final answer within the turns of the default limit", {}, Array(12).fill(call(adding))),
  stop("a final answer in the last turn", {}, [call(adding), say("It is 42.")], { maxTurns: 2 }),
  {
    name: "turns are counted over handoffs",
    agents: [
      { name: "first", handoffs: ["second"] },
      { name: "second", functions: ["add"] },
    ],
    maxTurns: 2,
    runs: [{ prompt: "Do it", answers: [call(["transfer_to_second", {}]), call(adding), say("It is 42.")] }],
  },
];
