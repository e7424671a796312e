"""Runs that wait for an approval, without a terminal: exit codes, what is told, and how they go on."""

import json
import unittest

from support import ApprovalCase

class PauseTest(ApprovalCase):
    def test_a_pause_has_an_exit_code_of_its_own_and_is_told_as_json_lines(self):
        self.careful_file()
        one, two = self.paused("both")
        self.assertEqual(one["run_id"], two["run_id"])
        self.assertTrue(one["run_id"].startswith("run_"))
        self.assertNotEqual(one["id"], two["id"])
        for told, name in ((one, "Ada"), (two, "Bob")):
            self.assertEqual((told["kind"], told["agent"], told["tool"], told["arguments"]),
                             ("tool", "helper", "greet", {"name": name}))

    def test_json_tells_of_the_pause_on_stdout(self):
        self.careful_file()
        done = self.troupe("run", "--json", "--session", "s-1", "greet Eve")
        self.assertEqual(done.returncode, 4)
        told = json.loads(done.stdout)
        self.assertEqual(sorted(told), ["agent", "interruptions", "items", "run_id", "session_id", "status", "usage"])
        self.assertEqual((told["status"], told["session_id"]), ("paused", "s-1"))
        self.assertEqual(told["interruptions"][0]["arguments"], {"name": "Eve"})
        self.assertEqual(told["run_id"], json.loads(done.stderr)["run_id"])

    def test_the_context_decides_where_the_agent_file_says_so(self):
        self.careful_file({"when": "context.strict"})
        self.assertEqual(self.troupe("run", "greet Eve").stdout, "The tool said: hello Eve\n")
        self.assertEqual(self.troupe("run", "--context", '{"strict": false}', "greet Eve").returncode, 0)
        self.assertEqual(self.troupe("run", "--context", '{"strict": true}', "greet Eve").returncode, 4)

    def test_control_characters_of_arguments_stay_escaped(self):
        self.careful_file()
        done = self.troupe("run", "greet \x1b[31m\u009bEve")
        self.assertEqual(done.returncode, 4)
        self.assertTrue(done.stderr.isascii())
        self.assertNotIn("\x1b", done.stderr)
        self.assertEqual(json.loads(done.stderr)["arguments"], {"name": "\x1b[31m\u009bEve"})

    def test_memory_is_warned_of(self):
        self.careful_file(sessions={"store": "memory"})
        done = self.troupe("run", "greet Eve")
        self.assertEqual(done.returncode, 4)
        self.assertIn("kept in memory", done.stderr)


class ResumeTest(ApprovalCase):
    def test_an_approved_run_goes_on_in_another_process(self):
        self.careful_file()
        run = self.paused("greet Eve")[0]["run_id"]
        done = self.troupe("run", "--resume", run, "--approve", "all")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "The tool said: hello Eve\n", ""))
        self.assert_no_children()

    def test_a_run_is_resumed_once(self):
        self.careful_file()
        run = self.paused("greet Eve")[0]["run_id"]
        self.assertEqual(self.troupe("run", "--resume", run, "--approve", "all").returncode, 0)
        done = self.troupe("run", "--resume", run, "--approve", "all")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not paused but completed", done.stderr)

    def test_a_rejection_reaches_the_model_with_its_reason(self):
        self.careful_file()
        told = self.paused("greet Eve")[0]
        done = self.troupe("run", "--resume", told["run_id"], "--reject", told["id"] + "=a=b, not today")
        self.assertEqual(done.stdout, "The tool said: a=b, not today\n")
        told = self.paused("greet Eve")[0]
        done = self.troupe("run", "--resume", told["run_id"], "--reject", told["id"])
        self.assertIn("was not approved", done.stdout)

    def test_arguments_can_be_replaced(self):
        self.careful_file()
        told = self.paused("greet Eve")[0]
        done = self.troupe("run", "--json", "--resume", told["run_id"], "--approve", "all", "--arguments",
                           told["id"] + '={"name": "Mallory"}')
        told = json.loads(done.stdout)
        self.assertEqual((told["result"], told["status"]), ("The tool said: hello Mallory", "completed"))
        self.assertEqual(told["usage"]["requests"], 2)

    def test_what_is_not_decided_pauses_again(self):
        self.careful_file()
        one, two = self.paused("both")
        run = one["run_id"]
        left = self.paused("--resume", run, "--approve", one["id"])
        self.assertEqual([each["id"] for each in left], [two["id"]])
        self.assertEqual(self.paused("--resume", run), left)
        done = self.troupe("run", "--stream", "--resume", run, "--reject", two["id"])
        self.assertEqual((done.returncode, done.stdout), (0, "One said: hello Ada\n"))

    def test_decisions_that_do_not_fit_change_nothing(self):
        self.careful_file()
        told = self.paused("greet Eve")[0]
        run, at = told["run_id"], told["id"]
        for arguments, words in ((["--approve", "9.9"], f"waits for {at}"), (["--reject", "9.9=x"], "9.9"),
                                 (["--approve", at, "--reject", at], "two decisions"),
                                 (["--approve", at, "--approve", at], "two decisions"),
                                 (["--repeat", at], "--approve or --reject"),
                                 (["--arguments", at + "={}"], "not approved"),
                                 (["--approve", at, "--arguments", at + "=[]"], "JSON object"),
                                 (["--approve", at, "--arguments", at + "={"], "JSON object"),
                                 (["--approve", at, "--arguments", "9.9={}"], "9.9")):
            with self.subTest(arguments):
                done = self.troupe("run", "--resume", run, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(words, done.stderr)
        done = self.troupe("run", "--resume", run, "--approve", at, "--arguments", at + '={"name": 5}')
        self.assertEqual(done.returncode, 1)
        self.assertIn("do not fit the tool", done.stderr)
        self.assertEqual(self.troupe("run", "--resume", run, "--approve", at).stdout, "The tool said: hello Eve\n")

    def test_a_run_that_is_not_there_is_said_so(self):
        self.careful_file()
        done = self.troupe("run", "--resume", "run_none", "--approve", "all")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("unknown_run", done.stderr)

    def test_memory_has_nothing_to_resume(self):
        self.careful_file(sessions={"store": "memory"})
        done = self.troupe("run", "--resume", "run_1", "--approve", "all")
        self.assertEqual(done.returncode, 2)
        self.assertIn("sqlite", done.stderr)


class PipedChatTest(ApprovalCase):
    def test_the_next_prompt_cancels_a_paused_run(self):
        self.careful_file()
        done = self.troupe("chat", "--session", "s", text="greet Eve\necho on\n")
        self.assertEqual((done.returncode, done.stdout), (1, "on\n"))
        told, hint, cancelled = done.stderr.splitlines()
        run = json.loads(told)["run_id"]
        self.assertIn(run, hint)
        self.assertIn("cancelled", cancelled)
        self.assertEqual(self.troupe("run", "--session", "s", "echo more").stdout, "more\n")
        self.assertEqual(self.troupe("run", "--resume", run).returncode, 1)

    def test_one_that_comes_last_can_be_resumed(self):
        self.careful_file()
        done = self.troupe("chat", "--session", "s", text="echo on\ngreet Eve\n")
        self.assertEqual((done.returncode, done.stdout), (4, "on\n"))
        run = json.loads(done.stderr.splitlines()[0])["run_id"]
        # It is not this chat's to cancel.
        done = self.troupe("chat", "--session", "s", text="echo blocked\n")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(run, done.stderr)
        self.assertEqual(self.troupe("run", "--resume", run, "--approve", "all").stdout, "The tool said: hello Eve\n")


if __name__ == "__main__":
    unittest.main()
