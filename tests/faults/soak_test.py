"""All kinds of work at once, for long: afterwards everything is as it was before.

The short form looks for what stays behind. The long form (TROUPE_LONG_FAULTS=1; SOAK_SECONDS, 1800 unless told) holds
the slope of the memory to its bound, too.
"""

import asyncio
import collections
import json
import os
import random
import signal
import time
import unittest

from load import Client, memory, said
from serving import ServingCase
from support import APPROVAL_RULES, PATIENCE, wait_until

LONG = "TROUPE_LONG_FAULTS" in os.environ
SECONDS = float(os.environ.get("SOAK_SECONDS", 1800 if LONG else 6))
# Of that, until everything has its size.
WARM_UP = SECONDS / 4
# MiB a minute.
MAX_SLOPE = 0.1
# Many for a moment, so that what happens at once does happen.
WORKERS = 8 if LONG else 32
SEED = int(os.environ.get("TROUPE_SEED", 1))

RULES = [
    {"when": {"agent": "triage", "user": "^greet|^both|^wait"}, "handoff": "helper"},
    {"when": {"agent": "helper", "user": "^wait"}, "call": {"tool": "wait", "arguments": {}}},
    {"when": {"agent": "triage", "user": "^careful"}, "handoff": "careful"},
    {"when": {"agent": "careful", "user": "^careful (.+)$"}, "call": {"tool": "greet", "arguments": {"name": "{{1}}"}}},
    {"when": {"user": "^long$"}, "say": "word " * 2000},
    *APPROVAL_RULES,
    # While the tools' server starts again there are no tools.
    {"when": {"agent": "helper"}, "say": "cannot"},
    {"when": {"agent": "careful"}, "say": "cannot"},
]


def slope(points):
    """Of the line through points that has the least squares, in its units: MiB a second."""
    count = len(points)
    middle_x, middle_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    return (sum((x - middle_x) * (y - middle_y) for x, y in points) / sum((x - middle_x) ** 2 for x, _ in points))


class SoakTest(ServingCase):
    def serve_all(self):
        agents = [
            {"name": "triage", "instructions": "Pick an agent.", "handoffs": ["helper", "careful"]},
            {"name": "helper", "description": "Helps", "instructions": "Help.", "mcp_servers": ["stub"]},
            {"name": "careful", "description": "Asks", "instructions": "Ask.", "mcp_servers": ["stub"],
             "tools": {"greet": {"approval": "always"}}},
        ]
        self.durable_file(
            models={"default": {"provider": "scripted", "rules": RULES}}, agents=agents,
            mcpServers={"stub": self.stub(restart={"initial_backoff": "10ms", "max_restarts": 1000000})},
            sessions={"store": "sqlite", "path": "sessions.db", "max_idle": 50, "idle_timeout": "1s"},
            journal={"durability": "full", "max_size": "8MiB"}, limits={"kept_runs": 100})
        return self.serve()

    # What is done: each is checked, and gives back what it was.

    async def chat(self, dice):
        name = str(dice.random())
        answer = await self.client.chat(f"echo {name}")
        self.assertEqual((answer.status, json.loads(answer.body)["result"]), (200, name))

    async def session(self, dice):
        """A conversation, which is erased or left."""
        name = f"s{dice.getrandbits(64):x}"
        count = dice.randrange(1, 6)
        for number in range(count):
            self.assertEqual((await self.client.chat(f"echo {number}", session_id=name)).status, 200)
        shown = json.loads((await self.client.ask("GET", f"/api/v1/sessions/{name}")).body)
        self.assertEqual(len(shown["items"]), 2 * count)
        if dice.random() < 0.8:
            self.assertEqual((await self.client.ask("DELETE", f"/api/v1/sessions/{name}")).status, 204)

    async def tool(self, dice):
        answer = await self.client.chat("greet Ada")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertRegex(json.loads(answer.body)["result"], "One said: hello Ada|went away|not running|cannot|does not take messages")

    async def stream(self, dice):
        text = await self.client.stream("long" if dice.random() < 0.3 else "echo on", cut=None)
        self.assertTrue(b"event: run_completed" in text, text[-300:])

    async def cut_stream(self, dice):
        await self.client.stream("long", cut=dice.randrange(1, 5000))

    async def background(self, dice):
        answer = await self.client.chat("echo later", background=True)
        self.assertEqual(answer.status, 202)
        run_id = json.loads(answer.body)["run_id"]
        run = await self.over(run_id)
        self.assertEqual(run["result"], "later")

    async def over(self, run_id):
        while True:
            run = json.loads((await self.client.ask("GET", f"/api/v1/runs/{run_id}")).body)
            if run["status"] != "running":
                return run
            await asyncio.sleep(0.01)

    async def cancelled(self, dice):
        run_id = json.loads((await self.client.chat("wait", background=True)).body)["run_id"]
        await asyncio.sleep(dice.random() / 10)
        answer = await self.client.ask("POST", f"/api/v1/runs/{run_id}/cancel")
        # The death of its tool's server may have ended it, just before or just now.
        self.assertIn(answer.status, (202, 409))
        run = await self.over(run_id)
        if run["status"] != "cancelled":
            self.assertRegex(run["result"], "went away|not running|cannot|does not take messages")

    async def approved(self, dice):
        answer = await self.client.chat("careful Ada")
        if answer.status == 200 and json.loads(answer.body)["result"] == "cannot":
            return
        self.assertEqual(answer.status, 202, answer.body)
        paused = json.loads(answer.body)
        if dice.random() < 0.2:
            answer = await self.client.ask("POST", f"/api/v1/runs/{paused['run_id']}/cancel")
            self.assertEqual(answer.status, 202)
            return
        decisions = [{"id": each["id"], "decision": dice.choice(["approve", "reject"])} for each in paused["interruptions"]]
        answer = await self.client.ask("POST", f"/api/v1/runs/{paused['run_id']}/resume", {"decisions": decisions})
        self.assertEqual(answer.status, 200, answer.body)

    async def wrong(self, dice):
        answer = await self.client.ask("POST", "/api/v1/chat", dice.choice([{}, {"prompt": 1}, {"prompt": "x", "stream": 2}]))
        self.assertEqual(answer.status, 422)
        self.assertEqual((await self.client.ask("GET", f"/api/v1/runs/{dice.random()}")).status, 404)

    async def looked_at(self, dice):
        path = dice.choice(["/api/v1/system", "/metrics", "/api/v1/mcp", "/health", "/openapi.json"])
        self.assertEqual((await self.client.ask("GET", path)).status, 200)

    async def load(self, seconds, sample=None):
        """Everything at once, for so long."""
        dice = random.Random(f"{SEED} {seconds}")
        kinds = [self.chat, self.session, self.tool, self.stream, self.cut_stream, self.background, self.cancelled,
                 self.approved, self.wrong, self.looked_at]
        began = time.monotonic()
        done = collections.Counter()

        async def work(own):
            while time.monotonic() < began + seconds:
                kind = own.choice(kinds)
                await kind(own)
                done[kind.__name__] += 1

        async def watch():
            while time.monotonic() < began + seconds:
                await asyncio.sleep(min(5, seconds / 20))
                if sample:
                    sample(time.monotonic() - began)

        async def kill():
            while time.monotonic() < began + seconds:
                await asyncio.sleep(seconds / 20)
                for child in self.children():
                    os.kill(child, signal.SIGKILL)

        self.client = Client(self.port)
        all_work = asyncio.gather(watch(), kill(), *(work(random.Random(dice.getrandbits(64))) for _ in range(WORKERS)))
        # A server that stands still fails the test.
        await asyncio.wait_for(all_work, seconds + PATIENCE)
        self.client.close()
        return done

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process}/task"))

    def parts(self):
        """What is under way, and what there is, by kind."""
        in_flight, count = 0, collections.Counter()

        def look(part):
            nonlocal in_flight
            in_flight += part.get("in_flight") or 0
            count[part["kind"]] += 1
            for each in part.get("children", []):
                look(each)

        look(self.ask(self.port, "GET", "/api/v1/system")[1]["tree"])
        return in_flight, count

    def baseline(self):
        wait_until(lambda: self.parts()[0] == 0, "the end of all work")
        wait_until(lambda: len(self.children()) == 1, "the tools' server alone")
        return self.descriptors(), self.threads(), self.parts()[1]

    def test_mixed_work_leaves_nothing_behind(self):
        program, self.port = self.serve_all()
        self.process = program.pid
        asyncio.run(self.load(min(2, SECONDS / 4)))
        descriptors, threads, parts = self.baseline()
        samples = []
        done = asyncio.run(self.load(SECONDS, lambda when: samples.append((when, memory(self.process)))))
        wait_until(lambda: self.baseline()[0] <= descriptors,
                   f"{descriptors} descriptors, {self.descriptors()} are open")
        wait_until(lambda: self.baseline()[1:] == (threads, parts),
                   f"{threads} threads and {parts}, there are {self.threads()} and {self.parts()[1]}")
        late = [(when, size) for when, size in samples if when > WARM_UP]
        growth = 60 * slope(late)
        said(f"{sum(done.values())} pieces of work in {SECONDS:.0f} s: {dict(done)}")
        said(f"memory: {growth:+.3f} MiB a minute after {WARM_UP:.0f} s; {late[0][1]:.1f} MiB then, {late[-1][1]:.1f} MiB "
             f"at the end, {max(size for _, size in samples):.1f} MiB at most; {descriptors} descriptors, {threads} threads")
        # How much it grows in seconds says nothing.
        if LONG:
            self.assertLess(growth, MAX_SLOPE)
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(PATIENCE), 0)
        self.assert_no_children()


if __name__ == "__main__":
    unittest.main(verbosity=2)
