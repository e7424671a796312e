"""`troupe serve` with a real model endpoint and a real MCP server: the main job, from end to end."""

import http.client
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

TROUPE = os.environ["TROUPE_BIN"]
FOLDER = pathlib.Path(__file__).parent
EVERYTHING = FOLDER / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
PINNED_NODE = FOLDER / "node_modules/.bin/node"
NODE = str(PINNED_NODE) if PINNED_NODE.exists() else "node"
KEY = "sk-test-0123456789abcdef"

# Seconds after which something that should have happened counts as never happening.
PATIENCE = 60


def wait_until(holds, what):
    """Polls until `holds()` is true and returns what it returned."""
    deadline = time.monotonic() + PATIENCE
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        select.select([], [], [], 0.01)
    return value


def port_in(stream, pattern):
    """The port in a program's first line of output."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        byte = os.read(stream.fileno(), 1) if ready else b""
        if not byte:
            raise AssertionError(f"the program did not say its port, but {line!r}")
        line += byte
    found = re.fullmatch(pattern, line.decode())
    if not found:
        raise AssertionError(f"no port in {line!r}")
    return int(found[1])


class ServeWithPeersTest(unittest.TestCase):
    def setUp(self):
        if not EVERYTHING.exists():
            self.fail(f"{EVERYTHING} is missing; ./dev test installs what this test talks to")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # Hidden as a secret: no text of the tests ends as it begins, which would be held back from a stream.
        self.mark = f"TROUPE_TEST_MARK=~~~~{uuid.uuid4()}"
        self.model_port = self.start_model()
        self.write_agent_file()

    def start_model(self):
        model = subprocess.Popen([NODE, FOLDER / "aimock_server.mjs", FOLDER / "fixtures/handoff.json",
                                  FOLDER / "fixtures/faults.json"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, model)
        return port_in(model.stdout, r"listening on (\d+)\n")

    def write_agent_file(self):
        name, value = self.mark.split("=")
        (self.folder / "troupe.yaml").write_text(json.dumps({
            "server": {"port": 0},
            "models": {"default": {"provider": "openai", "base_url": f"http://127.0.0.1:{self.model_port}/v1",
                                   "api_key": "${MODEL_KEY}", "model": "test-model"}},
            "mcpServers": {"everything": {"command": NODE, "args": [str(EVERYTHING), "stdio"],
                                          "env": {name: value}}},
            "agents": [
                {"name": "triage", "instructions": "You determine which agent to use.",
                 "handoffs": ["calculator"]},
                {"name": "calculator", "description": "Sums", "instructions": "You calculate.",
                 "mcp_servers": ["everything"]},
            ],
            "sessions": {"store": "sqlite", "path": "troupe.db"},
        }))

    def serve(self):
        """The program once it listens, and its port."""
        with open(self.folder / "log", "ab") as log:
            program = subprocess.Popen([TROUPE, "serve"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=log,
                                       env={**os.environ, "MODEL_KEY": KEY, "HOME": str(self.folder)})
        self.addCleanup(self.end, program)
        return program, port_in(program.stdout, r"listening on http://127\.0\.0\.1:(\d+)\n")

    @staticmethod
    def end(program):
        if program.stdin:
            program.stdin.close()
        if program.poll() is None:
            program.kill()
        program.wait()
        program.stdout.close()

    @staticmethod
    def ask(port, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            text = json.dumps(body) if body is not None else None
            connection.request(method, path, text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
            return response.status, json.loads(answer) if answer else None
        finally:
            connection.close()

    def chat(self, port, prompt, **fields):
        return self.ask(port, "POST", "/api/v1/chat", {"prompt": prompt, **fields})

    def servers(self):
        """Processes of MCP servers that were started for this test and still run."""
        found = []
        for entry in filter(lambda one: one.name.isdigit(), pathlib.Path("/proc").iterdir()):
            try:
                marked = self.mark.encode() in (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if marked and state != "Z":
                found.append(int(entry.name))
        return found

    def stop(self, program):
        """SIGTERM ends it orderly, with nothing left behind."""
        self.assertTrue(self.servers())
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(PATIENCE), 0)
        self.assertEqual(self.servers(), [])

    def assert_sum(self, answer, session):
        status, body = answer
        self.assertEqual(status, 200, body)
        self.assertRegex(body.pop("run_id"), "^run_[0-9a-f]{32}$")
        self.assertEqual(body.pop("usage")["requests"], 3)
        self.assertEqual(body, {"result": "It is 42.", "session_id": session, "agent": "calculator"})

    def test_a_question_goes_through_a_handoff_and_a_tool_of_a_real_server(self):
        program, port = self.serve()
        # At once: the agent waits until its server is up.
        self.assert_sum(self.chat(port, "What is the sum of 20 and 22?", session_id="one"), "one")
        # The session goes on at the agent that answered, another begins at the default agent.
        self.assertEqual(self.chat(port, "who are you", session_id="one")[1]["result"], "I am the calculator.")
        other = self.chat(port, "who are you")[1]
        self.assertEqual((other["result"], other["agent"]), ("I am the triage agent.", "triage"))
        self.assertNotEqual(other["session_id"], "one")

        server, = self.ask(port, "GET", "/api/v1/mcp")[1]["servers"]
        self.assertEqual((server["name"], server["state"], server["protocol_version"], server["restarts"]),
                         ("everything", "ready", "2025-11-25", 0))
        self.assertIn("get-sum", server["tools"])
        self.assertEqual(self.servers(), [server["pid"]])
        self.stop(program)

    def test_sessions_survive_a_restart(self):
        program, port = self.serve()
        self.assert_sum(self.chat(port, "What is the sum of 20 and 22?", session_id="kept"), "kept")
        before = self.ask(port, "GET", "/api/v1/sessions/kept")
        self.assertEqual(before[0], 200)
        self.assertIn("20 and 22", json.dumps(before[1]))
        self.stop(program)

        program, port = self.serve()
        self.assertEqual(self.ask(port, "GET", "/api/v1/sessions/kept"), before)
        answer = self.chat(port, "who are you", session_id="kept")[1]
        self.assertEqual((answer["result"], answer["agent"]), ("I am the calculator.", "calculator"))
        self.assertEqual(self.ask(port, "DELETE", "/api/v1/sessions/kept"), (204, None))
        self.assertEqual(self.ask(port, "GET", "/api/v1/sessions/kept")[0], 404)
        self.stop(program)

    def test_a_failure_of_the_model_is_a_502_that_shows_no_key(self):
        program, port = self.serve()
        status, answer = self.chat(port, "bad key", session_id="one")
        self.assertEqual((status, answer["detail"]["code"], answer["detail"]["session_id"]),
                         (502, "model_failed", "one"))
        self.assertIn("401", answer["detail"]["error"])
        self.assertIn("Incorrect API key provided", answer["detail"]["error"])
        self.assert_sum(self.chat(port, "What is the sum of 20 and 22?", session_id="two"), "two")
        self.stop(program)
        self.assertNotIn(KEY, json.dumps(answer))
        self.assertNotIn(KEY, (self.folder / "log").read_text())

    def test_a_server_that_is_killed_comes_back(self):
        program, port = self.serve()
        self.assert_sum(self.chat(port, "What is the sum of 20 and 22?", session_id="one"), "one")
        killed, = self.servers()
        os.kill(killed, signal.SIGKILL)

        def back():
            server, = self.ask(port, "GET", "/api/v1/mcp")[1]["servers"]
            return server if server["state"] == "ready" and server["pid"] != killed else None

        server = wait_until(back, "the restart of the server")
        self.assertEqual(server["restarts"], 1)
        self.assertIn("SIGKILL", server["last_error"])
        self.assert_sum(self.chat(port, "What is the sum of 20 and 22?", session_id="two"), "two")
        self.stop(program)

    def test_sigkill_leaves_no_server(self):
        program, port = self.serve()
        self.assert_sum(self.chat(port, "What is the sum of 20 and 22?", session_id="one"), "one")
        self.assertTrue(self.servers())
        program.kill()
        program.wait()
        wait_until(lambda: not self.servers(), "the end of the MCP server")


if __name__ == "__main__":
    unittest.main()
