"""MCP servers that are killed under load, and one that crashes for ever beside others. The figures of the long form
(TROUPE_LONG_FAULTS) are written to stderr."""

import collections
import os
import pathlib
import signal
import statistics
import sys
import threading
import time
import unittest

from serving import ServingCase, Stream
from support import wait_until

HOLDING = str(pathlib.Path(__file__).with_name("holding_server.py"))
IS_LONG = "TROUPE_LONG_FAULTS" in os.environ

KILLS = 100 if IS_LONG else 10
# Calls in flight at each kill.
CALLS = 16
CANCELS = 200 if IS_LONG else 20
# Of a server that is well, so that what is bounded is how often it may be killed.
NEVER_FAILED = {"initial_backoff": "1ms", "max_backoff": "50ms", "max_restarts": 1000000, "stable_after": "1ms"}

def rules_for(tool):
    return [{"when": {"user": rf"^{tool} (?P<id>\S+)$"}, "call": {"tool": tool, "arguments": {"id": "{{id}}"}}}]


class ChildrenFaultsTest(ServingCase):
    def faulty_file(self, **servers):
        rules = [*rules_for("hold"), *rules_for("echo"), {"when": {"tool": "*"}, "say": "{{output}}"}]
        name, value = self.mark.split("=")
        holding = {"command": sys.executable, "args": ["-S", HOLDING], "env": {name: value}, "restart": NEVER_FAILED}
        self.agent_file(models={"default": {"provider": "scripted", "rules": rules}},
                        mcpServers={"holding": holding, **servers},
                        agents=[{"name": "helper", "instructions": "Help.", "mcp_servers": ["holding"]},
                                *([{"name": "unlucky", "instructions": "Help.", "mcp_servers": list(servers)}]
                                  if servers else [])])

    def server_named(self, port, name):
        return next(each for each in self.ask(port, "GET", "/api/v1/mcp")[1]["servers"] if each["name"] == name)

    def ready(self, port):
        server = self.server_named(port, "holding")
        return server if server["state"] == "ready" else None

    def held(self):
        path = self.folder / "held"
        return path.read_text().split() if path.exists() else []

    def zombies_of(self, program):
        found = 0
        for entry in pathlib.Path("/proc").iterdir():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split() if entry.name.isdigit() else []
            except OSError:
                continue
            found += words[:2] == ["Z", str(program.pid)]
        return found

    def test_calls_of_a_server_that_is_killed_fail_soon_and_are_not_made_again(self):
        self.faulty_file()
        program, port = self.serve()
        latencies = []
        for kill in range(KILLS):
            server = wait_until(lambda: self.ready(port), "the server's start")
            ids = [f"{kill}-{number}" for number in range(CALLS)]
            ended = {}

            def call(name):
                answered = self.chat(port, f"hold {name}")
                ended[name] = (time.monotonic(), answered)

            threads = [threading.Thread(target=call, args=(name,)) for name in ids]
            for thread in threads:
                thread.start()
            wait_until(lambda: set(ids) <= set(self.held()), "all calls in flight")
            killed = time.monotonic()
            os.kill(server["pid"], signal.SIGKILL)
            for thread in threads:
                thread.join()
            for when, (status, answered) in ended.values():
                self.assertEqual(status, 200, answered)
                self.assertIn("went away: killed by SIGKILL", answered["result"])
                latencies.append(when - killed)
        if IS_LONG:
            print(f"{KILLS} kills, {len(latencies)} calls in flight: failed after "
                  f"{1000 * statistics.median(latencies):.1f} ms (median), {1000 * max(latencies):.1f} ms (longest)",
                  file=sys.stderr)
            self.assertLess(max(latencies), 1)
        counted = collections.Counter(self.held())
        self.assertEqual((len(counted), set(counted.values())), (KILLS * CALLS, {1}))
        server = wait_until(lambda: self.ready(port), "the server's last start")
        self.assertEqual(server["restarts"], KILLS)
        self.assertEqual(self.zombies_of(program), 0)
        self.assertEqual(self.children(), [server["pid"]])
        self.assertEqual(self.chat(port, "echo well")[1]["result"], "well")
        program.terminate()
        program.communicate()
        self.assert_no_children()

    def test_a_cancel_reaches_the_tool_at_once(self):
        self.faulty_file()
        program, port = self.serve()
        wait_until(lambda: self.ready(port), "the server's start")
        asked = {}
        for number in range(CANCELS):
            name = f"cancelled-{number}"
            if number % 2 == 0:
                run_id = self.chat(port, f"hold {name}", background=True)[1]["run_id"]
                wait_until(lambda: name in self.held(), "the call")
                asked[name] = time.monotonic()
                self.assertEqual(self.ask(port, "POST", f"/api/v1/runs/{run_id}/cancel")[0], 202)
                self.assertEqual(self.ends(port, run_id)["status"], "cancelled")
            else:
                stream = Stream(self, port, "POST", "/api/v1/chat", {"prompt": f"hold {name}", "stream": True})
                wait_until(lambda: name in self.held(), "the call")
                asked[name] = time.monotonic()
                stream.close()
        heard = wait_until(lambda: (found := self.cancelled()) and len(found) == CANCELS and found, "all cancellations")
        slowest = max(heard[name] - when for name, when in asked.items())
        if IS_LONG:
            print(f"from a cancellation, or a client's end, to the tool's: {1000 * slowest:.1f} ms at most, {CANCELS} times",
                  file=sys.stderr)
            self.assertLess(slowest, 0.1)
        self.assertEqual(self.chat(port, "echo well")[1]["result"], "well")
        program.terminate()
        program.communicate()
        self.assert_no_children()

    def cancelled(self):
        """When the tool heard of it, by the calls' ids."""
        path = self.folder / "cancelled"
        lines = path.read_text().splitlines() if path.exists() else []
        return {name: float(when) for name, when in (line.split() for line in lines)}

    def latencies_beside(self, **servers):
        """How long echoes take, and the restarts of the server beside."""
        self.faulty_file(**servers)
        program, port = self.serve()
        wait_until(lambda: self.ready(port), "the server's start")
        taken = []
        for number in range(1000 if IS_LONG else 50):
            begun = time.monotonic()
            status, answered = self.chat(port, f"echo {number}")
            taken.append(time.monotonic() - begun)
            self.assertEqual((status, answered["result"]), (200, str(number)))
        restarts = [self.server_named(port, name)["restarts"] for name in servers]
        program.terminate()
        program.communicate()
        self.assert_no_children()
        return sorted(taken)[len(taken) * 99 // 100], restarts

    def test_a_server_that_crashes_for_ever_leaves_others_alone(self):
        crashing = {"command": "/bin/sh", "args": ["-c", "exit 1"], "restart": {**NEVER_FAILED, "max_backoff": "1h"}}
        if not IS_LONG:
            _, restarts = self.latencies_beside(crashing=crashing)
            self.assertGreater(restarts[0], 0)
            return
        alone, beside = [], []
        # By turns, so that what else the machine does weighs the same on both.
        for _ in range(7):
            alone.append(self.latencies_beside()[0])
            beside.append(self.latencies_beside(crashing=crashing)[0])
        alone, beside = (1000 * statistics.median(each) for each in (alone, beside))
        print(f"p99 of others: {alone:.2f} ms alone, {beside:.2f} ms beside one that crashes "
              f"({100 * (beside / alone - 1):+.1f} %)", file=sys.stderr)
        self.assertLess(beside, 1.1 * alone)


if __name__ == "__main__":
    unittest.main()
