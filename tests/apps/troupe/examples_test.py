"""The agent files under examples/ do what they promise."""

import json
import re
import shutil
import unittest

from support import HOSTWATCH, ROOT, Case


def meminfo(entry):
    with open("/proc/meminfo") as table:
        return next(int(line.split()[1]) * 1024 for line in table if line.startswith(entry + ":"))


class ExamplesTest(Case):
    def hostwatch(self, example="hostwatch"):
        """The example with this build's server in place of the release build's."""
        text = (ROOT / "examples" / example / "troupe.yaml").read_text()
        command = "../../build/release/bin/hostwatch"
        self.assertEqual(text.count(command), 1)
        (self.folder / "troupe.yaml").write_text(text.replace(command, HOSTWATCH))

    def test_hostwatch_tells_this_machine_s_memory(self):
        self.hostwatch()
        done = self.troupe("run", "--json", "How much memory is free?")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["agent"], "hostwatch")
        total = meminfo("MemTotal") / 1024**3
        sizes = [float(size) for size in re.findall(r"([\d.]+) GiB", told["result"])]
        self.assertIn(round(total, 1), sizes, told["result"])
        outputs = [item for item in told["items"] if item["type"] == "function_call_output"]
        self.assertEqual(json.loads(outputs[1]["output"])["total_bytes"], meminfo("MemTotal"))

    def test_hostwatch_answers_the_questions_that_it_suggests(self):
        self.hostwatch()
        for prompt, tool in (("Is there enough RAM?", "memory"), ("How full are the disks?", "disk_usage"),
                             ("What is the CPU load?", "cpu_load"), ("Is the machine busy?", "cpu_load"),
                             ("Which processes use most memory?", "top_processes"),
                             ("Show me the top processes", "top_processes"),
                             ("How much space is left on /?", "disk_usage"),
                             ("Show the last 5 lines of dpkg.log", "tail_log")):
            with self.subTest(prompt):
                done = self.troupe("run", "--json", prompt)
                self.assertEqual(done.returncode, 0, done.stderr)
                told = json.loads(done.stdout)
                self.assertIn(tool, [item.get("name") for item in told["items"]])
                self.assertNotIn("{{", told["result"])

    def test_hostwatch_goes_on_in_a_session(self):
        self.hostwatch()
        done = self.troupe("chat", text="How much memory is free?\nAnd the disks?\nHello!\nWhat is the capital of Peru?\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("[tool] disk_usage", done.stdout)

    def test_hostwatch_tells_what_can_be_asked(self):
        self.hostwatch()
        for prompt in ("Hello", "Thanks!", "What can you do?", "Tell me a joke"):
            with self.subTest(prompt):
                done = self.troupe("run", prompt)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("memory", done.stdout)
                self.assertIn("disk", done.stdout)

    def test_hostwatch_passes_the_check(self):
        self.hostwatch()
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        server, = json.loads(done.stdout)["mcp_servers"]
        self.assertEqual(sorted(server["tools"]), ["cpu_load", "disk_usage", "memory", "tail_log", "top_processes"])

    def test_approval_waits_for_a_word_and_goes_on_with_it(self):
        self.hostwatch("approval")
        paused = self.troupe("run", "Show the last 2 lines of dpkg.log, says joe@example.com")
        self.assertEqual(paused.returncode, 4, paused.stderr)
        waits = json.loads(paused.stderr.splitlines()[-1])
        self.assertEqual(waits["tool"], "tail_log")
        done = self.troupe("run", "--json", "--resume", waits["run_id"], "--approve", "all")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["items"][0]["content"], "Show the last 2 lines of dpkg.log, says [EMAIL]")
        self.assertIn("function_call_output", [item["type"] for item in told["items"]])

    def test_cloudwatch_is_valid_once_there_is_a_key(self):
        # A copy, since its sessions are stored beside it.
        shutil.copy(ROOT / "examples/cloudwatch/troupe.yaml", self.folder)
        self.environment["OPENAI_API_KEY"] = "sk-test-0123"
        # Without `uvx` the server cannot start, whatever is installed here.
        self.environment["PATH"] = "/nonexistent"
        done = self.troupe("check", "--json")
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout)
        self.assertEqual([agent["name"] for agent in told["agents"]], ["triage", "cloudwatch"])
        self.assertEqual(told["mcp_servers"][0]["state"], "failed")
        self.assertNotIn("sk-test-0123", done.stdout + done.stderr)

    def test_cloudwatch_without_a_key_says_which_variable_is_missing(self):
        self.environment.pop("OPENAI_API_KEY", None)
        done = self.troupe("run", "-c", str(ROOT / "examples/cloudwatch/troupe.yaml"), "hi")
        self.assertEqual(done.returncode, 2)
        self.assertIn("OPENAI_API_KEY", done.stderr)


if __name__ == "__main__":
    unittest.main()
