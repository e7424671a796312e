// Plays each scenario with the SDK and with Troupe against the same model, and compares what the model was asked.
//
//   TROUPE_BIN=PATH node differential.mjs [--json] [NAME...]
//
// NAMEs are parts of scenarios' names; without any, all are played. --json prints all differences, listed or not.

import { readFile } from "node:fs/promises";

import { scenarios } from "./scenarios/index.mjs";
import { differences, judge } from "./support/compare.mjs";
import { ModelServer } from "./support/model_server.mjs";
import { normalise } from "./support/normalise.mjs";
import { playWithSdk } from "./support/sdk_side.mjs";
import { playWithTroupe } from "./support/troupe_side.mjs";

const at_once = 2;

/** What one side asked and came to, run by run. */
async function record(play, scenario, client, model) {
  const runs = [];
  const begin = (run) => model.script(client, runs.length, run.answers);
  const end = (outcome) => {
    const { requests, unusedAnswers } = model.recording(client);
    runs.push({ requests: requests.map(normalise), unusedAnswers, outcome });
  };
  await play(scenario, model.baseUrl(client), begin, end);
  return runs;
}

async function compare(scenario, index, model) {
  const played = await Promise.allSettled([
    record(playWithSdk, scenario, `sdk-${index}`, model),
    record(playWithTroupe, scenario, `troupe-${index}`, model),
  ]);
  const [sdk, troupe] = played.map((side) => {
    if (side.status === "rejected") throw side.reason;
    return side.value;
  });
  const requests = sdk.reduce((sum, run) => sum + run.requests.length, 0);
  if (requests === 0) throw new Error("the SDK asked the model nothing");
  return { requests, found: differences(sdk, troupe, "runs") };
}

/** Runs `work` for each element, a few at once; the results are in the elements' order. */
async function forEachOf(elements, work) {
  const results = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < elements.length; i = next++) results[i] = await work(elements[i], i);
  };
  await Promise.all(Array.from({ length: at_once }, worker));
  return results;
}

function show({ where, sdk, troupe }) {
  return `    ${where}\n      SDK:    ${JSON.stringify(sdk)}\n      Troupe: ${JSON.stringify(troupe)}\n`;
}

function report(name, { unlisted, stale, failure }) {
  if (failure) return `  ${name}\n    could not be played: ${failure.message}\n`;
  const lines = unlisted.map(show);
  for (const { where } of stale) lines.push(`    ${where}\n      is in differences.json, but equal now: take it out\n`);
  return `  ${name}\n${lines.join("")}`;
}

/** Entries for scenarios that do not exist would never be found stale. */
function checkList(list) {
  const names = new Set(scenarios.map(({ name }) => name));
  const unknown = list.flatMap((entry) => entry.scenarios).filter((name) => !names.has(name));
  if (unknown.length > 0) throw new Error(`differences.json names scenarios that do not exist: ${unknown.join(", ")}`);
  if (names.size !== scenarios.length) throw new Error("two scenarios have the same name");
}

if (!process.env.TROUPE_BIN) throw new Error("TROUPE_BIN is not set; it names the program to test");
const words = process.argv.slice(2);
const wanted = words.filter((word) => word !== "--json");
const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const list = JSON.parse(await readFile(new URL("differences.json", import.meta.url), "utf8"));
checkList(list);

const model = new ModelServer();
await model.start();
const results = await forEachOf(chosen, async (scenario, index) => {
  try {
    const { requests, found } = await compare(scenario, index, model);
    return { name: scenario.name, requests, found, ...judge(scenario.name, found, list) };
  } catch (failure) {
    return { name: scenario.name, requests: 0, found: [], unlisted: [], stale: [], failure };
  }
});
await model.stop();

if (words.includes("--json")) console.log(JSON.stringify(results.map(({ name, found }) => ({ name, found })), null, 2));
const bad = results.filter(({ unlisted, stale, failure }) => failure || unlisted.length > 0 || stale.length > 0);
const equal = results.filter(({ found, failure }) => !failure && found.length === 0).length;
const requests = results.reduce((sum, result) => sum + result.requests, 0);
if (bad.length > 0) console.log(`not as expected:\n${bad.map((result) => report(result.name, result)).join("")}`);
console.log(`${results.length} scenarios, ${requests} model requests: ${equal} equal, ` +
            `${results.length - bad.length - equal} with listed differences only, ${bad.length} not as expected`);
process.exitCode = results.length > 0 && bad.length === 0 ? 0 : 1;
