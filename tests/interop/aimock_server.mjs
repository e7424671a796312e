// Serves fixtures as a model endpoint on a free port of 127.0.0.1.
//
//   node aimock_server.mjs FIXTURES.json [FIXTURES.json ...]
//
// Prints "listening on PORT" when it answers, and ends when its stdin is closed.
import { LLMock } from "@copilotkit/aimock";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: aimock_server.mjs FIXTURES.json [FIXTURES.json ...]");
  process.exit(2);
}

// What no fixture matches is answered with 404, which no client tries again.
const mock = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "warn" });
for (const file of files) mock.loadFixtureFile(file);
if (mock.getFixtures().length === 0) {
  console.error(`no fixtures in ${files.join(" ")}`);
  process.exit(2);
}

await mock.start();
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
process.stdin.resume();
process.stdout.write(`listening on ${mock.port}\n`);
