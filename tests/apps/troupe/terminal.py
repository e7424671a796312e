"""A pseudo-terminal with `troupe chat` in it."""

import os
import pty
import re
import select
import subprocess
import termios
import time

from support import PATIENCE, TROUPE

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
