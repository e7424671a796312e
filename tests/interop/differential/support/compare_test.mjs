import assert from "node:assert/strict";
import { test } from "node:test";

import { absent, differences, judge } from "./compare.mjs";
import { normalise } from "./normalise.mjs";

test("differences name their place and both values", () => {
  const sdk = { a: 1, list: [{ b: "x" }, 2], only: null };
  const troupe = { list: [{ b: "y" }, 2, 3], a: 1, mine: {} };
  assert.deepEqual(differences(sdk, troupe, "at"), [
    { where: "at.list[0].b", sdk: "x", troupe: "y" },
    { where: "at.list[2]", sdk: absent, troupe: 3 },
    { where: "at.only", sdk: null, troupe: absent },
    { where: "at.mine", sdk: absent, troupe: {} },
  ]);
  assert.deepEqual(differences(sdk, structuredClone(sdk)), []);
  for (const [one, other] of [[[], {}], [null, {}], [0, false], ["1", 1], [{}, "x"], [null, absent]])
    assert.equal(differences(one, other).length, 1, JSON.stringify([one, other]));
});

const found = [{ where: "runs[0].requests[12].tools[3].name", sdk: "a_b", troupe: "a-b" }];
const entry = { scenarios: ["one"], where: found[0].where, reason: "why" };

test("an entry of the list covers what is at its place and has its values", () => {
  const covering = [
    {}, { where: "runs[*].requests[*].tools[*].name" }, { where: "runs[0].requests[12].tools**" },
    { sdk: "a_b" }, { sdk: "a_b", troupe: "a-b" }, { replace: ["-", "_"] },
  ];
  for (const part of covering)
    assert.deepEqual(judge("one", found, [{ ...entry, ...part }]), { unlisted: [], stale: [] }, JSON.stringify(part));
  const others = [
    { where: "runs[*].requests[*].tools[*]" }, { where: "runs[1].requests[*].tools[*].name" },
    { where: "runs[0].requests[*].tools[*]?name" }, { sdk: "a-b" }, { troupe: absent }, { replace: ["a", "_"] },
  ];
  for (const part of others) {
    const { unlisted, stale } = judge("one", found, [{ ...entry, ...part }]);
    assert.deepEqual([unlisted, stale.length], [found, 1], JSON.stringify(part));
  }
});

test("an entry counts for its scenarios only, and has to occur at each of its places", () => {
  assert.deepEqual(judge("other", found, [entry]), { unlisted: found, stale: [] });
  assert.equal(judge("one", [], [entry]).stale.length, 1);
  const twoPlaces = { ...entry, where: [entry.where, "runs[0].outcome.error"] };
  assert.deepEqual(judge("one", found, [twoPlaces]).stale.map(({ where }) => where), ["runs[0].outcome.error"]);
});

test("the rules drop what says nothing, and nothing else", () => {
  const part = { type: "text", text: "b", role: "assistant" };
  const tool = (parameters, more) => ({ type: "function", function: { name: "t", parameters, ...more } });
  const request = {
    stream: false,
    messages: [{ role: "assistant", content: [{ type: "text", text: "a" }, part] }, { role: "user", content: [part] }],
    tools: [
      tool({ properties: {}, required: [], additionalProperties: true }, { strict: false, description: "" }),
      tool({ properties: { a: { required: [] } }, required: ["a"], additionalProperties: false }, { strict: true }),
    ],
  };
  const original = structuredClone(request);
  assert.deepEqual(normalise(request), {
    messages: [{ role: "assistant", content: "ab" }, { role: "user", content: [part] }],
    tools: [tool({}), original.tools[1]],
  });
  assert.deepEqual(request, original);
  assert.equal(normalise({ stream: true, messages: [] }).stream, true);
});
