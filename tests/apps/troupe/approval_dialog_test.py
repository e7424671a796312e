"""`troupe chat` asks in the terminal where a call needs approval."""

import unittest

from support import ApprovalCase
from terminal import Terminal


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
        terminal.expect("y yes, n no[^\r]*, then Enter;")
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
        terminal.expect(r"\[tool\] greet {\"name\":\"Ada\"}\r\n")
        terminal.expect(r"\[tool\] greet failed: The call of 'greet' was not approved\.\r\n")
        terminal.expect(r"\[tool\] greet => hello Ada\r\n")
        terminal.expect("One said: hello Ada")

    def test_what_is_approved_always_is_not_asked_for_again_in_the_same_pause(self):
        terminal = self.ask("both")
        terminal.type("a\r")
        terminal.expect("One said: hello Ada")
        self.assertNotIn('"name": "Bob"', terminal.plain())

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
        terminal.expect("hello Eve\u200b")

    def test_a_session_that_waits_is_asked_for_when_it_is_opened(self):
        terminal = self.ask("greet Eve", "--session", "s")
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), 4)
        terminal = Terminal(self, "--session", "s")
        terminal.expect("waits for a decision")
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
        terminal.expect("waits for a decision")
        terminal.expect("approve\\? ")
        terminal.type("y\r")
        terminal.expect(r"helper: The tool said: hello Eve\r\nhelper: mine\r\nhelper> ")


if __name__ == "__main__":
    unittest.main()
