"""`troupe chat` in a terminal: line editing, history, commands, ^C, streaming and approvals."""

import os
import pty
import re
import select
import signal
import stat
import subprocess
import termios
import time
import unittest

from model_server import ModelServer, call, words
from support import PATIENCE, TROUPE, ApprovalCase, Case

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


class Terminal:
    """A program that believes it talks to a person."""

    def __init__(self, case, *arguments):
        self.master, slave = pty.openpty()
        size = termios.tcgetwinsize(slave) if hasattr(termios, "tcgetwinsize") else None
        if size is not None:
            termios.tcsetwinsize(slave, (40, 200))

        def own_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(0), os.O_RDWR))

        self.program = subprocess.Popen([TROUPE, "chat", *arguments], cwd=case.folder, env=case.environment,
                                        stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal)
        os.close(slave)
        case.addCleanup(os.close, self.master)
        case.addCleanup(case.end, self.program)
        self.raw = ""
        self.seen = 0

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, timeout):
        if select.select([self.master], [], [], timeout)[0]:
            try:
                self.raw += os.read(self.master, 65536).decode(errors="replace")
                return True
            except OSError:
                pass
        return False

    def expect(self, pattern):
        """Waits for the pattern in what came after the last one; escape sequences are not looked at."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = re.compile(pattern).search(ESCAPES.sub("", self.raw), self.seen)
            if found:
                self.seen = found.end()
                return found
            if time.monotonic() > deadline or (not self.read(1) and self.program.poll() is not None):
                raise AssertionError(f"never came: {pattern}; got {self.raw[-2000:]!r}")

    def plain(self):
        return ESCAPES.sub("", self.raw)

    def wait(self):
        deadline = time.monotonic() + PATIENCE
        while self.program.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        return self.program.wait(30)


class TerminalTest(Case):
    def test_a_banner_a_prompt_and_answers_with_names(self):
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect(r"Agents: triage, helper\.")
        terminal.expect(r"!help")
        terminal.expect(r"triage> ")
        terminal.type("greet Ada\r")
        terminal.expect(r"\[handoff\] triage -> helper\r\n")
        terminal.expect(r"\[tool\] greet => hello Ada\r\n")
        terminal.expect(r"helper: The tool said: hello Ada\r\n")
        terminal.expect(r"helper> ")
        self.assertIn("\x1b[2m[handoff] triage -> helper\x1b[0m", terminal.raw)
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), 0)
        self.assert_no_children()

    def test_no_colour_is_heeded(self):
        self.environment["NO_COLOR"] = "1"
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("greet Ada\r")
        terminal.expect(r"helper: The tool said: hello Ada")
        for colour in ("\x1b[2m", "\x1b[1mhelper"):
            self.assertNotIn(colour, terminal.raw)

    def test_a_line_can_be_edited(self):
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect("triage> ")
        # Typed in the wrong order and with a mistake: to the start, a word, to the end, one back.
        terminal.type("grüssX\x7f\x01echo \x05e\r")
        terminal.expect(r"triage: grüsse\r\n")

    def test_history_brings_lines_back_also_the_next_time(self):
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("echo first\r")
        terminal.expect(r"triage: first")
        terminal.expect(r"triage> ")
        terminal.type("\x1b[A\x7f\x7f\r")
        terminal.expect(r"triage: fir\r\n")
        terminal.expect(r"triage> ")
        terminal.type("!quit\r")
        self.assertEqual(terminal.wait(), 0)
        history = self.folder / ".local" / "state" / "troupe" / "history"
        self.assertEqual(stat.S_IMODE(history.stat().st_mode), 0o600)
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("\x10\x10\r")
        terminal.expect(r"triage: fir\r\n")

    def test_xdg_state_home_says_where_history_is_kept(self):
        self.environment["XDG_STATE_HOME"] = str(self.folder / "state")
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("echo here\r")
        terminal.expect(r"triage: here")
        self.assertIn("echo", (self.folder / "state" / "troupe" / "history").read_text())

    def test_commands_work(self):
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("!select helper\r")
        terminal.expect("helper> ")
        terminal.type("!tools\r")
        terminal.expect("helper tools: greet, wait, slow, naughty, break")
        terminal.expect("helper> ")
        terminal.type("!new\r")
        terminal.expect("triage> ")
        terminal.type("!quit\r")
        self.assertEqual(terminal.wait(), 0)

    def test_interrupts_clear_the_line_and_cancel_runs(self):
        self.agent_file()
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("echo forgotten")
        terminal.expect("forgotten")
        terminal.type("\x03")
        terminal.expect(r"\^C\r\ntriage> ")
        terminal.type("wait\r")
        terminal.expect(r"\[tool\] wait")
        terminal.type("\x03")
        terminal.expect("cancelled")
        terminal.expect("> ")
        terminal.type("echo alive\r")
        terminal.expect(r": alive\r\n")
        self.assertNotIn(": forgotten", terminal.raw)
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), 0)

    def test_the_end_by_a_signal_restores_the_terminal(self):
        self.agent_file()
        terminal = Terminal(self)
        before = termios.tcgetattr(terminal.master)
        terminal.expect("triage> ")
        terminal.type("ec")
        terminal.expect("ec")
        self.assertNotEqual(termios.tcgetattr(terminal.master)[3], before[3])
        terminal.program.send_signal(signal.SIGTERM)
        self.assertEqual(terminal.wait(), 143)
        self.assertEqual(termios.tcgetattr(terminal.master)[3], before[3])
        self.assert_no_children()


class StreamingTest(Case):
    def test_text_comes_as_it_is_said_with_calls_between(self):
        server = ModelServer(self, [{"reasoning_content": "Hmm, "}, {"reasoning_content": "greet."},
                                    *words("Let me ", None, "see."), call("greet", {"name": "Ada"})],
                             words("Hello", None, " Ada"))
        self.agent_file(models={"default": server.block()},
                        agents=[{"name": "helper", "instructions": "Help.", "mcp_servers": ["stub"]}])
        terminal = Terminal(self)
        terminal.expect("helper> ")
        terminal.type("hi\r")
        terminal.expect(r"\[thought\] Hmm, greet\.\r\nhelper: Let me $")
        self.assertIn("\x1b[2m[thought] Hmm, ", terminal.raw)
        self.assertIn("\x1b[1mhelper:\x1b[0m Let me ", terminal.raw)
        server.go()
        terminal.expect(r"see\.\r\n\[tool\] greet {\"name\":\"Ada\"}\r\n\[tool\] greet => hello Ada\r\nhelper: Hello$")
        server.go()
        terminal.expect(r" Ada\r\nhelper> ")
        self.assertEqual(terminal.plain().count("Hello"), 1)

    def test_an_interrupt_in_the_middle_of_a_text_ends_it(self):
        server = ModelServer(self, words("One ", None, "two"), words("three"))
        self.agent_file(models={"default": server.block()})
        terminal = Terminal(self)
        terminal.expect("triage> ")
        terminal.type("go\r")
        terminal.expect("triage: One ")
        terminal.type("\x03")
        terminal.expect(r"\r\nerror: cancelled")
        server.go()
        terminal.expect("triage> ")
        terminal.type("again\r")
        terminal.expect(r"triage: three\r\n")
        self.assertNotIn("two", terminal.plain())


class ApprovalDialogTest(ApprovalCase):
    def ask(self, prompt, *arguments, **file):
        """A terminal in which a prompt has led to a question."""
        self.careful_file(**file)
        terminal = Terminal(self, *arguments)
        terminal.expect("helper> ")
        terminal.type(prompt + "\r")
        terminal.expect(r"\[approval\] helper wants to call greet with\r\n{\r\n  \"name\": ")
        terminal.expect("approve\\? ")
        return terminal

    def test_yes(self):
        terminal = self.ask("greet Eve")
        terminal.type("maybe\r")
        terminal.expect("y yes, n no")
        terminal.expect("approve\\? ")
        terminal.type("y\r")
        terminal.expect(r"\[tool\] greet => hello Eve\r\nhelper: The tool said: hello Eve\r\nhelper> ")
        terminal.type("greet Eve\r")
        terminal.expect("approve\\? ")

    def test_no_with_a_reason_and_without(self):
        terminal = self.ask("greet Eve")
        terminal.type("n\r")
        terminal.expect("why not")
        terminal.type("not today\r")
        terminal.expect(r"helper: The tool said: not today\r\nhelper> ")
        terminal.type("greet Eve\r")
        terminal.expect("approve\\? ")
        terminal.type("No\r")
        terminal.expect("why not")
        terminal.type("\r")
        terminal.expect("was not approved")

    def test_always_holds_for_the_session(self):
        terminal = self.ask("greet Eve")
        terminal.type("a\r")
        terminal.expect(r"hello Eve\r\nhelper> ")
        terminal.type("greet Bob\r")
        terminal.expect(r"helper: The tool said: hello Bob\r\nhelper> ")
        terminal.type("!new\r")
        terminal.expect("helper> ")
        terminal.type("greet Bob\r")
        terminal.expect("approve\\? ")

    def test_arguments_are_edited_until_they_are_json_that_fits(self):
        terminal = self.ask("greet Eve")
        terminal.type("e\r")
        terminal.expect(r'arguments> {"name":"Eve"}')
        terminal.type("\x7f\r")
        terminal.expect(r'arguments> {"name":"Eve"')
        # The name becomes a number, which the tool does not take.
        terminal.type("\x15{\"name\": 5}\r")
        terminal.expect("do not fit the tool")
        terminal.expect("approve\\? ")
        terminal.type("e\r")
        terminal.expect(r'arguments> {"name":"Eve"}')
        terminal.type("\x7f\x7f\x7f\x7f\x7ffür Ünal\"}\r")
        terminal.expect(r'\[tool\] greet {"name":"für Ünal"}')
        terminal.expect(r"helper: The tool said: hello für Ünal\r\n")

    def test_an_empty_line_ends_the_editing(self):
        terminal = self.ask("greet Eve")
        terminal.type("e\r")
        terminal.expect(r'arguments> {"name":"Eve"}')
        terminal.type("\x15\r")
        terminal.expect("approve\\? ")
        terminal.type("y\r")
        terminal.expect("hello Eve")

    def test_several_are_asked_for_one_after_the_other(self):
        terminal = self.ask("both")
        terminal.type("y\r")
        terminal.expect(r'"name": "Bob"')
        self.assertNotIn("[tool] greet", terminal.plain())
        terminal.expect("approve\\? ")
        terminal.type("n\r")
        terminal.expect("why not")
        terminal.type("\r")
        terminal.expect(r"\[tool\] greet {\"name\":\"Ada\"}\r\n\[tool\] greet => hello Ada\r\n")
        terminal.expect("One said: hello Ada")

    def test_an_interrupt_cancels_the_run(self):
        terminal = self.ask("greet Eve")
        terminal.type("\x03")
        terminal.expect("error: cancelled")
        terminal.expect("helper> ")
        terminal.type("echo alive\r")
        terminal.expect(r"helper: alive\r\n")

    def test_answers_are_not_kept_in_the_history(self):
        terminal = self.ask("greet Eve")
        terminal.type("y\r")
        terminal.expect(r"hello Eve\r\nhelper> ")
        terminal.type("\x1b[A\r")
        terminal.expect("helper wants to call greet")

    def test_hidden_characters_of_arguments_show(self):
        terminal = self.ask("greet \u202eEve\u200b")
        self.assertIn(r'"name": "\u202eEve\u200b"', terminal.plain())
        terminal.type("y\r")
        terminal.expect("hello \u202eEve\u200b")

    def test_a_session_that_waits_is_asked_for_when_it_is_opened(self):
        terminal = self.ask("greet Eve", "--session", "s")
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), 4)
        terminal = Terminal(self, "--session", "s")
        terminal.expect("waits for approval")
        terminal.expect(r'"name": "Eve"')
        terminal.expect("approve\\? ")
        terminal.type("y\r")
        terminal.expect(r"helper: The tool said: hello Eve\r\nhelper> ")
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), 0)

    def test_a_run_that_paused_elsewhere_is_asked_for_before_the_prompt(self):
        self.careful_file()
        self.assertEqual(self.troupe("run", "--session", "s", "echo begin").returncode, 0)
        terminal = Terminal(self, "--session", "s")
        terminal.expect("helper> ")
        self.paused("--session", "s", "greet Eve")
        terminal.type("echo mine\r")
        terminal.expect("waits for approval")
        terminal.expect("approve\\? ")
        terminal.type("y\r")
        terminal.expect(r"helper: The tool said: hello Eve\r\nhelper: mine\r\nhelper> ")


if __name__ == "__main__":
    unittest.main()
