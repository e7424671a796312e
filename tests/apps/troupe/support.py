"""What the tests of the `troupe` program share: agent files, the program, its children."""

import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

TROUPE = os.environ["TROUPE_BIN"]
HOSTWATCH = os.environ["HOSTWATCH_BIN"]
ROOT = pathlib.Path(os.environ["TROUPE_ROOT"])
STUB = str(pathlib.Path(__file__).with_name("stub_server.py"))

# Seconds after which something that should have happened counts as never happening.
PATIENCE = 60


def wait_until(holds, what):
    """Polls until `holds()` is true and returns what it returned."""
    deadline = time.monotonic() + PATIENCE
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        select.select([], [], [], 0.01)


RULES = [
    {"when": {"agent": "triage", "user": "(?i)greet|wait|slow|naughty|break"}, "handoff": "helper"},
    {"when": {"agent": "helper", "user": r"(?i)greet (?P<who>\S+)"},
     "call": {"tool": "greet", "arguments": {"name": "{{who}}"}}},
    {"when": {"agent": "helper", "user": "(?i)wait"}, "call": {"tool": "wait", "arguments": {}}},
    {"when": {"agent": "helper", "user": "(?i)slow"}, "call": {"tool": "slow", "arguments": {}}},
    {"when": {"agent": "helper", "user": "(?i)naughty"}, "call": {"tool": "naughty", "arguments": {}}},
    {"when": {"agent": "helper", "user": "(?i)break"}, "call": {"tool": "break", "arguments": {}}},
    {"when": {"tool": "*"}, "say": "The tool said: {{output}}"},
    {"when": {"user": "(?i)who are you"}, "say": "I am {{agent}}."},
    {"when": {"user": "^echo (.+)"}, "say": "{{1}}"},
]


class Case(unittest.TestCase):
    """A test with a folder of its own and an agent file in it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # Marks every process that is started for the agent file, whoever its parent is.
        # Its value is a secret of the agent file: what may be the beginning of one is held back from a stream until more
        # comes, and no text of the tests ends as it begins.
        self.mark = f"TROUPE_TEST_MARK=~~~~{uuid.uuid4()}"
        self.environment = {**os.environ, "HOME": folder.name, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
        for name in ("XDG_STATE_HOME", "NO_COLOR"):
            self.environment.pop(name, None)

    def stub(self, mode="serve", **options):
        """An MCP server block."""
        name, value = self.mark.split("=")
        return {"command": sys.executable, "args": [STUB, mode], "env": {name: value}, **options}

    def agent_file(self, name="troupe.yaml", **blocks):
        content = {
            "server": {"host": "127.0.0.1", "port": 0},
            "models": {"default": {"provider": "scripted", "rules": RULES}},
            "mcpServers": {"stub": self.stub()},
            "agents": [
                {"name": "triage", "instructions": "Pick an agent.", "handoffs": ["helper"]},
                {"name": "helper", "description": "Helps", "instructions": "Help.", "mcp_servers": ["stub"]},
            ],
            **blocks,
        }
        path = self.folder / name
        path.write_text(json.dumps(content, indent=1))
        return path

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        program = subprocess.Popen([TROUPE, *arguments], cwd=self.folder, env=self.environment, **options)
        self.addCleanup(self.end, program)
        return program

    @staticmethod
    def end(program):
        if program.poll() is None:
            program.kill()
        program.wait()
        for stream in (program.stdin, program.stdout, program.stderr):
            if stream and not stream.closed:
                stream.close()

    def troupe(self, *arguments, text=None, **options):
        """Runs the program to its end."""
        program = self.start(*arguments, stdin=subprocess.PIPE, text=True, encoding="utf-8", **options)
        out, err = program.communicate(text or "", timeout=PATIENCE)
        return subprocess.CompletedProcess(program.args, program.returncode, out, err)

    def children(self):
        """Processes that were started for this test's agent file and still run."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if self.mark.encode() in words and state != "Z":
                found.append(int(entry.name))
        return found

    def assert_no_children(self):
        wait_until(lambda: not self.children(), f"the end of all children, {self.children()} run")


APPROVAL_RULES = [
    {"when": {"user": "^both$"}, "call": [{"tool": "greet", "arguments": {"name": "Ada"}},
                                         {"tool": "greet", "arguments": {"name": "Bob"}}]},
    {"when": {"user": "^greet (.+)$"}, "call": {"tool": "greet", "arguments": {"name": "{{1}}"}}},
    {"when": {"tool": "greet", "output": "hello Ada"}, "say": "One said: {{output}}"},
    {"when": {"tool": "*"}, "say": "The tool said: {{output}}"},
    {"when": {"user": "^echo (.+)"}, "say": "{{1}}"},
]


class ApprovalCase(Case):
    """A test with an agent whose calls need approval."""

    def careful_file(self, approval="always", **blocks):
        agent = {"name": "helper", "instructions": "Help.", "mcp_servers": ["stub"],
                 "tools": {"greet": {"approval": approval}}}
        return self.agent_file(**{"models": {"default": {"provider": "scripted", "rules": APPROVAL_RULES}}, "agents": [agent],
                                  "sessions": {"store": "sqlite", "path": "sessions.db"}, **blocks})

    def paused(self, *arguments):
        """Runs into a pause; what was told of it on stderr."""
        done = self.troupe("run", *arguments)
        self.assertEqual((done.returncode, done.stdout), (4, ""), done.stderr)
        return [json.loads(line) for line in done.stderr.splitlines()]


def read_line(stream, what="a line"):
    """A line of a program's unbuffered pipe, waited for no longer than is patient."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        byte = os.read(stream.fileno(), 1) if ready else b""
        if not byte:
            raise AssertionError(f"never came: {what}; got {line!r}")
        line += byte
    return line.decode()


def read_text(stream, like):
    """As many bytes of a program's unbuffered pipe as the text has, waited for no longer than is patient."""
    text = b""
    while len(text) < len(like.encode()):
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        some = os.read(stream.fileno(), len(like.encode()) - len(text)) if ready else b""
        if not some:
            raise AssertionError(f"never came: {like!r}; got {text!r}")
        text += some
    return text.decode()
