"""The program that the project exists for: REST started inside an actor's handler, with a stdio server connected."""

import json
import os
import pathlib
import re
import select
import signal
import subprocess
import time
import unittest
import urllib.request

PATIENCE = 60


def read_line(stream):
    """A line of an unbuffered pipe, waited for no longer than is patient."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        byte = os.read(stream.fileno(), 1) if ready else b""
        if not byte:
            raise AssertionError(f"no line came; got {line!r}")
        line += byte
    return line.decode().rstrip("\n")


class Embedding(unittest.TestCase):
    def setUp(self):
        self.program = subprocess.Popen(
            [os.environ["EMBEDDING_BIN"], os.environ["HOSTWATCH_BIN"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end)
        first = read_line(self.program.stdout)
        self.base = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)", first).group(1)

    def end(self):
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait()
        self.program.stdin.close()
        self.program.stdout.close()

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def chat(self, prompt, **more):
        request = urllib.request.Request(
            self.base + "/api/v1/chat", json.dumps({"prompt": prompt, **more}).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def say(self, line):
        self.program.stdin.write(line.encode() + b"\n")
        self.program.stdin.flush()
        return read_line(self.program.stdout)

    def server_pid(self):
        (server,) = self.get("/api/v1/mcp")["servers"]
        self.assertEqual(server["state"], "ready")
        return server["pid"]

    def assert_gone(self, pid):
        deadline = time.monotonic() + PATIENCE
        while pathlib.Path(f"/proc/{pid}").exists():
            self.assertLess(time.monotonic(), deadline, f"process {pid} is still there")
            select.select([], [], [], 0.01)

    def test_rest_and_terminal_serve_the_same_agents_and_nothing_is_left_behind(self):
        answer = self.chat("How much memory is free?")
        self.assertEqual(answer["agent"], "machine")
        self.assertRegex(answer["result"], r"^[\d.]+ [KMGT]iB of memory are available\.$")
        self.assertRegex(self.say("How much memory is free?"), r"^machine: [\d.]+ [KMGT]iB of memory")
        pid = self.server_pid()
        self.program.send_signal(signal.SIGTERM)
        self.assertEqual(self.program.wait(PATIENCE), 0)
        self.assert_gone(pid)

    def test_tools_given_in_code_work_and_an_actor_keeps_its_state(self):
        self.assertEqual(self.chat("shout hello there")["result"], "HELLO THERE")
        self.assertEqual(self.chat("count")["result"], "That was question 1.")
        self.assertEqual(self.say("count"), "triage: That was question 2.")

    def test_requests_are_answered_while_the_terminal_is_used(self):
        session = self.chat("count")["session_id"]
        for expected in range(2, 6):
            self.assertEqual(self.chat("count", session_id=session)["result"], f"That was question {expected}.")
        self.assertEqual(len(self.get(f"/api/v1/sessions/{session}")["items"]), 20)

    def test_the_end_of_input_ends_the_program_in_order(self):
        self.chat("How much memory is free?")
        pid = self.server_pid()
        self.program.stdin.close()
        self.assertEqual(self.program.wait(PATIENCE), 0)
        self.assert_gone(pid)

    def test_a_kill_leaves_no_server_behind(self):
        self.chat("How much memory is free?")
        pid = self.server_pid()
        self.program.kill()
        self.assert_gone(pid)


if __name__ == "__main__":
    unittest.main()
