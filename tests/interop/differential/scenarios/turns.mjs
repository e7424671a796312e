import { fault, finishedBy, say, withMembers } from "../support/answers.mjs";

const helper = { name: "helper", instructions: "You are helpful." };
const one = (name, answers, more = {}) => ({ name, agents: [helper], runs: [{ prompt: "Hello", answers }], ...more });

export const turns = [
  one("one turn", [say("Good day.")]),
  one("an agent without instructions", [say("Good day.")], { agents: [{ name: "helper" }] }),
  {
    name: "a prompt and an answer with all kinds of characters",
    agents: [helper],
    runs: [
      {
        prompt: 'Grüße \u{1F600} "quoted" \\ \t\n\u0001 </s> \u2028',
        answers: [say('\u{1F468}\u200D\u{1F469} "x"\n\\')],
      },
      { prompt: "again", answers: [say("yes")] },
    ],
  },
  {
    name: "an empty answer is final",
    agents: [helper],
    runs: [{ prompt: "Say nothing", answers: [say("")] }, { prompt: "And now?", answers: [say("Hm.")] }],
  },
  one("all model settings", [say("Good day.")], {
    agents: [{
      ...helper,
      tools: ["add"],
      settings: { temperature: 0.25, topP: 0.5, maxTokens: 100, toolChoice: "auto", parallelToolCalls: false },
    }],
  }),
  one("settings about tools without tools", [say("Good day.")], {
    agents: [{ ...helper, settings: { toolChoice: "auto", parallelToolCalls: true } }],
  }),
  one("the model refuses the request", [fault(400, "no such model")]),
  one("the model is busy once", [fault(503, "busy"), say("Good day.")]),
  one("the model declines to answer", [withMembers({}, { refusal: "I cannot help with that." })]),
  one("an answer that was cut short", [finishedBy(say("Good d"), "length")]),
  one("an answer that was cut before it began", [finishedBy(say(""), "length")]),
  {
    name: "an answer with reasoning",
    agents: [helper],
    runs: [
      { prompt: "Hello", answers: [withMembers(say("Good day."), { reasoning: "A greeting." })] },
      { prompt: "again", answers: [say("yes")] },
    ],
  },
];
