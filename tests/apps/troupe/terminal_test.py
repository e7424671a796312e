"""`troupe chat` in a terminal: line editing, history, commands, ^C and streaming."""

import signal
import stat
import termios
import unittest

from model_server import ModelServer, call, words
from support import Case
from terminal import Terminal


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
        terminal.expect(r": alive\r\n\w+> ")
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


if __name__ == "__main__":
    unittest.main()
