"""What networks do between clients, the server and models: each run ends by its deadline, and nothing stays behind."""

import concurrent.futures
import http.client
import json
import math
import os
import pathlib
import random
import socket
import sys
import time
import unittest

from faulty_model import FaultyModel, reset
from serving import ServingCase
from support import PATIENCE, wait_until

# Runs for each fault.
LONG = "TROUPE_LONG_FAULTS" in os.environ
COUNT = 100 if LONG else 20
# Seconds: of a model's call, of a run, and how much later than that an answer may come on a busy machine.
CALL, RUN, LATE = 1, 3, 3
# A sanitizer keeps what is freed, to notice that it is used.
MAX_MEGABYTES = math.inf if os.environ.get("TROUPE_SANITIZE") else 300
HARMLESS = ["drip", "delay"]
BROKEN = ["refuse", "reset_at_once", "reset_in_the_answer", "stall", "stall_in_the_answer", "truncate", "garbage", "half_close",
          "flood", "flood_of_headers"]


class NetworkTest(ServingCase):
    def served(self, **model):
        self.agent_file(
            server={"host": "127.0.0.1", "port": 0, "header_timeout": "1s", "body_timeout": "1s", "idle_timeout": "1s"},
            limits={"run_timeout": f"{RUN}s"}, models={"default": model}, mcpServers={},
            agents=[{"name": "triage", "instructions": "Answer."}])
        program, port = self.serve()
        self.process = program.pid
        self.port = port
        return port

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process}/fd"))

    def megabytes(self):
        return int(pathlib.Path(f"/proc/{self.process}/statm").read_text().split()[1]) * 4096 / 1e6

    def in_flight(self):
        """What the parts of the system say they are doing, this question aside."""
        def count(part):
            return (part.get("in_flight") or 0) + sum(count(each) for each in part.get("children", []))

        return count(self.ask(self.port, "GET", "/api/v1/system")[1]["tree"])

    def assert_back_at(self, descriptors):
        wait_until(lambda: self.descriptors() <= descriptors, f"{descriptors} descriptors, {self.descriptors()} are open")
        wait_until(lambda: self.in_flight() == 0, "the end of all work")

    def one_run(self, streamed):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("POST", "/api/v1/chat", json.dumps({"prompt": "hi", "stream": streamed}),
                           {"Content-Type": "application/json", "Connection": "close"})
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        if streamed and response.status == 200:
            name, data = body.strip().split("\n\n")[-1].split("event: ")[1].split("\ndata: ")
            status = 200 if name == "run_completed" else json.loads(data)["status"]
            return status, json.loads(data), time.monotonic() - began
        return response.status, json.loads(body), time.monotonic() - began

    def run_all(self):
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            return list(pool.map(self.one_run, [i % 2 == 0 for i in range(COUNT)]))

    def test_each_fault_of_a_model_ends_runs_in_time(self):
        for fault in HARMLESS + BROKEN:
            with self.subTest(fault=fault):
                model = FaultyModel(self, fault)
                self.served(**model.block(timeout=f"{CALL}s", max_retries=1, breaker={"failures": 0},
                                          max_retries_in_flight=1000))
                before = self.descriptors()
                for status, answer, took in self.run_all():
                    self.assertLess(took, RUN + LATE)
                    if fault in HARMLESS:
                        self.assertEqual((status, answer["result"]), (200, "fine"))
                    else:
                        self.assertIn(status, (502, 504), answer)
                        self.assertIn(answer["detail"]["code"], ("model_failed", "model_timeout", "model_stream_cut",
                                                                 "model_unavailable", "deadline_exceeded"))
                self.assert_back_at(before)
                self.assertLess(self.megabytes(), MAX_MEGABYTES)
                model.close()

    def test_a_cancel_reaches_the_models_connection_at_once(self):
        slowest = 0
        model = FaultyModel(self, "watch")
        self.served(**model.block(timeout="60s"))
        for i in range(COUNT):
            model.begun.clear()
            model.ended.clear()
            body = json.dumps({"prompt": "hi", "stream": i % 2 == 0, "on_disconnect": "cancel"})
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client:
                client.sendall(f"POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
                self.assertTrue(model.begun.wait(PATIENCE))
                if i % 3 == 0:
                    reset(client)
            gone_at = time.monotonic()
            self.assertTrue(model.ended.wait(PATIENCE))
            slowest = max(slowest, model.ended_at - gone_at)
        print(f"from a client's end to the end of its model's connection: {slowest * 1000:.1f} ms at most, {COUNT} times",
              file=sys.stderr)
        self.assertLess(slowest, 0.1 if LONG else RUN - 1)

    def test_clients_that_break_off_anywhere_leave_nothing_behind(self):
        dice = random.Random(5)
        self.served(**FaultyModel(self, "drip").block())
        before = self.descriptors()
        body = json.dumps({"prompt": "x" * 3000, "stream": True})
        request = (f"POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        for i in range(COUNT * 5):
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client:
                end = dice.randrange(len(request) + 1) if dice.random() < 0.7 else len(request)
                client.sendall(request[:end])
                if end == len(request) and dice.random() < 0.5:
                    client.recv(dice.randrange(1, 400))
                if dice.random() < 0.3:
                    client.shutdown(socket.SHUT_WR)
                if dice.random() < 0.5:
                    reset(client)
        self.assert_back_at(before)
        self.assertEqual(self.chat(self.port, "hi")[0], 200)

    def test_clients_that_stall_are_sent_away_and_garbage_is_refused(self):
        self.served(**FaultyModel(self, "drip").block())
        before = self.descriptors()
        clients = []
        for words in (b"", b"POST /api/v1/chat HT", b"POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
                      os.urandom(2000), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)):
            for _ in range(COUNT):
                client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
                self.addCleanup(client.close)
                client.sendall(words)
                clients.append(client)
        for client in clients:
            try:
                while client.recv(65536):
                    pass
            except ConnectionError:
                pass
            client.close()
        self.assert_back_at(before)


if __name__ == "__main__":
    unittest.main()
