"""What tests under load share: a client with many connections, figures of a process."""

import asyncio
import collections
import json
import pathlib
import sys
import time

Answer = collections.namedtuple("Answer", "status body took retry_after")


class Client:
    """HTTP over connections that are used again, and as many more as it takes."""

    def __init__(self, port):
        self.port = port
        self.idle = []

    def take_idle(self):
        """One that the server has not closed meanwhile."""
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def ask(self, method, path, body=None, more_headers=None):
        data = json.dumps(body).encode() if body is not None else b""
        more = "".join(f"{name}: {value}\r\n" for name, value in (more_headers or {}).items())
        head = (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{more}"
                f"Content-Length: {len(data)}\r\n\r\n")
        began = time.monotonic()
        reader, writer = self.take_idle() or await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head.encode() + data)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            text = await reader.readexactly(int(headers.get("content-length", 0)))
        except (OSError, EOFError):
            writer.close()
            raise
        took = time.monotonic() - began
        if headers.get("connection") == "close":
            writer.close()
        else:
            self.idle.append((reader, writer))
        return Answer(int(lines[0].split()[1]), text, took, headers.get("retry-after"))

    async def chat(self, prompt, **more):
        return await self.ask("POST", "/api/v1/chat", {"prompt": prompt, **more})

    async def stream(self, prompt, cut=None):
        """The events of a run as text: all of them, or until at least so many bytes are there and the client goes away."""
        data = json.dumps({"prompt": prompt, "stream": True}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"POST /api/v1/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     f"Connection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        text = b""
        while cut is None or len(text) < cut:
            more = await reader.read(65536)
            if not more:
                break
            text += more
        writer.close()
        return text

    def close(self):
        for _, writer in self.idle:
            writer.close()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def memory(pid, what="VmRSS"):
    """In MiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def said(value):
    print(f"  {value}", file=sys.stderr, flush=True)
