"""`troupe run`: one prompt, one answer."""

import json
import signal
import subprocess
import unittest

from support import Case, wait_until


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
        self.assertEqual(sorted(told), ["agent", "items", "result", "session_id", "usage"])
        self.assertEqual((told["result"], told["session_id"], told["agent"]),
                         ("The tool said: hello Ada", "s-1", "helper"))
        self.assertEqual([item["type"] for item in told["items"]],
                         ["message", "function_call", "function_call_output", "function_call", "function_call_output",
                          "message"])
        self.assertEqual(told["usage"]["requests"], 3)

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
        self.assertEqual((told["error"]["code"], told["session_id"]), ("model_failed", "s-1"))
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

    def test_signals_end_a_run_with_its_servers(self):
        self.agent_file()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                program = self.start("run", "--log-level", "off", "wait")
                wait_until(self.children, "an MCP server")
                program.send_signal(number)
                program.communicate(timeout=60)
                self.assertEqual(program.returncode, 128 + number)
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
