// A model endpoint whose streams break: aimock, with something in between that stops passing its events on.
//
//   node broken_stream_server.mjs FIXTURES.json [FIXTURES.json ...]
//
// Prints "listening on PORT" when it answers, and ends when its stdin is closed. A request for
// /FAULT/WHEN/TEXT/PATH goes to aimock's /PATH. Of a streamed answer the events up to the first that contains TEXT
// are passed on; then, at once (WHEN is "now") or after a request for /break/ID, where ID is the header X-Test-Id of
// the stream's request (WHEN is "told"), by FAULT:
//
//   end      the body ends in order
//   cut      the connection is closed
//   error    the format's own event for an error follows
//   garbage  an event follows that is not JSON
//   silent   nothing follows
//
// All else, /__aimock/journal for one, is passed on as it is.
import http from "node:http";
import { once } from "node:events";
import { LLMock } from "@copilotkit/aimock";

const files = process.argv.slice(2);
const mock = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "warn" });
for (const file of files) mock.loadFixtureFile(file);
await mock.start();

const errors = {
  "chat/completions": `data: {"error": {"message": "it broke in mid-stream", "type": "server_error"}}`,
  responses: `event: error\ndata: {"type": "error", "code": "server_error", "message": "it broke in mid-stream"}`,
  messages: `event: error\ndata: {"type": "error", "error": {"type": "api_error", "message": "it broke in mid-stream"}}`,
};

const faults = {
  end: (response) => response.end(),
  // Only once all that was written is on its way.
  cut: (response) => response.write(": the last line\n\n", () => response.destroy()),
  error: (response, path) => response.end(`${errorOf(path)}\n\n`),
  garbage: (response) => response.end("data: {\"this is\": not JSON\n\n"),
  silent: () => {},
};

function errorOf(path) {
  return Object.entries(errors).find(([ending]) => path.endsWith(ending))[1];
}

const waitingForWord = new Map();

async function breakOff(answer, response, text, strike) {
  let waiting = "";
  for await (const bytes of answer.setEncoding("utf8")) {
    waiting += bytes;
    for (let end; (end = waiting.indexOf("\n\n")) >= 0; waiting = waiting.slice(end + 2)) {
      const event = waiting.slice(0, end + 2);
      response.write(event);
      if (event.includes(text)) return strike();
    }
  }
  // Not a success: a fault that never came must not pass for one.
  response.destroy();
}

function tellToBreak(id, response) {
  waitingForWord.get(id)?.();
  response.writeHead(waitingForWord.delete(id) ? 204 : 404).end();
}

const server = http.createServer(async (request, response) => {
  if (request.url.startsWith("/break/")) return tellToBreak(request.url.slice("/break/".length), response);
  const parts = /^\/([a-z]+)\/(now|told)\/([^/]+)(\/v1\/.*)$/.exec(request.url);
  const path = parts ? parts[4] : request.url;
  const { method, headers } = request;
  const onward = http.request({ host: "127.0.0.1", port: mock.port, method, path, headers });
  request.pipe(onward);
  const [answer] = await once(onward, "response");
  response.writeHead(answer.statusCode, { "Content-Type": answer.headers["content-type"] ?? "text/plain" });
  if (!parts || answer.headers["content-type"] !== "text/event-stream") return answer.pipe(response);
  const [, fault, when, text] = parts;
  const strike = () => faults[fault](response, path);
  const wait = () => waitingForWord.set(headers["x-test-id"], strike);
  await breakOff(answer, response, text, when === "now" ? strike : wait);
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`listening on ${server.address().port}\n`));
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
process.stdin.resume();
