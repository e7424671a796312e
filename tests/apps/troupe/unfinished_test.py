"""`troupe run` and `troupe chat` in a session in which a kill -9 has left a run unfinished."""

import contextlib
import json
import signal
import sqlite3
import unittest

from model_server import ModelServer, call, words
from serving import ServingCase
from support import PATIENCE, read_line, wait_until
from terminal import Terminal

HELPER = [{"name": "helper", "instructions": "Help.", "mcp_servers": ["stub"]}]


class UnfinishedCase(ServingCase):
    def runs(self):
        """All that the journal knows of."""
        return [json.loads(line) for line in self.troupe("journal", "export").stdout.splitlines()]

    def left(self, begun, *arguments):
        """Kills a run once `begun()`; its id."""
        before = {run["run_id"] for run in self.runs()} if (self.folder / "sessions.db").exists() else set()
        program = self.start("run", *arguments)
        wait_until(begun, "the beginning of the call")
        self.kill(program)
        (run_id,) = {run["run_id"] for run in self.runs()} - before
        return run_id

    def left_waiting_for_a_tool(self, *arguments):
        run_id = self.left((self.folder / "wait").exists, *(arguments or ("--session", "s")), "wait")
        (self.folder / "wait").unlink()
        return run_id

    def status(self, run_id):
        (status,) = [run["status"] for run in self.runs() if run["run_id"] == run_id]
        return status

    def said(self, request):
        return [(message["role"], message.get("content")) for message in request["messages"] if message["role"] != "system"]


class RunTest(UnfinishedCase):
    def test_a_run_that_a_crash_left_is_ended_before_the_new_prompt(self):
        model = ModelServer(self, words(None, "never"), words("one"), words("two"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        run_id = self.left(lambda: model.requests, "--session", "s", "first")
        done = self.troupe("run", "--session", "s", "second")
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)
        self.assertEqual(done.stderr.splitlines(), [f"troupe: the run {run_id} was left unfinished, and goes on",
                                                    f"troupe: the run {run_id} is completed"])
        self.assertEqual(self.said(model.requests[2]), [("user", "first"), ("assistant", "one"), ("user", "second")])
        self.assertEqual(self.status(run_id), "completed")
        self.assert_no_children()

    def test_steps_that_are_complete_are_not_repeated(self):
        model = ModelServer(self, [call("greet", {"name": "Ada"})], words(None, "never"), words("one"), words("two"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        self.left(lambda: len(model.requests) == 2, "--session", "s", "first")
        done = self.troupe("run", "--session", "s", "second")
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)
        self.assertEqual(len(model.requests), 4)
        self.assertEqual(model.requests[2]["messages"], model.requests[1]["messages"])

    def test_a_call_in_doubt_pauses_it_and_the_prompt_is_refused_until_it_is_settled(self):
        self.durable_file()
        run_id = self.left_waiting_for_a_tool()
        done = self.troupe("run", "--session", "s", "echo hi")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        goes_on, doubt, hint, refusal = done.stderr.splitlines()
        self.assertIn(run_id, goes_on)
        doubt = json.loads(doubt)
        self.assertEqual((doubt["kind"], doubt["tool"], doubt["run_id"]), ("in_doubt", "wait", run_id))
        self.assertIn(f"troupe run --resume {run_id} and, for each call in doubt, --repeat ID", hint)
        self.assertIn("conflict", refusal)
        self.assertIn(run_id, refusal)
        self.assertFalse((self.folder / "wait").exists())
        for wrong in ("all", doubt["id"]):
            done = self.troupe("run", "--resume", run_id, "--approve", wrong)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("--repeat ID, --result ID=TEXT or --fail ID", done.stderr)
        done = self.troupe("run", "--resume", run_id, "--result", doubt["id"] + "=waited")
        self.assertEqual((done.returncode, done.stdout), (0, "The tool said: waited\n"))
        self.assertEqual(self.troupe("run", "--session", "s", "echo hi").stdout, "hi\n")

    def test_a_prompt_that_interrupts_takes_its_place(self):
        self.durable_file(sessions={"store": "sqlite", "path": "sessions.db", "on_busy": "interrupt"})
        run_id = self.left_waiting_for_a_tool()
        done = self.troupe("run", "--session", "s", "echo hi")
        self.assertEqual((done.returncode, done.stdout), (0, "hi\n"), done.stderr)
        self.assertEqual(self.status(run_id), "cancelled")

    def test_a_prompt_that_does_not_wait_is_refused_and_the_run_ends_all_the_same(self):
        model = ModelServer(self, words(None, "never"), words(None, "one"))
        self.durable_file(models={"default": model.block()}, agents=HELPER,
                          sessions={"store": "sqlite", "path": "sessions.db", "on_busy": "reject"})
        run_id = self.left(lambda: model.requests, "--session", "s", "first")
        program = self.start("run", "--session", "s", "second")
        self.assertIn("goes on", read_line(program.stderr))
        wait_until(lambda: len(model.requests) == 2, "the model's call")
        model.go()
        model.go()
        out, err = program.communicate(timeout=PATIENCE)
        self.assertEqual((program.returncode, out), (1, b""))
        completed, refusal = err.decode().splitlines()
        self.assertIn(f"{run_id} is completed", completed)
        self.assertIn("conflict", refusal)

    def test_one_whose_events_cannot_be_read_ends_and_so_does_the_program(self):
        self.durable_file()
        run_id = self.left_waiting_for_a_tool()
        with contextlib.closing(sqlite3.connect(self.folder / "sessions.db")) as database, database:
            database.execute("UPDATE runs SET outcome = '{', outcome_sum = 1")
        done = self.troupe("run", "--session", "s", "echo hi")
        self.assertEqual((done.returncode, done.stdout), (0, "hi\n"), done.stderr)
        self.assertIn(f"{run_id} has ended: store_failed", done.stderr)

    def test_runs_of_other_sessions_are_left_alone(self):
        self.durable_file()
        run_id = self.left_waiting_for_a_tool("--session", "other")
        done = self.troupe("run", "--session", "s", "echo hi")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "hi\n", ""))
        self.assertEqual(self.troupe("run", "echo ho").stderr, "")
        self.assertEqual(self.status(run_id), "running")
        _, port = self.serve()
        self.assertEqual(self.ends(port, run_id)["status"], "paused")

    def test_a_run_whose_process_lives_is_not_touched(self):
        self.durable_file()
        _, port = self.serve()
        run_id = self.chat(port, "slow", background=True, session_id="s")[1]["run_id"]
        wait_until((self.folder / "slow").exists, "the tool's beginning")
        done = self.troupe("run", "--session", "s", "echo hi")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "hi\n", ""))
        done = self.troupe("run", "--resume", run_id)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("not paused but running", done.stderr)
        (self.folder / "go").touch()
        self.assertEqual(self.ends(port, run_id)["result"], "The tool said: done at last")

    def test_one_behind_a_run_that_is_carried_elsewhere_waits_for_that(self):
        model = ModelServer(self, words(None) + [call("slow", {})], words("one"), words("two"))
        self.durable_file(models={"default": model.block()},
                          agents=[{**HELPER[0], "tools": {"slow": {"approval": "always"}}}])
        program, port = self.serve()
        first, second = (self.chat(port, prompt, background=True, session_id="s")[1]["run_id"] for prompt in ("1", "2"))
        wait_until(lambda: model.requests, "the model's call")
        model.go()
        self.assertEqual(self.ends(port, first)["status"], "paused")
        self.kill(program)
        carrier = self.start("run", "--resume", first, "--approve", "all", text=True)
        wait_until((self.folder / "slow").exists, "the tool's beginning")
        done = self.troupe("run", "--session", "s", "3")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        waits, refusal = done.stderr.splitlines()
        self.assertIn(f"the run {second} was left unfinished; it waits until the run {first} is settled", waits)
        self.assertIn(f"the session's run '{first}' is carried by another server", refusal)
        (self.folder / "go").touch()
        self.assertEqual(carrier.communicate(timeout=PATIENCE), ("one\n", ""))
        done = self.troupe("run", "--resume", second)
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)

    def test_that_the_agent_file_has_changed_since_is_told(self):
        model = ModelServer(self, words(None, "never"), words("two"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        run_id = self.left(lambda: model.requests, "--agent", "helper", "--session", "s", "first")
        self.durable_file(models={"default": model.block()}, agents=[{"name": "other", "instructions": "Help."}])
        done = self.troupe("run", "--session", "s", "second")
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)
        self.assertIn(f"the run '{run_id}', which was left unfinished, has failed for the agent file has changed",
                      done.stderr)

    def test_the_commands_it_tells_name_the_agent_file(self):
        self.durable_file()
        run_id = self.left_waiting_for_a_tool()
        path = self.durable_file(name="my agents.yaml")
        done = self.troupe("run", "-c", path.name, "--session", "s", "echo hi")
        self.assertIn(f"to go on: troupe run -c 'my agents.yaml' --resume {run_id} and", done.stderr)
        for command in ("run", "-c", path.name, "--session", "s", "echo hi"), ("chat", "-c", path.name, "--session", "s"):
            done = self.troupe(*command, text="echo hi\n")
            self.assertIn("has to be settled first", done.stderr)
            self.assertIn(f"troupe run -c 'my agents.yaml' --resume {run_id}\n", done.stderr)
            self.assertNotIn("cancel", done.stderr)

    def test_a_signal_leaves_it_to_the_next_one(self):
        model = ModelServer(self, words(None, "never"), words(None, "never"), words("one"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        run_id = self.left(lambda: model.requests, "--session", "s", "first")
        program = self.start("run", "--session", "s", "second", text=True)
        wait_until(lambda: len(model.requests) == 2, "the model's call")
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=PATIENCE)
        self.assertEqual((program.returncode, out), (130, ""))
        self.assertIn(f"the run {run_id} is left unfinished again", err)
        done = self.troupe("run", "--resume", run_id)
        self.assertEqual((done.returncode, done.stdout), (0, "one\n"), done.stderr)
        self.assertEqual(len(model.requests), 3)


class ResumeTest(UnfinishedCase):
    def test_a_run_that_a_crash_left_is_ended_as_if_it_were_this_command_s(self):
        model = ModelServer(self, words(None, "never"), words("one"), words(None, "never"), words("two"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        for number, (options, expected) in enumerate([([], "one\n"), (["--stream"], "two\n")]):
            run_id = self.left(lambda: len(model.requests) == 2 * number + 1, "first")
            done = self.troupe("run", *options, "--resume", run_id)
            self.assertEqual((done.returncode, done.stdout), (0, expected), done.stderr)
            self.assertEqual(done.stderr, f"troupe: the run {run_id} was left unfinished, and goes on\n")

    def test_a_call_in_doubt_pauses_it_and_what_was_decided_before_does_not_count(self):
        self.durable_file()
        run_id = self.left_waiting_for_a_tool()
        done = self.troupe("run", "--json", "--resume", run_id, "--approve", "all")
        self.assertEqual(done.returncode, 4, done.stderr)
        paused = json.loads(done.stdout)
        self.assertEqual((paused["status"], paused["run_id"]), ("paused", run_id))
        self.assertIn("nothing was decided", done.stderr)
        at = paused["interruptions"][0]["id"]
        self.assertEqual(self.troupe("run", "--resume", run_id, "--fail", at + "=broken").stdout, "The tool said: broken\n")

    def test_it_fails_as_it_would_have(self):
        self.durable_file(journal={"in_doubt": "fail"})
        run_id = self.left_waiting_for_a_tool()
        done = self.troupe("run", "--json", "--resume", run_id)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "in_doubt")

    def test_those_before_it_come_first_and_those_after_it_stay(self):
        model = ModelServer(self, words(None, "never"), words("one"), words("two"), words("three"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        program, port = self.serve()
        ids = [self.chat(port, prompt, background=True, session_id="s")[1]["run_id"] for prompt in ("1", "2", "3")]
        wait_until(lambda: model.requests, "the model's call")
        self.kill(program)
        done = self.troupe("run", "--resume", ids[1])
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)
        self.assertIn(f"the run {ids[0]} is completed", done.stderr)
        self.assertEqual([self.status(run_id) for run_id in ids], ["completed", "completed", "waiting"])
        self.assertEqual(self.troupe("run", "--resume", ids[2]).stdout, "three\n")

    def test_one_that_waits_for_a_paused_one_says_so(self):
        self.durable_file()
        program, port = self.serve()
        first = self.chat(port, "wait", background=True, session_id="s")[1]["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        second = self.chat(port, "echo hi", background=True, session_id="s")[1]["run_id"]
        self.kill(program)
        for _ in ("it pauses", "it is paused"):
            done = self.troupe("run", "--resume", second)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f"the run {second} was left unfinished; it waits until the run {first} is", done.stderr)
            self.assertIn("conflict", done.stderr)
        at = self.paused_at(first)
        self.assertEqual(self.troupe("run", "--resume", first, "--result", at + "=waited").returncode, 0)
        self.assertEqual(self.troupe("run", "--resume", second).stdout, "hi\n")

    def paused_at(self, run_id):
        done = self.troupe("run", "--json", "--resume", run_id)
        self.assertEqual(done.returncode, 4, done.stderr)
        return json.loads(done.stdout)["interruptions"][0]["id"]


class ChatTest(UnfinishedCase):
    def test_a_run_that_a_crash_left_is_ended_when_its_session_is_opened(self):
        model = ModelServer(self, words(None, "never"), words("one"), words("two"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        run_id = self.left(lambda: model.requests, "--session", "s", "first")
        done = self.troupe("chat", "--session", "s", text="second\n")
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)
        self.assertEqual(done.stderr.splitlines()[-1], f"troupe: the run {run_id} is completed")
        self.assertEqual(self.said(model.requests[2])[:2], [("user", "first"), ("assistant", "one")])

    def test_one_that_pauses_is_left_so(self):
        self.durable_file()
        run_id = self.left_waiting_for_a_tool()
        done = self.troupe("chat", "--session", "s")
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn(f"troupe run --resume {run_id}", done.stderr)
        self.assertEqual(self.troupe("chat", "--session", "s", text="echo hi\n").returncode, 1)

    def test_the_person_at_the_terminal_says_what_came_of_a_call_in_doubt(self):
        self.durable_file()
        for word, told, answer in (("o", "waited", "The tool said: waited"), ("f", "broken", "The tool said: broken")):
            with self.subTest(word):
                self.left_waiting_for_a_tool("--session", word)
                terminal = Terminal(self, "--session", word)
                terminal.expect(r"\[in doubt\] helper has called wait")
                terminal.expect("what now\\? ")
                terminal.type("y\r")
                terminal.expect("r make the call again")
                terminal.expect("what now\\? ")
                terminal.type(word + "\r")
                terminal.expect("for the model[^?]*\\? ")
                terminal.type(told + "\r")
                terminal.expect(rf"helper: {answer}\r\nhelper> ")

    def test_always_is_said_to_a_tool_s_calls_but_not_to_one_in_doubt(self):
        second = call("slow", {})
        second["tool_calls"][0].update(index=1, id="c2")
        model = ModelServer(self, [call("slow", {}), second], words("done"))
        self.durable_file(models={"default": model.block()},
                          agents=[{**HELPER[0], "tools": {"slow": {"approval": "always"}}}])
        paused = json.loads(self.troupe("run", "--json", "--session", "s", "go").stdout)
        program = self.start("run", "--resume", paused["run_id"], "--approve", paused["interruptions"][1]["id"])
        wait_until((self.folder / "slow").exists, "the tool's beginning")
        self.kill(program)
        (self.folder / "go").touch()
        terminal = Terminal(self, "--session", "s")
        terminal.expect("approve\\? ")
        terminal.type("a\r")
        terminal.expect(r"\[in doubt\] helper has called slow")
        terminal.expect("what now\\? ")
        terminal.type("o\r")
        terminal.expect("for the model[^?]*\\? ")
        terminal.type("told\r")
        terminal.expect(r"helper: done\r\n")
        said = [message["content"] for message in model.requests[1]["messages"] if message["role"] == "tool"]
        self.assertEqual(said, ["done at last", "told"])

    def test_the_person_at_the_terminal_has_a_call_in_doubt_made_again(self):
        self.durable_file()
        self.left_waiting_for_a_tool()
        terminal = Terminal(self, "--session", "s")
        terminal.expect("what now\\? ")
        terminal.type("r\r")
        wait_until((self.folder / "wait").exists, "the tool's beginning")

    def test_the_person_at_the_terminal_sees_the_answer_and_goes_on(self):
        model = ModelServer(self, words(None, "never"), words("one"), words("two"))
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        self.left(lambda: model.requests, "--session", "s", "first")
        terminal = Terminal(self, "--session", "s")
        terminal.expect(r"helper: one\r\n")
        terminal.expect("helper> ")
        terminal.type("second\r")
        terminal.expect(r"helper: two\r\n")


if __name__ == "__main__":
    unittest.main()
