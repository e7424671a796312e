// What the scripted model answers, and how that looks on the wire of Chat Completions.

/** A text. */
export const say = (text) => ({ text });
/** Calls: [name, arguments] or [name, arguments, id]; arguments that are a text go out as they are. */
export const call = (...calls) => ({ calls });
/** Both in one answer. */
export const sayAndCall = (text, ...calls) => ({ text, calls });
/** Further members of the answer's message beside those above. */
export const withMembers = (answer, members) => ({ ...answer, members });
/** Another reason to finish than the answer's own. */
export const finishedBy = (answer, reason) => ({ ...answer, reason });
/** A status other than 200. */
export const fault = (status, message) => ({ status, message });

const model = "test-model";
const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };

/** The name under which the model was offered a tool; sides may spell it differently. */
function offeredName(name, tools) {
  const plain = (text) => text.toLowerCase().replaceAll("-", "_");
  const names = tools.map((tool) => tool.function.name);
  return names.find((one) => one === name) ?? names.find((one) => plain(one) === plain(name)) ?? name;
}

/** The calls with an id each; without a given one it is new in the scenario. */
function wireCalls(answer, prefix, tools) {
  return answer.calls?.map(([name, args, id], i) => ({
    id: id ?? `${prefix}_${i}`,
    type: "function",
    function: { name: offeredName(name, tools), arguments: typeof args === "string" ? args : JSON.stringify(args) },
  }));
}

const reasonOf = (answer) => answer.reason ?? (answer.calls ? "tool_calls" : "stop");

/** The body of an answer to a request that is not streamed; ids begin with `prefix`. */
export function completion(answer, prefix, request) {
  const calls = wireCalls(answer, prefix, request.tools ?? []);
  const message = { role: "assistant", content: answer.text ?? null, ...(calls && { tool_calls: calls }) };
  return {
    id: `chatcmpl-${prefix}`,
    object: "chat.completion",
    created: 1700000000,
    model,
    choices: [{ index: 0, message: { ...message, ...answer.members }, finish_reason: reasonOf(answer) }],
    usage,
  };
}

/** Cuts a text into pieces of a few characters, never within one. */
function pieces(text) {
  const characters = [...text];
  const made = [];
  for (let i = 0; i < characters.length; i += 5) made.push(characters.slice(i, i + 5).join(""));
  return made;
}

/** The deltas of a streamed answer: a call's id and name first, then its arguments; calls in turns. */
function* deltas(answer, calls) {
  yield { role: "assistant", content: answer.text === undefined ? null : "" };
  if (answer.members) yield answer.members;
  for (const piece of pieces(answer.text ?? "")) yield { content: piece };
  for (const [index, { id, type, function: { name } }] of calls.entries())
    yield { tool_calls: [{ index, id, type, function: { name, arguments: "" } }] };
  const rests = calls.map((one) => pieces(one.function.arguments));
  for (let round = 0; rests.some((rest) => round < rest.length); ++round)
    for (const [index, rest] of rests.entries())
      if (round < rest.length) yield { tool_calls: [{ index, function: { arguments: rest[round] } }] };
}

/** The chunks of a streamed answer; usage comes in a last one without choices, if it was asked for. */
export function* chunks(answer, prefix, request) {
  const head = { id: `chatcmpl-${prefix}`, object: "chat.completion.chunk", created: 1700000000, model };
  const calls = wireCalls(answer, prefix, request.tools ?? []) ?? [];
  for (const delta of deltas(answer, calls)) yield { ...head, choices: [{ index: 0, delta, finish_reason: null }] };
  yield { ...head, choices: [{ index: 0, delta: {}, finish_reason: reasonOf(answer) }] };
  if (request.stream_options?.include_usage) yield { ...head, choices: [], usage };
}
