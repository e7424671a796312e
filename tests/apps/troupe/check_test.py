"""`troupe check`: what is in an agent file, and does it come up?"""

import json
import unittest

from support import Case


class CheckTest(Case):
    def test_json_tells_agents_and_servers(self):
        self.agent_file()
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        tools = ["greet", "wait", "slow", "naughty", "break"]
        told = json.loads(done.stdout)
        self.assertEqual(told["agents"], [
            {"name": "triage", "kind": "model", "model": "default", "tools": [], "handoffs": ["helper"], "members": [],
             "guardrails": []},
            {"name": "helper", "kind": "model", "model": "default", "tools": tools, "handoffs": [], "members": [],
             "guardrails": []},
        ])
        self.assertEqual(told["models"], [{"name": "default", "provider": "scripted", "model": None, "fallbacks": []}])
        self.assertEqual((told["hooks"], told["errors"], told["warnings"]), ([], [], []))
        self.assertEqual(told["mcp_servers"], [{
            "name": "stub", "state": "ready", "protocol_version": "2025-11-25",
            "server_info": {"name": "stub", "version": "1.2.3"}, "tools": tools,
        }])
        self.assert_no_children()

    def test_text_names_all_of_it(self):
        self.agent_file()
        done = self.troupe("check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("triage", "helper", "stub", "ready", "2025-11-25", "greet, wait, slow, naughty, break"):
            self.assertIn(word, done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_teams_guardrails_fallbacks_and_hooks_are_told(self):
        rules = [{"say": "hi"}]
        models = {"default": {"provider": "openai", "model": "gpt-x", "fallbacks": ["spare"]},
                  "spare": {"provider": "scripted", "rules": rules}}
        member = {"instructions": "x", "input_guardrails": ["short"], "output_guardrails": ["short"]}
        agents = [{"name": "team", "kind": "parallel", "members": ["one", "two"], "join": {"judge": "three"}},
                  {"name": "one", **member}, {"name": "two", "instructions": "x"}, {"name": "three", "instructions": "x"}]
        self.agent_file(models=models, agents=agents, mcpServers={},
                        guardrails={"short": {"type": "length", "max": 100}},
                        hooks=[{"name": "audit", "url": "http://127.0.0.1:1/", "on": ["before_run"]}])
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        team, one = told["agents"][:2]
        self.assertEqual((team["kind"], team["model"], team["members"]), ("parallel", None, ["one", "two", "three"]))
        self.assertEqual((one["kind"], one["guardrails"]), ("model", ["short"]))
        self.assertEqual(told["models"][0], {"name": "default", "provider": "openai", "model": "gpt-x", "fallbacks": ["spare"]})
        self.assertEqual(told["hooks"], [{"name": "audit", "points": ["before_run"]}])
        text = self.troupe("check").stdout
        for words in ("parallel", "one, two, three", "GUARDRAILS", "short", "spare", "audit", "before_run"):
            self.assertIn(words, text)

    def test_a_cassette_that_cannot_be_read_is_an_error(self):
        self.agent_file(models={"default": {"provider": "replay", "cassette": "tape.jsonl"}})
        for content in (None, "{}\n", "no JSON\n"):
            with self.subTest(content):
                if content is not None:
                    (self.folder / "tape.jsonl").write_text(content)
                done = self.troupe("check")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("tape.jsonl", done.stderr)
                told = json.loads(self.troupe("check", "--json").stdout)
                self.assertEqual([one["file"] for one in told["errors"]], ["troupe.yaml"])
                self.assertIn("tape.jsonl", told["errors"][0]["message"])
                self.assertEqual(told["errors"][0]["line"] is None, content is not None)

    def test_a_server_that_ends_is_failed_and_the_exit_code_is_1(self):
        self.agent_file(mcpServers={"good": self.stub(), "stub": self.stub("exit")})
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 1)
        good, bad = json.loads(done.stdout)["mcp_servers"]
        self.assertEqual((good["state"], bad["state"], bad["tools"]), ("ready", "failed", []))
        self.assertNotIn("error", good)
        self.assertTrue(bad["error"])
        self.assert_no_children()

    def test_a_command_that_does_not_exist_is_said_to_people(self):
        self.agent_file(mcpServers={"stub": {"command": "/nowhere/at/all"}})
        done = self.troupe("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("failed", done.stdout)
        self.assertIn("/nowhere/at/all", done.stdout)

    def test_a_silent_server_fails_at_its_startup_timeout(self):
        self.agent_file(mcpServers={"stub": self.stub("silent", startup_timeout="300ms")})
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["mcp_servers"][0]["state"], "failed")
        self.assert_no_children()

    def test_a_bad_file_exits_1(self):
        path = self.agent_file(agents=[{"name": "a", "instructions": "x", "handoffs": ["nobody"]}])
        done = self.troupe("check", "-c", str(path))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"{path}:", done.stderr)

    def test_json_tells_what_is_wrong_with_a_bad_file(self):
        path = self.folder / "bad.yaml"
        path.write_text("models:\n  default: {provider: scripted, rules: [{say: hi}]}\n"
                        "agents: [{name: a, handofs: [b]}]\nsessions: {store: memory, path: x}\n")
        done = self.troupe("check", "--json", "-c", str(path))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:3:20: unknown key 'handofs'", done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(sorted(told), ["errors", "warnings"])
        self.assertEqual(told["errors"], [{"file": str(path), "line": 3, "column": 20, "message":
                                           "unknown key 'handofs' in agent 'a'; did you mean 'handoffs'?"}])
        self.assertEqual([(one["line"], one["column"]) for one in told["warnings"]], [(4, 27)])
        told = json.loads(self.troupe("check", "--json", "-c", "absent.yaml").stdout)
        self.assertEqual((told["errors"][0]["file"], told["errors"][0]["line"]), ("absent.yaml", None))

    def test_tools_that_nobody_has_are_hinted_at_with_their_place(self):
        agents = [{"name": "helper", "instructions": "x", "mcp_servers": ["stub"],
                   "model_settings": {"tool_choice": "gret"},
                   "tools": {"greet": {"approval": {"when": "arguments.nam == 'Ada'"}}}}]
        rules = {"default": {"provider": "scripted", "rules": [{"say": "hi"}]}}
        self.agent_file(agents=agents, models=rules, mcpServers={"stub": self.stub(blocked_tools=["brek"])})
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        hints = json.loads(done.stdout)["warnings"]
        self.assertEqual(len(hints), 3, hints)
        lines = (self.folder / "troupe.yaml").read_text().splitlines()
        for hint, wrong, right in zip(hints, ("brek", "gret", "nam"), ("break", "greet", "name")):
            self.assertIn(wrong, lines[hint["line"] - 1])
            self.assertIn(f"'{wrong}'", hint["message"])
            self.assertIn(f"did you mean '{right}'?", hint["message"])
            self.assertIn(f"troupe.yaml:{hint['line']}:{hint['column']}: ", done.stderr)
        self.assertIn("did you mean 'break'?", self.troupe("check").stdout)

    def test_tools_of_a_server_that_does_not_come_up_are_not_hinted_at(self):
        self.agent_file(mcpServers={"stub": self.stub("exit", blocked_tools=["brek"])})
        self.assertEqual(json.loads(self.troupe("check", "--json").stdout)["warnings"], [])

    def test_tools_that_two_servers_share_are_shown_renamed(self):
        agents = [{"name": "both", "instructions": "x", "mcp_servers": ["one", "two"]}]
        rules = {"default": {"provider": "scripted", "rules": [{"say": "hi"}]}}
        self.agent_file(mcpServers={"one": self.stub(), "two": self.stub()}, agents=agents, models=rules)
        tools = json.loads(self.troupe("check", "--json").stdout)["agents"][0]["tools"]
        self.assertIn("one_greet", tools)
        self.assertIn("two_greet", tools)
        self.assertNotIn("greet", tools)

    def test_allowed_and_blocked_tools_are_heeded(self):
        server = self.stub(allowed_tools=["greet", "wait"], blocked_tools=["wait"])
        self.agent_file(mcpServers={"stub": server})
        done = self.troupe("check", "--json")
        self.assertEqual(json.loads(done.stdout)["agents"][1]["tools"], ["greet"])
        self.assertEqual(done.stderr, "")

    def test_an_allowed_tool_that_is_not_there_is_warned_of(self):
        self.agent_file(mcpServers={"stub": self.stub(allowed_tools=["greet", "gret"])})
        done = self.troupe("check")
        self.assertEqual(done.returncode, 0)
        self.assertIn("names 'gret', which is no tool of the server; did you mean 'greet'?", done.stdout)
        self.assertNotIn("names 'greet'", done.stdout)
        done = self.troupe("check", "--json")
        self.assertEqual(json.loads(done.stdout)["mcp_servers"][0]["tools"], ["greet"])
        self.assertIn("'gret'", done.stderr)


if __name__ == "__main__":
    unittest.main()
