"""`troupe serve` for tests that talk to it: requests, streams of events, what a crash leaves."""

import http.client
import json
import re

from support import PATIENCE, Case, read_line, wait_until


class Stream:
    """Server-sent events of one request."""

    def __init__(self, case, port, method, path, body=None, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        case.addCleanup(self.connection.close)
        text = json.dumps(body) if body is not None else None
        self.connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
        self.response = self.connection.getresponse()
        case.assertEqual(self.response.status, 200)

    def next(self):
        """The next event as (id, name, data); None at the end."""
        event = {}
        while True:
            line = self.response.readline().decode()
            if not line:
                return None
            if line == "\n" and "data" in event:
                return int(event.get("id", 0)), event["event"], json.loads(event["data"])
            if ":" in line and not line.startswith(":"):
                name, value = line.rstrip("\n").split(": ", 1)
                event[name] = value

    def rest(self):
        return list(iter(self.next, None))

    def close(self):
        """Goes away."""
        self.response.close()
        self.connection.close()


class ServingCase(Case):
    """A test with `troupe serve`, whose sessions are in SQLite."""

    def durable_file(self, **blocks):
        return self.agent_file(**{"sessions": {"store": "sqlite", "path": "sessions.db"}, **blocks})

    def serve(self):
        program = self.start("serve")
        return program, self.port_of(program)

    @staticmethod
    def port_of(program):
        """The port that a server says it listens on."""
        return int(re.fullmatch(r"listening on http://(.+):(\d+)\n", read_line(program.stdout))[2])

    def ask(self, port, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            text = json.dumps(body) if body is not None else None
            connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def chat(self, port, prompt, headers=None, **fields):
        return self.ask(port, "POST", "/api/v1/chat", {"prompt": prompt, **fields}, headers)

    def ends(self, port, run_id):
        """The run once it is neither waiting nor under way."""

        def over():
            run = self.ask(port, "GET", f"/api/v1/runs/{run_id}")[1]
            return run if run["status"] != "running" else None

        return wait_until(over, "the end of the run")

    @staticmethod
    def kill(program):
        program.kill()
        program.wait()
