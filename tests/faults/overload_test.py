"""`troupe serve` with ten times as much to do as it can, and with a hundred prompts at once for one session.

The short form checks what holds on any machine. The long form (TROUPE_LONG_FAULTS=1) takes its time, holds the program
to its figures, and prints them.
"""

import asyncio
import json
import os
import re
import signal
import time
import unittest

from load import Client, memory, percentile, said
from support import PATIENCE, Case, read_line

LONG = "TROUPE_LONG_FAULTS" in os.environ

# What the server can do at most: so many runs at once, each as long as its model's answer.
RUNS = 16 if LONG else 4
DELAY = 0.1
CAPACITY = RUNS / DELAY


class OverloadTest(Case):
    def serve(self, delay=DELAY, **blocks):
        rules = [{"when": {"user": "^echo (.+)"}, "say": "{{1}}"}]
        self.agent_file(**{"models": {"default": {"provider": "scripted", "delay": f"{int(delay * 1000)}ms", "rules": rules}},
                           "mcpServers": {}, "agents": [{"name": "solo", "instructions": "Echo."}], **blocks})
        program = self.start("serve")
        line = read_line(program.stdout, "the line that says that it listens")
        return program, int(line.rsplit(":", 1)[1])

    def stop(self, program):
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(PATIENCE), 0)

    def check_accepted(self, answers):
        for number, answer in answers:
            if answer.status == 200:
                self.assertEqual(json.loads(answer.body)["result"], str(number))

    async def closed_loop(self, client, seconds):
        """As many clients as there may be runs, each with its next prompt after its last: the peak."""
        answers = []
        end = time.monotonic() + seconds

        async def one(number):
            while time.monotonic() < end:
                answers.append((number, await client.chat(f"echo {number}")))

        began = time.monotonic()
        await asyncio.gather(*(one(number) for number in range(RUNS)))
        return answers, time.monotonic() - began

    async def open_loop(self, client, rate, seconds):
        """Prompts that come when they come, whatever became of those before."""
        answers = []

        async def one(number):
            answers.append((number, await client.chat(f"echo {number}")))

        began = time.monotonic()
        under_way = set()
        count = 0
        while (now := time.monotonic() - began) < seconds:
            while count < now * rate:
                count += 1
                task = asyncio.ensure_future(one(count))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.sleep(0.002)
        spent = time.monotonic() - began
        await asyncio.gather(*under_way)
        return answers, spent

    def test_ten_times_as_much_as_it_can_is_refused_quickly_and_the_rest_is_done(self):
        program, port = self.serve(limits={"max_runs": RUNS})
        peak_seconds, seconds = (5, 30) if LONG else (1, 3)

        async def play():
            client = Client(port)
            calm, calm_time = await self.closed_loop(client, peak_seconds)
            before = memory(program.pid)
            flood, flood_time = await self.open_loop(client, 10 * CAPACITY, seconds)
            peak_memory = memory(program.pid, "VmHWM")
            after, _ = await self.closed_loop(client, 1)
            told = (await client.ask("GET", "/metrics")).body.decode()
            client.close()
            return calm, calm_time, flood, flood_time, after, before, peak_memory, told

        calm, calm_time, flood, flood_time, after, before, peak_memory, told = asyncio.run(play())
        self.assertEqual({answer.status for _, answer in calm}, {200})
        peak = len(calm) / calm_time
        done = [pair for pair in flood if pair[1].status == 200]
        refused = [answer for _, answer in flood if answer.status != 200]
        goodput = len(done) / flood_time
        self.check_accepted(calm + done + after)
        # A refusal is one, and says when to come again.
        self.assertEqual({answer.status for answer in refused}, {429})
        self.assertEqual({answer.retry_after for answer in refused}, {"1"})
        self.assertEqual({json.loads(answer.body)["detail"]["code"] for answer in refused}, {"overloaded"})
        counted = re.search(r'troupe_refusals_total{bound="runs",name="",reason="overloaded"} (\d+)\n', told)[1]
        # All that were answered so, of which the client may have missed one with its connection.
        self.assertIn(f'route="/api/v1/chat",status="429"}} {counted}\n', told)
        self.assertGreaterEqual(int(counted), len(refused))
        # It is as good as before at once.
        self.assertEqual({answer.status for _, answer in after}, {200})
        late = percentile([answer.took for answer in refused], 0.99)
        said(f"peak {peak:.0f} runs/s; offered {len(flood) / flood_time:.0f}/s for {flood_time:.1f} s")
        said(f"goodput {goodput:.0f} runs/s = {100 * goodput / peak:.0f} % of the peak; {len(refused)} refused, "
             f"p50 {1000 * percentile([a.took for a in refused], 0.5):.1f} ms, p99 {1000 * late:.1f} ms, "
             f"latest {1000 * max(a.took for a in refused):.1f} ms")
        said(f"accepted: p99 {1000 * percentile([a.took for _, a in done], 0.99):.0f} ms of {1000 * DELAY:.0f} ms; "
             f"memory {before:.1f} MiB before, {peak_memory:.1f} MiB at most; after: "
             f"p99 {1000 * percentile([a.took for _, a in after], 0.99):.0f} ms")
        self.assertGreater(len(refused), len(done))
        self.assertLess(peak_memory - before, 64)
        # How quickly is for a machine that has nothing else to do.
        if LONG:
            self.assertGreater(goodput, 0.9 * peak)
            self.assertLess(late, 0.05)
        self.stop(program)

    def test_requests_beyond_what_the_front_end_holds_are_refused_before_they_are_read(self):
        program, port = self.serve(server={"host": "127.0.0.1", "port": 0, "max_requests": RUNS})

        async def play():
            client = Client(port)
            flood, _ = await self.open_loop(client, 10 * CAPACITY, 10 if LONG else 1)
            after = await client.chat("echo again")
            client.close()
            return flood, after

        flood, after = asyncio.run(play())
        self.check_accepted(flood)
        refused = [answer for _, answer in flood if answer.status != 200]
        self.assertEqual({(answer.status, answer.retry_after) for answer in refused}, {(503, "1")})
        said(f"{len(refused)} of {len(flood)} refused at the edge, "
             f"p99 {1000 * percentile([a.took for a in refused], 0.99):.1f} ms")
        if LONG:
            self.assertLess(percentile([answer.took for answer in refused], 0.99), 0.05)
        self.assertEqual(after.status, 200)
        self.stop(program)

    def check_session(self, port, accepted):
        """The session has each accepted prompt once, each followed by its own answer."""

        async def play():
            client = Client(port)
            shown = await client.ask("GET", "/api/v1/sessions/one")
            client.close()
            return json.loads(shown.body)["items"]

        items = asyncio.run(play())
        self.assertEqual([item["role"] for item in items], ["user", "assistant"] * (len(items) // 2))
        asked = [item["content"] for item in items[::2]]
        self.assertEqual([f"echo {item['content']}" for item in items[1::2]], asked)
        self.assertEqual(sorted(asked), sorted(f"echo {number}" for number in accepted))

    def rush(self, port, count):
        async def play():
            client = Client(port)
            answers = await asyncio.gather(*(client.chat(f"echo {number}", session_id="one") for number in range(count)))
            client.close()
            return list(enumerate(answers))

        return asyncio.run(play())

    def test_a_hundred_prompts_at_once_to_one_session_run_one_after_the_other(self):
        for store in ("memory", "sqlite"):
            with self.subTest(store):
                sessions = {"store": store, "max_queue": 100}
                if store == "sqlite":
                    sessions["path"] = "sessions.db"
                program, port = self.serve(delay=0.02, sessions=sessions)
                began = time.monotonic()
                answers = self.rush(port, 100)
                spent = time.monotonic() - began
                self.assertEqual({answer.status for _, answer in answers}, {200})
                self.check_accepted(answers)
                self.check_session(port, range(100))
                # Had two of them run at once, it would have taken less.
                self.assertGreaterEqual(spent, 100 * 0.02)
                said(f"{store}: 100 posts at once, all served in {spent:.1f} s; at least 2.0 s one by one")
                self.stop(program)

    def test_prompts_that_a_session_has_no_room_for_are_refused_and_leave_no_trace(self):
        program, port = self.serve(delay=0.02, sessions={"max_queue": 9})
        answers = self.rush(port, 100)
        accepted = [number for number, answer in answers if answer.status == 200]
        refused = [answer for _, answer in answers if answer.status != 200]
        self.assertEqual({(answer.status, answer.retry_after) for answer in refused}, {(429, "1")})
        self.assertGreaterEqual(len(accepted), 10)
        self.check_accepted(answers)
        self.check_session(port, accepted)
        self.stop(program)


if __name__ == "__main__":
    unittest.main(verbosity=2)
