"""Servers that are ended by SIGKILL before, in or after a write of their journal, again and again, under runs whose tools
count their effects: no run is lost, nothing is done twice, and each call that nobody can know the end of is reported."""

import asyncio
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

from load import Client, said
from serving import ServingCase
from support import PATIENCE

LONG = "TROUPE_LONG_FAULTS" in os.environ
ROUNDS = 100 if LONG else 6
# In each round.
RUNS = 10
# Before a round's last server.
DEATHS = 2
# Writes and syncs of the journal that a round's runs take, about.
WRITES = 200
SEED = int(os.environ.get("TROUPE_SEED", 1))
COUNTING = str(pathlib.Path(__file__).with_name("counting_server.py"))

RULES = [
    {"when": {"user": r"^pay (\S+)$"}, "call": {"tool": "count", "arguments": {"what": "{{1}}-a"}}},
    {"when": {"user": r"^pay (\S+)$", "tool": "count", "output": "-a$"},
     "call": [{"tool": "count", "arguments": {"what": "{{1}}-b"}}, {"tool": "count", "arguments": {"what": "{{1}}-c"}}]},
    {"when": {"tool": "count"}, "say": "paid"},
]


class KillTest(ServingCase):
    def setUp(self):
        super().setUp()
        self.dice = random.Random(SEED)
        name, value = self.mark.split("=")
        counting = {"command": sys.executable, "args": ["-S", COUNTING], "env": {name: value}}
        self.durable_file(models={"default": {"provider": "scripted", "rules": RULES}}, mcpServers={"counting": counting},
                          agents=[{"name": "payer", "instructions": "Pay.", "mcp_servers": ["counting"]}],
                          journal={"durability": "full", "max_takeovers": 1000})
        self.accepted = {}
        self.doubts = collections.Counter()
        self.deaths = 0

    def serve_until(self, write, when):
        """A server that ends at that write; with its port, if it came so far."""
        self.environment.update(LD_PRELOAD=os.environ["DEADLY_DISK"], DEADLY_WRITE=str(write), DEADLY_WHEN=when)
        try:
            program = self.start("serve", "--log-level", "off")
        finally:
            for name in ("LD_PRELOAD", "DEADLY_WRITE", "DEADLY_WHEN"):
                del self.environment[name]
        line = program.stdout.readline().decode()
        return program, int(line.rsplit(":", 1)[1]) if line else None

    async def post(self, client, name):
        """Whether the server said that it has the run."""
        answer = await client.ask("POST", "/api/v1/chat", {"prompt": f"pay {name}", "background": True},
                                  {"Idempotency-Key": name})
        self.assertIn(answer.status, (200, 202), answer.body)
        run = json.loads(answer.body)
        self.assertEqual(self.accepted.setdefault(name, run["run_id"]), run["run_id"])
        return run

    async def post_all(self, port, names):
        """As many as it takes before it ends."""
        client = Client(port)
        gone = (OSError, asyncio.IncompleteReadError)
        done = await asyncio.gather(*(self.post(client, name) for name in names), return_exceptions=True)
        client.close()
        for each in done:
            if isinstance(each, BaseException) and not isinstance(each, gone):
                raise each

    async def settle(self, client, name):
        """The run's end; calls in doubt get a result by hand."""
        run = await self.post(client, name)
        path = f"/api/v1/runs/{run['run_id']}"
        while True:
            run = json.loads((await client.ask("GET", path)).body)
            if run["status"] not in ("running", "paused"):
                return run
            if run["status"] == "paused":
                decisions = []
                for each in run["interruptions"]:
                    self.assertEqual((each["kind"], each["tool"]), ("in_doubt", "count"))
                    what = each["arguments"]["what"]
                    self.doubts[what] += 1
                    decisions.append({"id": each["id"], "decision": "result", "output": what})
                answer = await client.ask("POST", path + "/resume", {"decisions": decisions})
                self.assertEqual(answer.status, 200, answer.body)
            await asyncio.sleep(0.01)

    async def settle_all(self, port, names):
        client = Client(port)
        ends = await asyncio.wait_for(asyncio.gather(*(self.settle(client, name) for name in names)), PATIENCE)
        client.close()
        for run in ends:
            self.assertEqual((run["status"], run["result"]), ("completed", "paid"))

    def round(self, number):
        names = [f"r{number}-{index}" for index in range(RUNS)]
        for _ in range(DEATHS):
            program, port = self.serve_until(self.dice.randrange(1, WRITES), self.dice.choice(["before", "after", "torn"]))
            if port:
                asyncio.run(self.post_all(port, names))
            self.deaths += self.ends_by_itself(program)
            self.end(program)
        program, port = self.serve()
        asyncio.run(self.settle_all(port, names))
        self.kill(program)
        return names

    @staticmethod
    def ends_by_itself(program):
        """Within a moment: the work may take fewer writes than its death waits for."""
        try:
            program.wait(1)
            return True
        except subprocess.TimeoutExpired:
            return False

    def test_no_run_is_lost_and_nothing_is_done_twice(self):
        names = [name for number in range(ROUNDS) for name in self.round(number)]
        counted = collections.Counter((self.folder / "counted").read_text().split())
        for name in names:
            for step in "abc":
                what = f"{name}-{step}"
                self.assertLessEqual(counted[what], 1, what)
                self.assertEqual(counted[what] + self.doubts[what] > 0, True, what)
                self.assertLessEqual(self.doubts[what], 1, what)
        self.assertGreater(self.deaths, ROUNDS / 2)
        said(f"{len(names)} runs, {self.deaths} servers ended by themselves: none lost, no step twice, "
             f"{sum(self.doubts.values())} calls in doubt, of which {sum(counted[what] for what in self.doubts)} were made")


if __name__ == "__main__":
    unittest.main(verbosity=2)
