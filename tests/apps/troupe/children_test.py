"""What an MCP server's process gets of its surroundings, and what its limits and its sandbox keep from it."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

from support import Case

PRYING = str(pathlib.Path(__file__).with_name("prying_server.py"))


def can_sandbox():
    if not shutil.which("bwrap"):
        return False
    # Where namespaces of users are not allowed, nobody can.
    probe = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


class ChildrenTest(Case):
    def prying_file(self, **options):
        rules = [
            {"when": {"user": "^look$"}, "call": {"tool": "look", "arguments": {}}},
            {"when": {"user": r"^(?P<how>\w+) (?P<what>\S+)$"},
             "call": {"tool": "reach", "arguments": {"how": "{{how}}", "what": "{{what}}"}}},
            {"when": {"tool": "*"}, "say": "{{output}}"},
        ]
        name, value = self.mark.split("=")
        server = {"command": sys.executable, "args": [PRYING], "env": {name: value, "GIVEN": "yes"}, **options}
        return self.agent_file(models={"default": {"provider": "scripted", "rules": rules}}, mcpServers={"prying": server},
                               agents=[{"name": "helper", "instructions": "Help.", "mcp_servers": ["prying"]}])

    def run_once(self, prompt):
        done = self.troupe("run", prompt)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.rstrip("\n")

    def look(self):
        return json.loads(self.run_once("look"))

    def test_a_server_gets_a_short_environment_three_pipes_and_a_session_of_its_own(self):
        self.prying_file()
        self.environment["TROUPE_PRIVATE"] = "not for children"
        # What the program itself was given must not go on to its children.
        reading, writing = os.pipe()
        os.set_inheritable(reading, True)
        program = self.start("run", "look", close_fds=False)
        out, err = program.communicate()
        os.close(reading)
        os.close(writing)
        self.assertEqual(program.returncode, 0, err)
        seen = json.loads(out)
        self.assertEqual(seen["descriptors"], {"0": "pipe", "1": "pipe", "2": "pipe"})
        name = self.mark.split("=")[0]
        allowed = {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "GIVEN", name}
        # Python itself sets a locale.
        self.assertLessEqual(set(seen["environment"]) - {"LC_CTYPE"}, allowed)
        self.assertEqual(seen["environment"]["GIVEN"], "yes")
        self.assertEqual((seen["session"], seen["group"]), (seen["pid"], seen["pid"]))
        self.assertEqual(seen["no_new_privileges"], "0")

    def test_limits_are_those_of_the_file(self):
        self.prying_file(limits={"memory": "2GiB", "cpu_seconds": 77, "open_files": 99, "no_new_privileges": True})
        seen = self.look()
        self.assertEqual(seen["limits"]["Max data size"], [str(2 << 30)] * 2)
        self.assertEqual(seen["limits"]["Max cpu time"], ["77", "78"])
        self.assertEqual(seen["limits"]["Max open files"], ["99", "99"])
        self.assertEqual(seen["no_new_privileges"], "1")

    @unittest.skipIf(os.geteuid() == 0, "root may read all")
    def test_a_server_does_not_get_at_the_environment_and_memory_of_the_program(self):
        self.prying_file()
        for name in ("environ", "mem"):
            self.assertEqual(self.run_once(f"read /proc/PARENT/{name}"), "Permission denied")

    @unittest.skipUnless(can_sandbox(), "bwrap cannot make sandboxes here")
    def test_a_sandboxed_server_sees_and_writes_what_is_named_only(self):
        for name in ("own", "own/kept", "lent", "hidden"):
            (self.folder / name).mkdir()
        outside = self.folder.with_name(self.folder.name + "-outside")
        outside.mkdir()
        self.addCleanup(shutil.rmtree, outside)
        (outside / "secret").write_text("x")
        (self.folder / "lent" / "book").write_text("x")
        self.prying_file(sandbox={"writable": ["own"], "read_only": ["own/kept", "lent"]}, limits={"open_files": 99})
        python = pathlib.Path(sys.executable).resolve().parents[1]
        if not python.is_relative_to("/usr"):
            self.prying_file(sandbox={"writable": ["own"], "read_only": ["own/kept", "lent", str(python), PRYING]},
                             limits={"open_files": 99})
        else:
            self.prying_file(sandbox={"writable": ["own"], "read_only": ["own/kept", "lent", PRYING]},
                             limits={"open_files": 99})
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        for prompt, expected in (
                (f"write {self.folder}/own/new", "done"),
                (f"write {self.folder}/new", "Read-only file system"),
                (f"write {self.folder}/own/kept/new", "Read-only file system"),
                (f"read {self.folder}/lent/book", "done"),
                (f"write {self.folder}/lent/book", "Read-only file system"),
                (f"read {outside}/secret", "No such file or directory"),
                ("write /usr/new", "Read-only file system"),
                ("write /tmp/new", "done"),
                (f"connect {port}", "Connection refused")):
            with self.subTest(prompt):
                self.assertEqual(self.run_once(prompt), expected)
        self.assertFalse(pathlib.Path("/tmp/new").exists())
        self.assertTrue((self.folder / "own" / "new").exists())
        seen = self.look()
        self.assertEqual((seen["no_new_privileges"], seen["limits"]["Max open files"]), ("1", ["99", "99"]))
        self.assertEqual(seen["descriptors"], {"0": "pipe", "1": "pipe", "2": "pipe"})
        self.assert_no_children()

    @unittest.skipUnless(can_sandbox(), "bwrap cannot make sandboxes here")
    def test_a_sandbox_has_the_network_if_it_is_given_it(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        python = str(pathlib.Path(sys.executable).resolve().parents[1])
        self.prying_file(sandbox={"network": True, "read_only": [python, PRYING]})
        self.assertEqual(self.run_once(f"connect {listener.getsockname()[1]}"), "done")

    def test_a_sandbox_without_its_program_is_refused_by_check_and_serve(self):
        self.prying_file(sandbox={})
        self.environment["PATH"] = str(self.folder)
        for command in ("check", "serve"):
            done = self.troupe(command)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("'sandbox' in MCP server 'prying' needs the program 'bwrap', which is not in PATH; "
                          "install it", done.stderr)


if __name__ == "__main__":
    unittest.main()
