"""`troupe chat` with piped input: each line is a prompt."""

import signal
import subprocess
import unittest

from support import Case, read_line, wait_until


class PipedChatTest(Case):
    def test_answers_come_in_order_without_banner_prompt_or_colours(self):
        self.agent_file()
        done = self.troupe("chat", text="who are you\n\necho one two\necho last, unended")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "I am triage.\none two\nlast, unended\n", ""))
        self.assert_no_children()

    def test_handoffs_and_tools_are_told_before_the_answer(self):
        self.agent_file()
        done = self.troupe("chat", text="greet Ada\nwho are you\n")
        self.assertEqual(done.stdout.splitlines(), [
            "[handoff] triage -> helper", '[tool] greet {"name":"Ada"}', "[tool] greet => hello Ada",
            "The tool said: hello Ada", "I am helper.",
        ])

    def test_a_tool_s_failure_is_marked(self):
        self.agent_file()
        done = self.troupe("chat", text="break\n")
        self.assertIn("[tool] break failed: it broke", done.stdout)
        self.assertEqual(done.returncode, 0)

    def test_control_characters_of_tools_do_not_come_through(self):
        self.agent_file()
        done = self.troupe("chat", text="naughty\n")
        self.assertIn("The tool said: before]0;title[31mafter31m\nsecond line\n", done.stdout)
        self.assertIn("[tool] naughty => before]0;title[31mafter31m second line\n", done.stdout)
        for wrong in "\x1b\x07\u009b\x7f":
            self.assertNotIn(wrong, done.stdout)

    def test_commands_work(self):
        self.agent_file()
        done = self.troupe("chat", text="!select helper\nwho are you\n!agents\n!tools\n!new\nwho are you\n!quit\nwho\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1:6], ["I am helper.", "  triage", "* helper", "helper tools: greet, wait, slow, naughty, break",
                                      "helper handoffs: none"])
        self.assertEqual(lines[-1], "I am triage.")

    def test_wrong_commands_get_a_hint(self):
        self.agent_file()
        done = self.troupe("chat", text="!dance\n!select\n!select nobody\n!help\n")
        self.assertEqual(done.returncode, 0)
        for words in ("no command !dance", "which agent", 'no agent "nobody"', "!agents", "!select A"):
            self.assertIn(words, done.stdout)

    def test_a_failed_run_goes_to_stderr_and_the_exit_code(self):
        self.agent_file()
        done = self.troupe("chat", text="no rule for this\necho but this\n")
        self.assertEqual((done.returncode, done.stdout), (1, "but this\n"))
        self.assertIn("model_failed", done.stderr)

    def test_an_agent_and_a_session_can_be_named(self):
        self.agent_file(sessions={"store": "sqlite", "path": "sessions.db"})
        self.assertEqual(self.troupe("chat", "--agent", "helper", "--session", "s", text="who are you\n").stdout,
                         "I am helper.\n")
        self.assertEqual(self.troupe("chat", "--session", "s", text="who are you\n").stdout, "I am helper.\n")

    def test_a_line_may_be_very_long(self):
        self.agent_file()
        long = "x" * 300_000
        self.assertEqual(self.troupe("chat", text=f"echo {long}\n").stdout, long + "\n")

    def test_sigint_cancels_the_run_under_way(self):
        self.agent_file()
        program = self.start("chat", stdin=subprocess.PIPE)
        program.stdin.write(b"wait\n")
        program.stdin.flush()
        while "[tool] wait" not in read_line(program.stdout, "the call of the tool"):
            pass
        program.send_signal(signal.SIGINT)
        self.assertIn("cancelled", read_line(program.stderr, "the failure"))
        out, _ = program.communicate(b"echo still here\n", timeout=60)
        self.assertEqual(out, b"still here\n")
        self.assertEqual(program.returncode, 1)

    def test_signals_between_lines_end_it(self):
        self.agent_file()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                program = self.start("chat", stdin=subprocess.PIPE)
                program.stdin.write(b"echo up\n!agents\n")
                program.stdin.flush()
                # The answer is shown just before its run ends; the next line is taken after that.
                self.assertIn("up", read_line(program.stdout, "the answer"))
                self.assertIn("triage", read_line(program.stdout, "the agents"))
                wait_until(self.children, "an MCP server")
                program.send_signal(number)
                program.wait(60)
                self.assertEqual(program.returncode, 128 + number)
                self.assert_no_children()


if __name__ == "__main__":
    unittest.main()
