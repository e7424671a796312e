"""`troupe run`: one prompt, one answer."""

import json
import signal
import subprocess
import unittest

from model_server import ModelServer, words
from support import Case, read_text, wait_until


class RunTest(Case):
    def test_the_answer_and_nothing_else_is_on_stdout(self):
        self.agent_file()
        done = self.troupe("run", "greet Ada")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "The tool said: hello Ada\n", ""))
        self.assert_no_children()

    def test_an_agent_can_be_named(self):
        self.agent_file()
        self.assertEqual(self.troupe("run", "--agent", "helper", "who are you").stdout, "I am helper.\n")

    def test_a_dash_reads_the_prompt_from_stdin(self):
        self.agent_file()
        self.assertEqual(self.troupe("run", "-", text="echo grüße\n").stdout, "grüße\n")
        self.assertEqual(self.troupe("run", "-", text="\n").returncode, 2)

    def test_a_prompt_may_begin_with_a_dash_after_two_dashes(self):
        self.agent_file(models={"default": {"provider": "scripted", "rules": [{"say": "{{user}}"}]}})
        self.assertEqual(self.troupe("run", "--", "--who").stdout, "--who\n")

    def test_json_tells_result_session_agent_items_and_usage(self):
        self.agent_file()
        done = self.troupe("run", "--json", "--session", "s-1", "greet Ada")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(sorted(told), ["agent", "items", "result", "run_id", "session_id", "status", "usage"])
        self.assertEqual((told["result"], told["session_id"], told["agent"]),
                         ("The tool said: hello Ada", "s-1", "helper"))
        self.assertEqual([item["type"] for item in told["items"]],
                         ["message", "function_call", "function_call_output", "function_call", "function_call_output",
                          "message"])
        self.assertEqual((told["usage"]["requests"], told["status"]), (3, "completed"))
        self.assertEqual(sorted(told["usage"]["agents"]), ["helper", "triage"])

    def test_structured_output_is_printed_as_json(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        agents = [{"name": "counter", "instructions": "Count.", "output_schema": schema}]
        models = {"default": {"provider": "scripted", "rules": [{"say": '{ "n":  3 }'}]}}
        self.agent_file(agents=agents, models=models)
        self.assertEqual(self.troupe("run", "count").stdout, '{"n":3}\n')
        self.assertEqual(json.loads(self.troupe("run", "--json", "count").stdout)["result"], {"n": 3})
        # As it came, and not once more.
        self.assertEqual(self.troupe("run", "--stream", "count").stdout, '{ "n":  3 }\n')

    def test_usage_is_told_on_stderr(self):
        self.agent_file()
        done = self.troupe("run", "--usage", "greet Ada")
        self.assertEqual((done.returncode, done.stdout), (0, "The tool said: hello Ada\n"))
        self.assertRegex(done.stderr, r"^usage: 3 requests, \d+ input tokens .*\n$")
        done = self.troupe("run", "--usage", "--budget", "turns=1", "greet Ada")
        self.assertRegex(done.stderr, r"budget_exceeded[^\n]*\nusage: 1 request, ")

    def test_a_budget_ends_the_run_and_tells_what_was_produced(self):
        self.agent_file()
        for bound, kind in (("turns=1", "turns"), ("model_calls=2", "model_calls"), ("tool_calls=0", "tool_calls"),
                            ("total_tokens=1", "total_tokens"), ("input_tokens=1", "input_tokens")):
            with self.subTest(bound):
                done = self.troupe("run", "--json", "--budget", bound, "greet Ada")
                self.assertEqual(done.returncode, 1)
                told = json.loads(done.stdout)
                self.assertEqual((told["error"]["code"], told["error"]["kind"]), ("budget_exceeded", kind))
                self.assertEqual(told["items"][0]["type"], "message")
                self.assertTrue(told["run_id"])

    def test_the_wall_time_is_a_budget_too(self):
        self.agent_file()
        done = self.troupe("run", "--budget", "turns=9", "--budget", "wall_time=400ms", "wait")
        self.assertEqual(done.returncode, 1)
        self.assertIn("budget_exceeded", done.stderr)
        self.assertEqual(self.troupe("run", "--budget", "wall_time=60", "--budget", "cost=1.5", "who are you").returncode, 0)

    def test_a_session_goes_on_with_the_agent_that_answered(self):
        self.agent_file(sessions={"store": "sqlite", "path": "sessions.db"})
        self.assertEqual(self.troupe("run", "--session", "s", "greet Ada").returncode, 0)
        self.assertEqual(self.troupe("run", "--session", "s", "who are you").stdout, "I am helper.\n")

    def test_without_a_session_each_run_has_its_own(self):
        self.agent_file()
        ids = {json.loads(self.troupe("run", "--json", "who are you").stdout)["session_id"] for _ in range(2)}
        self.assertEqual(len(ids), 2)

    def test_a_failed_run_exits_1_and_tells_why_on_stderr(self):
        self.agent_file()
        done = self.troupe("run", "no rule for this")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("model_failed", done.stderr)

    def test_a_failed_run_is_json_on_stdout_too(self):
        self.agent_file()
        done = self.troupe("run", "--json", "--session", "s-1", "no rule for this")
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout)
        self.assertEqual((told["error"]["code"], told["session_id"], told["status"]), ("model_failed", "s-1", "failed"))
        self.assertTrue(told["error"]["message"])
        self.assertIn("model_failed", done.stderr)

    def test_a_server_that_cannot_start_only_takes_its_tools_away(self):
        self.agent_file(mcpServers={"stub": self.stub("exit", restart="never")})
        self.assertEqual(self.troupe("run", "--agent", "helper", "who are you").stdout, "I am helper.\n")

    def test_a_full_stdout_is_a_failure(self):
        self.agent_file()
        with open("/dev/full", "w") as full:
            program = self.start("run", "who are you", stdout=full)
            self.assertEqual(program.wait(60), 1)

    def test_a_reader_that_leaves_ends_a_streamed_run(self):
        server = ModelServer(self, words("One", None, "Two", None, "Three"))
        self.agent_file(models={"default": server.block()})
        program = self.start("run", "--stream", "go")
        self.assertEqual(read_text(program.stdout, "One"), "One")
        program.stdout.close()
        server.go()
        self.assertEqual(program.wait(60), 1)

    def test_text_is_printed_as_it_comes(self):
        server = ModelServer(self, words("Hel", None, "lo,\n", None, "grüße"))
        self.agent_file(models={"default": server.block()})
        program = self.start("run", "--stream", "--usage", "hi")
        self.assertEqual(read_text(program.stdout, "Hel"), "Hel")
        server.go()
        self.assertEqual(read_text(program.stdout, "lo,\n"), "lo,\n")
        server.go()
        out, err = program.communicate(timeout=60)
        self.assertEqual((program.returncode, out.decode()), (0, "grüße\n"))
        self.assertIn(b"10 input tokens", err)

    def test_a_recording_has_no_key_that_stands_in_the_file(self):
        server = ModelServer(self, words("sk-written-down-1 it is"))
        self.agent_file(models={"default": {**server.block(), "api_key": "sk-written-down-1", "record": "made.jsonl"}})
        self.assertEqual(self.troupe("run", "--stream", "is it sk-written-down-1?").returncode, 0)
        told = (self.folder / "made.jsonl").read_text()
        self.assertIn(" it is", told)
        self.assertNotIn("sk-written-down-1", told)

    def test_a_text_of_many_pieces_comes_whole(self):
        # More than a run goes ahead of its reader.
        pieces = [f"{i} " for i in range(12_000)]
        server = ModelServer(self, words(*pieces))
        self.agent_file(models={"default": server.block()})
        done = self.troupe("run", "--stream", "count")
        self.assertEqual((done.returncode, done.stdout), (0, "".join(pieces) + "\n"))

    def test_streamed_or_not_the_answer_is_printed_once(self):
        self.agent_file()
        for prompt in ("greet Ada", "who are you", "break", "naughty"):
            with self.subTest(prompt):
                self.assertEqual(self.troupe("run", "--stream", prompt).stdout, self.troupe("run", prompt).stdout)

    def test_agents_that_speak_at_once_are_printed_one_after_the_other(self):
        servers = [ModelServer(self, words("a1 ", None, "a2")), ModelServer(self, words("b1 ", None, "b2"))]
        models = {"one": servers[0].block(), "two": servers[1].block()}
        agents = [{"name": "team", "kind": "parallel", "members": ["one", "two"], "join": {"template": "{{outputs.two}}!"}}]
        agents += [{"name": name, "instructions": "x", "model": name} for name in models]
        self.agent_file(models=models, agents=agents)
        program = self.start("run", "--stream", "go")
        first = read_text(program.stdout, "a1 ")
        wait_until(lambda: all(server.requests for server in servers), "both models being asked")
        for server in servers:
            server.go()
        out, _ = program.communicate(timeout=60)
        texts = (first + out.decode()).splitlines()
        self.assertEqual((sorted(texts[:2]), texts[2:]), (["a1 a2", "b1 b2"], ["b1 b2!"]))

    def test_signals_end_a_run_with_its_servers(self):
        self.agent_file()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                program = self.start("run", "--log-level", "off", "--json", "wait")
                wait_until(self.children, "an MCP server")
                program.send_signal(number)
                out, _ = program.communicate(timeout=60)
                self.assertEqual(program.returncode, 128 + number)
                if out:
                    # It had begun.
                    told = json.loads(out)
                    self.assertEqual(told["error"]["code"], "cancelled")
                    self.assertEqual(told["status"], "cancelled")
                    self.assertEqual(told["items"][0]["content"], "wait")
                self.assert_no_children()

    def test_a_signal_is_heard_while_stdin_is_read(self):
        self.agent_file()
        program = self.start("run", "-", stdin=subprocess.PIPE)
        self.addCleanup(program.stdin.close)
        blocked = lambda: self.blocks_sigint(program.pid)
        wait_until(blocked, "signals being blocked")
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(60), 130)

    @staticmethod
    def blocks_sigint(pid):
        with open(f"/proc/{pid}/status") as status:
            mask = next(line.split()[1] for line in status if line.startswith("SigBlk"))
        return int(mask, 16) >> (signal.SIGINT - 1) & 1


if __name__ == "__main__":
    unittest.main()
