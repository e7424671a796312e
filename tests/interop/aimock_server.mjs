// Serves fixtures as a model endpoint on a free port of 127.0.0.1.
//
//   node aimock_server.mjs [--seed=N] FIXTURES.json [FIXTURES.json ...]
//
// Prints "listening on PORT" when it answers, and ends when its stdin is closed. With a seed, the dice of its chaos
// fall the same each time (but not always for the same request, if several come at once).
import { LLMock } from "@copilotkit/aimock";

const files = process.argv.slice(2);
if (files[0]?.startsWith("--seed=")) throwDiceFrom(Number(files.shift().slice("--seed=".length)));
if (files.length === 0) {
  console.error("usage: aimock_server.mjs [--seed=N] FIXTURES.json [FIXTURES.json ...]");
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

// The chaos takes its dice from Math.random. Park and Miller's generator is random enough for that.
function throwDiceFrom(seed) {
  const modulus = 2147483647;
  let state = (Math.trunc(seed) % (modulus - 1)) + 1;
  Math.random = () => {
    state = (state * 48271) % modulus;
    return (state - 1) / (modulus - 1);
  };
}
