// A Chat Completions endpoint that answers from a script and records what it is asked.

import { once } from "node:events";
import { createServer } from "node:http";

import { chunks, completion } from "./answers.mjs";

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

function sendFault(response, { status, message }) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ error: { message, type: "scripted", param: null, code: null } }));
}

function sendStream(response, body, answer, prefix) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (const chunk of chunks(answer, prefix, body))
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.end("data: [DONE]\n\n");
}

/** Several clients may talk to one server; each has a base URL, a script and a recording of its own. */
export class ModelServer {
  #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => sendFault(response, { status: 400, message: String(error) }));
  });
  #clients = new Map();

  async start() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Open connections are cut. */
  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  baseUrl(client) {
    return `http://127.0.0.1:${this.#server.address().port}/${client}/v1`;
  }

  /** Begins a run: its answers in order. Past the last one, requests are answered 400. */
  script(client, run, answers) {
    this.#clients.set(client, { run, answers, requests: [] });
  }

  /** What the run has asked since `script`, and whether all answers were asked for. */
  recording(client) {
    const { requests, answers } = this.#clients.get(client);
    return { requests, unusedAnswers: Math.max(0, answers.length - requests.length) };
  }

  async #answer(request, response) {
    const [, name, rest] = /^\/([^/]+)(\/.*)$/.exec(request.url) ?? [];
    const client = this.#clients.get(name);
    if (!client || request.method !== "POST" || rest !== "/v1/chat/completions")
      return sendFault(response, { status: 404, message: `no such endpoint: ${request.method} ${request.url}` });
    const body = await bodyOf(request);
    const turn = client.requests.push(body) - 1;
    const answer = client.answers[turn] ?? { status: 400, message: "the script has no further answer" };
    const prefix = `call_${client.run}_${turn}`;
    if (answer.status) return sendFault(response, answer);
    if (body.stream === true) return sendStream(response, body, answer, prefix);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(completion(answer, prefix, body)));
  }
}
