"""`troupe serve` with sessions in SQLite: kill -9, and what the next server does about it."""

import json
import sqlite3
import unittest

from model_server import ModelServer, words
from serving import ServingCase, Stream
from support import PATIENCE, wait_until


class RecoveryTest(ServingCase):
    def test_a_call_that_was_under_way_is_in_doubt_and_settled_by_somebody(self):
        self.durable_file()
        program, port = self.serve()
        status, accepted = self.chat(port, "wait", background=True, session_id="s")
        self.assertEqual((status, accepted["status"]), (202, "running"))
        run_id = accepted["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        self.kill(program)
        (self.folder / "wait").unlink()
        program, port = self.serve()
        run = self.ends(port, run_id)
        self.assertEqual(run["status"], "paused")
        doubt = run["interruptions"][0]
        self.assertEqual((doubt["kind"], doubt["tool"]), ("in_doubt", "wait"))
        self.assertFalse((self.folder / "wait").exists())
        path = f"/api/v1/runs/{run_id}/resume"
        wrong = self.ask(port, "POST", path, {"decisions": [{"id": doubt["id"], "decision": "approve"}]})
        self.assertEqual(wrong[0], 422)
        self.assertIn("in doubt", wrong[1]["detail"]["error"])
        done = self.ask(port, "POST", path,
                        {"decisions": [{"id": doubt["id"], "decision": "result", "output": "waited"}]})
        self.assertEqual((done[0], done[1]["result"]), (200, "The tool said: waited"))

    def test_a_call_that_is_declared_safe_is_made_again(self):
        agents = [{"name": "triage", "instructions": "Pick an agent.", "handoffs": ["helper"]},
                  {"name": "helper", "instructions": "Help.", "mcp_servers": ["stub"],
                   "tools": {"slow": {"repeatable": True}}}]
        self.durable_file(agents=agents)
        program, port = self.serve()
        run_id = self.chat(port, "slow", background=True)[1]["run_id"]
        wait_until((self.folder / "slow").exists, "the tool's beginning")
        self.kill(program)
        (self.folder / "go").touch()
        _, port = self.serve()
        self.assertEqual(self.ends(port, run_id)["result"], "The tool said: done at last")

    def test_prompts_that_waited_are_carried_out_by_the_next_server(self):
        model = ModelServer(self, words(None, "never"), words("one"), words("two"))
        self.durable_file(models={"default": model.block()})
        program, port = self.serve()
        first = self.chat(port, "one", background=True, session_id="s")[1]["run_id"]
        second = self.chat(port, "two", background=True, session_id="s")[1]["run_id"]
        wait_until(lambda: model.requests, "the model's call")
        self.kill(program)
        _, port = self.serve()
        self.assertEqual(self.ends(port, first)["result"], "one")
        self.assertEqual(self.ends(port, second)["result"], "two")
        session = self.ask(port, "GET", "/api/v1/sessions/s")[1]
        self.assertEqual([item["content"] for item in session["items"]], ["one", "one", "two", "two"])

    def test_the_same_key_is_the_same_run_also_after_a_restart(self):
        self.durable_file()
        program, port = self.serve()
        key = {"Idempotency-Key": "order 1"}
        first = self.chat(port, "echo hi", key)
        self.assertEqual((first[0], first[1]["result"]), (200, "hi"))
        self.assertEqual(self.chat(port, "echo hi", key), first)
        status, refused = self.chat(port, "echo ho", key, session_id="other")
        self.assertEqual(status, 422)
        self.assertEqual([refused["detail"][name] for name in ("run_id", "session_id")],
                         [first[1][name] for name in ("run_id", "session_id")])
        self.kill(program)
        _, port = self.serve()
        self.assertEqual(self.chat(port, "echo hi", key), first)
        self.assertEqual(self.chat(port, "echo ho", key)[0], 422)
        self.assertEqual(self.chat(port, "echo hi")[1]["run_id"] == first[1]["run_id"], False)

    def test_a_stream_goes_on_after_its_last_event_with_nothing_missing_and_nothing_twice(self):
        self.durable_file()
        program, port = self.serve()
        whole = Stream(self, port, "POST", "/api/v1/chat", {"prompt": "greet Ada", "stream": True}).rest()
        run_id = whole[0][2]["run_id"]
        self.assertEqual([number for number, _, _ in whole], list(range(1, len(whole) + 1)))
        for is_next_server in (False, True):
            if is_next_server:
                self.kill(program)
                program, port = self.serve()
            for last in range(len(whole)):
                again = Stream(self, port, "GET", f"/api/v1/runs/{run_id}/events", headers={"Last-Event-ID": str(last)})
                self.assertEqual(again.rest(), whole[last:])

    def test_a_stream_that_a_crash_has_cut_is_told_what_does_not_count(self):
        model = ModelServer(self, words("Hel", None, "never"), words("Hel", "lo"))
        self.durable_file(models={"default": model.block()},
                          agents=[{"name": "helper", "instructions": "Help."}])
        program, port = self.serve()
        body = {"prompt": "hi", "stream": True, "on_disconnect": "detach"}
        stream = Stream(self, port, "POST", "/api/v1/chat", body)
        seen = [stream.next()]
        while seen[-1][1] != "text_delta":
            seen.append(stream.next())
        run_id = seen[0][2]["run_id"]
        self.kill(program)
        _, port = self.serve()
        rest = Stream(self, port, "GET", f"/api/v1/runs/{run_id}/events",
                      headers={"Last-Event-ID": str(seen[-1][0])}).rest()
        self.assertEqual(rest[0][1], "run_resumed")
        void = {number for first, last in rest[0][2]["discarded"] for number in range(first, last + 1)}
        self.assertIn(seen[-1][0], void)
        numbers = [number for number, _, _ in rest]
        self.assertEqual(numbers, list(range(seen[-1][0] + 1, seen[-1][0] + 1 + len(rest))))
        texts = [data["text"] for number, name, data in seen + rest if name == "text_delta" and number not in void]
        self.assertEqual("".join(texts), "Hello")
        self.assertEqual(rest[-1][1], "run_completed")
        fresh = Stream(self, port, "GET", f"/api/v1/runs/{run_id}/events").rest()
        self.assertEqual("".join(data["text"] for _, name, data in fresh if name == "text_delta"), "Hello")

    def test_a_shutdown_in_order_leaves_runs_to_the_next_server(self):
        model = ModelServer(self, words(None, "never"), words("done"))
        self.durable_file(models={"default": model.block()}, server={"host": "127.0.0.1", "port": 0, "shutdown_grace": "10ms"})
        program, port = self.serve()
        run_id = self.chat(port, "hi", background=True)[1]["run_id"]
        wait_until(lambda: model.requests, "the model's call")
        program.terminate()
        program.communicate(timeout=PATIENCE)
        _, port = self.serve()
        self.assertEqual(self.ends(port, run_id)["result"], "done")

    def test_a_damaged_run_is_named_and_all_others_go_on(self):
        self.durable_file()
        program, port = self.serve()
        bad = self.chat(port, "wait", background=True, session_id="bad")[1]["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        good = self.chat(port, "slow", background=True, session_id="good")[1]["run_id"]
        wait_until((self.folder / "slow").exists, "the tool's beginning")
        self.kill(program)
        database = sqlite3.connect(self.folder / "sessions.db")
        database.execute("UPDATE journal SET record = '{}' WHERE sequence = 1 AND run = "
                         "(SELECT key FROM runs WHERE id = ?)", (bad,))
        database.commit()
        database.close()
        checked = self.troupe("journal", "check")
        self.assertEqual(checked.returncode, 1)
        self.assertIn(bad, checked.stderr)
        self.assertNotIn(good, checked.stderr)
        program, port = self.serve()
        failed = self.ends(port, bad)
        self.assertEqual((failed["status"], failed["error"]["code"]), ("failed", "store_failed"))
        self.assertEqual(self.ends(port, good)["status"], "paused")

    def test_a_damaged_paused_run_is_named_ends_and_frees_its_session(self):
        self.durable_file()
        program, port = self.serve()
        run_id = self.chat(port, "wait", background=True, session_id="s")[1]["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        self.kill(program)
        program, port = self.serve()
        self.assertEqual(self.ends(port, run_id)["status"], "paused")
        self.kill(program)
        database = sqlite3.connect(self.folder / "sessions.db")
        database.execute("UPDATE paused_runs SET state = replace(state, 'wait', 'tiaw')")
        database.commit()
        database.close()

        def check_is_named():
            checked = self.troupe("journal", "check", "--json")
            flaws = json.loads(checked.stdout)["flaws"]
            self.assertEqual((checked.returncode, [flaw["run_id"] for flaw in flaws]), (1, [run_id]))
            exported = json.loads(self.troupe("journal", "export").stdout)
            self.assertEqual((exported["run_id"], exported["paused_damaged"]), (run_id, True))
            self.assertIn("tiaw", json.dumps(exported["paused"]))

        check_is_named()
        _, port = self.serve()
        run = self.ask(port, "GET", f"/api/v1/runs/{run_id}")[1]
        self.assertEqual((run["status"], run["error"]["code"]), ("failed", "store_failed"))
        check_is_named()
        self.assertEqual(self.chat(port, "echo hi", session_id="s")[1]["result"], "hi")

    def test_the_journal_can_be_checked_and_printed_while_a_server_runs(self):
        self.durable_file()
        _, port = self.serve()
        run_id = self.chat(port, "echo hi")[1]["run_id"]
        checked = self.troupe("journal", "check", "--json")
        self.assertEqual((checked.returncode, json.loads(checked.stdout)), (0, {"runs": 1, "flaws": []}))
        printed = self.troupe("journal", "export")
        run = json.loads(printed.stdout)
        self.assertEqual((run["run_id"], run["status"], run["outcome"]["result"]), (run_id, "completed", "hi"))
        self.assertEqual(self.troupe("journal", "export", "--run", "run_0").returncode, 1)

    def test_a_busy_session_does_as_it_is_told(self):
        model = ModelServer(self, words(None, "never"), words("two"))
        self.durable_file(models={"default": model.block()})
        _, port = self.serve()
        first = self.chat(port, "one", background=True, session_id="s")[1]["run_id"]
        wait_until(lambda: model.requests, "the model's call")
        self.assertEqual(self.chat(port, "two", session_id="s", on_busy="reject")[0], 409)
        second = self.chat(port, "two", session_id="s", on_busy="rollback")
        self.assertEqual((second[0], second[1]["result"]), (200, "two"))
        self.assertEqual(self.ends(port, first)["status"], "cancelled")
        session = self.ask(port, "GET", "/api/v1/sessions/s")[1]
        self.assertEqual([item["content"] for item in session["items"]], ["two", "two"])

    def test_a_second_resumption_is_refused_and_cancels_nothing(self):
        rules = [{"when": {"user": "^wait$"}, "call": {"tool": "wait", "arguments": {}}}, {"when": {"tool": "*"}, "say": "done"}]
        self.durable_file(models={"default": {"provider": "scripted", "rules": rules}},
                          agents=[{"name": "helper", "instructions": "Help.", "mcp_servers": ["stub"],
                                   "tools": {"wait": {"approval": "always"}}}])
        _, port = self.serve()
        status, paused = self.chat(port, "wait", session_id="s")
        self.assertEqual((status, paused["status"]), (202, "paused"))
        path = f"/api/v1/runs/{paused['run_id']}/resume"
        body = {"decisions": [{"id": paused["interruptions"][0]["id"], "decision": "approve"}], "stream": True}
        first = Stream(self, port, "POST", path, body)
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        refused = self.ask(port, "POST", path, body)
        self.assertEqual((refused[0], refused[1]["detail"]["code"]), (409, "conflict"))
        self.assertEqual(self.ask(port, "GET", f"/api/v1/runs/{paused['run_id']}")[1]["status"], "running")
        self.assertEqual(first.next()[1], "run_started")

    def test_a_deadline_of_the_request_ends_its_run(self):
        model = ModelServer(self, words(None, "never"))
        self.durable_file(models={"default": model.block()})
        _, port = self.serve()
        status, answer = self.chat(port, "hi", deadline_ms=100)
        self.assertEqual((status, answer["detail"]["code"]), (504, "deadline_exceeded"))


if __name__ == "__main__":
    unittest.main()
