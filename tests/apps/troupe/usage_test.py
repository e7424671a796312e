"""The command line: what is refused, how, and with which exit code."""

import json
import re
import unittest

from support import Case


class UsageTest(Case):
    def test_version_is_printed(self):
        done = self.troupe("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^troupe \d+\.\d+\.\d+\n$")

    def test_help_names_all_subcommands_and_shows_examples(self):
        done = self.troupe("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("serve", "chat", "run", "check", "Examples:"):
            self.assertIn(word, done.stdout)
        for subcommand in ("serve", "chat", "run", "check"):
            with self.subTest(subcommand):
                done = self.troupe(subcommand, "--help")
                self.assertEqual(done.returncode, 0)
                self.assertIn("--config", done.stdout)
                self.assertIn("Examples:", done.stdout)

    def test_wrong_usage_exits_2_and_says_so_on_stderr_only(self):
        self.agent_file()
        for arguments in ([], ["dance"], ["serve", "--nonsense"], ["serve", "--port", "70000"], ["serve", "--port", "x"],
                          ["run"], ["run", "two", "words"], ["run", ""], ["check", "--log-level", "loud"],
                          ["run", "--session", "has space", "hi"], ["run", "--session", "x" * 129, "hi"],
                          ["chat", "--session", ""], ["run", "--agent", "nobody", "hi"], ["chat", "--agent", "nobody"],
                          ["run", "--approve", "all", "hi"], ["run", "--resume", "run_1", "hi"],
                          ["run", "--resume", "run_1", "--session", "s"], ["run", "--resume", "run_1", "--budget", "turns=1"],
                          ["run", "--resume", "run_1", "--agent", "helper"], ["run", "--json", "--stream", "hi"],
                          ["key"], ["key", "old"], ["key", "new", "--name", "a b"], ["key", "new", "--name", "jwt:ada"],
                          ["key", "new", "--name", ""], ["key", "new", "--name", "x" * 65]):
            with self.subTest(arguments):
                done = self.troupe(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertNotEqual(done.stderr, "")

    def test_what_is_wrong_with_the_command_line_is_named(self):
        for arguments, words in (([], "subcommand is missing"), (["dance"], 'no subcommand "dance"'),
                                 (["--nonsense"], "no option --nonsense; see"), (["key", "new", "--nmae", "x"], "see troupe key new --help"), (["cehck"], "did you mean check?"),
                                 (["--conifg"], "did you mean --config?"), (["check", "--jsno"], "did you mean --json?"),
                                 (["run", "--budge=turns=1", "hi"], "no option --budge; did you mean --budget?"),
                                 (["run", "hi", "--stram"], "did you mean --stream?"), (["run"], "PROMPT"), (["run", "two", "words"], "words"),
                                 (["serve", "--port", "70000"], "--port")):
            with self.subTest(arguments):
                self.assertIn(words, self.troupe(*arguments).stderr)

    def test_budgets_and_contexts_that_cannot_be_are_named(self):
        self.agent_file()
        for option, value, words in (("--budget", "turns", "KEY=VALUE"), ("--budget", "turns=", "KEY=VALUE"),
                                     ("--budget", "=5", "KEY=VALUE"), ("--budget", "turns=x", "'turns'"),
                                     ("--budget", "turns=-1", "'turns'"), ("--budget", "turns=1.5", "'turns'"),
                                     ("--budget", "cost=-0.1", "'cost'"),
                                     ("--budget", "tunrs=1", "'tunrs' is unknown; did you mean 'turns'?"),
                                     ("--budget", "sums=1", "bounds are 'turns'"),
                                     ("--budget", "wall_time_ms=1", "write wall_time, in seconds"),
                                     ("--budget", "wall_time=soon", "'wall_time'"),
                                     ("--budget", "wall_time=-1", "'wall_time'"),
                                     ("--budget", "wall_time=1e300", "'wall_time'"), ("--context", "[]", "JSON object"),
                                     ("--context", "{", "--context"), ("--context", '{"a":\x01}', "--context")):
            with self.subTest(value):
                done = self.troupe("run", option, value, "who are you")
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(words, done.stderr)
        done = self.troupe("run", "--budget", "turns=1", "--budget", "turns=2", "who are you")
        self.assertEqual(done.returncode, 2)
        self.assertIn("given twice", done.stderr)

    def test_an_unknown_agent_is_answered_with_the_known_ones(self):
        self.agent_file()
        done = self.troupe("run", "--agent", "nobody", "hi")
        self.assertIn('"nobody"', done.stderr)
        self.assertIn("triage, helper", done.stderr)

    def test_without_a_file_a_minimal_one_is_shown_that_works(self):
        for arguments in (["serve"], ["chat"], ["run", "hi"], ["check"]):
            with self.subTest(arguments):
                done = self.troupe(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, "")
                self.assertIn("./troupe.yaml", done.stderr)
        shown = "".join(line[4:] for line in done.stderr.splitlines(True) if line.startswith("    "))
        (self.folder / "troupe.yaml").write_text(shown)
        self.environment["OPENAI_API_KEY"] = "sk-test"
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([agent["name"] for agent in json.loads(done.stdout)["agents"]], ["assistant"])

    def test_the_working_directory_s_file_is_used_without_c(self):
        self.agent_file()
        self.assertEqual(self.troupe("run", "who are you").stdout, "I am triage.\n")

    def test_c_stands_before_or_after_the_subcommand(self):
        path = self.agent_file("other.yaml")
        self.assertEqual(self.troupe("run", "-c", str(path), "who are you").stdout, "I am triage.\n")
        self.assertEqual(self.troupe("run", f"--config={path}", "who are you").stdout, "I am triage.\n")
        self.assertEqual(self.troupe("-c", str(path), "run", "who are you").stdout, "I am triage.\n")

    def test_all_errors_of_a_file_are_printed_one_a_line_with_their_place(self):
        path = self.agent_file("bad.yaml", agents=[{"name": "a", "instructions": "x", "handoffs": ["nobody"]}], sesions={})
        done = self.troupe("run", "-c", str(path), "hi")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertGreaterEqual(len(lines), 2)
        for line in lines:
            self.assertRegex(line, rf"^{re.escape(str(path))}:\d+:\d+: \S")
        self.assertEqual(self.troupe("serve", "-c", str(path)).returncode, 2)
        self.assertEqual(self.troupe("chat", "-c", str(path)).returncode, 2)

    def test_a_file_that_cannot_be_read_is_named(self):
        done = self.troupe("run", "-c", "absent.yaml", "hi")
        self.assertEqual(done.returncode, 2)
        self.assertIn("absent.yaml", done.stderr)

    def test_logs_are_json_lines_on_request(self):
        self.agent_file()
        done = self.troupe("run", "--log-json", "--log-level", "trace", "greet Ada")
        self.assertEqual(done.stdout, "The tool said: hello Ada\n")
        entries = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertTrue(entries)
        for entry in entries:
            self.assertEqual(sorted(entry), ["level", "logger", "msg", "ts"])
            self.assertRegex(entry["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_nothing_is_logged_with_level_off(self):
        self.agent_file(mcpServers={"stub": self.stub("exit", restart="never")})
        done = self.troupe("run", "--log-level", "off", "who are you")
        self.assertEqual((done.stdout, done.stderr), ("I am triage.\n", ""))


if __name__ == "__main__":
    unittest.main()
