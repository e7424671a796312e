"""A streamed run whose client is cut off at any byte and comes back: nothing is missing, nothing comes twice."""

import http.client
import json
import os
import random
import sys
import unittest

from model_server import ModelServer, words
from serving import ServingCase
from support import PATIENCE

CUTS = 1000 if "TROUPE_LONG_FAULTS" in os.environ else 40
TEXT = [f"word{i} " for i in range(60)]


class Reader:
    """What a client has got of a run's events, over all its connections."""

    def __init__(self):
        self.run_id = None
        self.events = []

    def take(self, raw):
        """The whole events of what came; the rest is lost with the connection, as an EventSource does it."""
        for block in raw.decode(errors="replace").split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in fields:
                self.events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        if self.run_id is None and self.events:
            self.run_id = self.events[0][2]["run_id"]

    def is_over(self):
        return bool(self.events) and self.events[-1][1].startswith("run_") and self.events[-1][1] != "run_started"


class CutTest(ServingCase):
    def cut_off(self, port, reader, length):
        """Reads so many bytes at most, from where the reader is."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        if reader.run_id is None:
            body = {"prompt": "hi", "stream": True, "on_disconnect": "detach"}
            connection.request("POST", "/api/v1/chat", json.dumps(body), {"Content-Type": "application/json"})
        else:
            last = reader.events[-1][0] if reader.events else 0
            connection.request("GET", f"/api/v1/runs/{reader.run_id}/events", headers={"Last-Event-ID": str(last)})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        raw = b""
        while len(raw) < length:
            some = response.read1(length - len(raw))
            if not some:
                break
            raw += some
        reader.take(raw)
        connection.close()

    def cuts(self, store):
        dice = random.Random(11)
        cuts = 0
        while cuts < CUTS:
            model = ModelServer(self, words(*TEXT))
            self.agent_file(models={"default": model.block()}, mcpServers={}, sessions=store,
                            agents=[{"name": "triage", "instructions": "Answer."}])
            program, port = self.serve()
            while cuts < CUTS:
                model.answers[:] = [words(*TEXT)]
                reader = Reader()
                # Its first event names the run.
                self.cut_off(port, reader, dice.randrange(250, 600))
                while not reader.is_over():
                    self.cut_off(port, reader, dice.choice([dice.randrange(1, 300), dice.randrange(300, 9000)]))
                    cuts += 1
                self.assertEqual([number for number, _, _ in reader.events], list(range(1, len(reader.events) + 1)))
                text = "".join(data["text"] for _, name, data in reader.events if name == "text_delta")
                self.assertEqual(text, "".join(TEXT))
                self.assertEqual(reader.events[-1][2]["result"], "".join(TEXT))
            self.end(program)
        sys.stderr.write(f"{cuts} cuts\n")

    def test_events_in_memory(self):
        self.cuts({})

    def test_events_in_a_journal(self):
        self.cuts({"store": "sqlite", "path": "sessions.db"})


if __name__ == "__main__":
    unittest.main()
