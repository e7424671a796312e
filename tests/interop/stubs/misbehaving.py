#!/usr/bin/env python3
"""An MCP stdio server that misbehaves in one chosen way.

    misbehaving.py MODE [ARGUMENTS]

Each mode offers the tools `echo` {text} and `add` {a, b}, and those that MODES names for it. Every tool can be
called in every mode, listed or not; `report` answers with what the server has seen, as JSON.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

NEVER = 10_000_000
FLOOD = b"noise on stderr " * 65536  # 1 MiB

# Mode: (what it does, the further tools it lists).
MODES = {
    "normal": ("behaves", ["report"]),
    "banner": ("prints lines that are not JSON on stdout, before the handshake and before each answer", []),
    "stderr-flood": ("writes 1 MiB to stderr before the handshake and in each call", []),
    "mumbling": ("END: writes 30,000 bytes to stderr in each call, with END and no line feed now and then", []),
    "silent": ("reads, but never answers initialize", []),
    "deaf": ("never reads its stdin", []),
    "exit-early": ("exits at once with status 3 and a message on stderr", []),
    "flaky": ("FILE N: exits with status 4 on its first N starts, counted in FILE", ["report", "die"]),
    "slow-start": ("SECONDS: answers initialize that late", []),
    "error-init": ("answers initialize with an error", []),
    "old-version": ("speaks 2024-11-05 only", []),
    "unknown-version": ("answers initialize with a version that never was", []),
    "out-of-order": ("collects two calls and answers the later one first", []),
    "twice": ("answers every request twice", []),
    "wrong-id": ("sends answers to what was never asked before each answer", []),
    "chatty": ("asks the client things, with ids that the client uses too", ["report"]),
    "stubborn": ("outlives the closing of its stdin, and SIGTERM", ["report"]),
    "die": ("dies in a call of `die`, after half an answer", ["die", "report"]),
    "hang": ("never answers a call of `hang`, and notes cancellations", ["hang", "report"]),
    "close-stdout": ("closes its stdout in a call of `mute`, and lives on", ["mute"]),
    "list-changed": ("has one tool more, `added`, once `grow` was called", ["grow"]),
    "pages": ("lists one tool a page", ["report"]),
    "cursor-loop": ("gives the same cursor for ever", []),
    "big": ("answers `big` {bytes} with that many bytes of text", ["big"]),
    "crlf": ("ends its lines with CR LF", []),
    "invalid-utf8": ("sends a line that is not UTF-8 before each answer", []),
    "progress": ("`slow` {steps?} sends progress until that many, cancelled, or `finish` is called",
                 ["slow", "finish", "report"]),
    "contents": ("`rich` answers with every kind of content, `fail` with isError", ["rich", "fail"]),
    "launcher": ("leaves a child process behind in its group; `report` names its pid", ["report"]),
    "wrapper": ("runs the server proper as a child and waits for it, as npx does", ["report"]),
}


def tool(name, description, properties=None, required=()):
    schema = {"type": "object", "properties": properties or {}, "required": list(required)}
    return {"name": name, "description": description, "inputSchema": schema}


TOOLS = {t["name"]: t for t in [
    tool("echo", "Gives the text back", {"text": {"type": "string"}}, ["text"]),
    tool("add", "Adds two numbers", {"a": {"type": "number"}, "b": {"type": "number"}}, ["a", "b"]),
    tool("report", "Tells what the server has seen"),
    tool("die", "Ends the process"),
    tool("hang", "Is never answered"),
    tool("mute", "Closes stdout"),
    tool("grow", "Adds a tool"),
    tool("added", "Is there after grow"),
    tool("big", "Answers with much text", {"bytes": {"type": "integer"}}, ["bytes"]),
    tool("slow", "Sends progress", {"steps": {"type": "integer"}}),
    tool("finish", "Lets slow come to its end"),
    tool("rich", "Answers with every kind of content"),
    tool("fail", "Answers with an error result"),
]}

PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")


class Server:
    def __init__(self, mode, arguments):
        self.mode = mode
        self.arguments = arguments
        self.names = ["echo", "add"] + MODES[mode][1]
        self.lock = threading.Lock()
        self.finish = threading.Event()
        self.held = []
        self.seen = {"pid": os.getpid(), "cwd": os.getcwd(), "env": dict(os.environ), "arguments": arguments,
                     "initialized": False, "client": None, "pings": 0, "cancelled": [], "answers": {},
                     "notifications": [], "grandchild": None}

    # Sending

    def raw(self, data):
        with self.lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def send(self, message):
        end = b"\r\n" if self.mode == "crlf" else b"\n"
        data = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode() + end
        self.raw(data * 2 if self.mode == "twice" and "id" in message else data)

    def answer(self, request, result):
        if self.mode == "banner":
            self.raw(b"[info] about to answer\n\n")
        elif self.mode == "invalid-utf8":
            self.raw(b'{"jsonrpc": "2.0", "method": "\xff\xfe\xc0"}\n')
        elif self.mode == "wrong-id":
            self.send({"id": NEVER, "result": {"content": [{"type": "text", "text": "for nobody"}]}})
            self.send({"id": "no-such-call", "result": {}})
            self.send({"id": None, "error": {"code": -32700, "message": "Parse error"}})
        self.send({"id": request["id"], "result": result})

    def answer_text(self, request, text):
        self.answer(request, {"content": [{"type": "text", "text": text}]})

    def refuse(self, request, code, message):
        self.send({"id": request["id"], "error": {"code": code, "message": message}})

    # Receiving

    def run(self):
        for line in sys.stdin.buffer:
            if line.strip():
                self.receive(json.loads(line))

    def receive(self, message):
        if "method" not in message:
            self.seen["answers"][str(message.get("id"))] = message
        elif "id" not in message:
            self.notified(message)
        elif message["method"] == "tools/call":
            self.call(message)
        else:
            self.requested(message)

    def notified(self, message):
        self.seen["notifications"].append(message["method"])
        if message["method"] == "notifications/cancelled":
            self.seen["cancelled"].append(message.get("params", {}).get("requestId"))
        elif message["method"] == "notifications/initialized":
            self.seen["initialized"] = True
            if self.mode == "chatty":
                self.ask()

    def ask(self):
        self.send({"method": "notifications/no-such-notification", "params": {"x": 1}})
        self.send({"id": 1, "method": "no/such/method"})
        self.send({"id": 2, "method": "ping"})
        self.send({"id": "three", "method": "ping"})
        self.send({"id": 4, "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}})

    def requested(self, request):
        method = request["method"]
        if method == "initialize":
            self.initialize(request)
        elif method == "ping":
            self.seen["pings"] += 1
            self.answer(request, {})
        elif method == "tools/list":
            self.list_tools(request)
        else:
            self.refuse(request, -32601, f"Method not found: {method}")

    def initialize(self, request):
        self.seen["client"] = request["params"]
        if self.mode == "silent":
            return
        if self.mode == "error-init":
            return self.refuse(request, -32603, "no licence found")
        if self.mode == "slow-start":
            time.sleep(float(self.arguments[0]))
        version = {"old-version": "2024-11-05", "unknown-version": "1999-12-31"}.get(
            self.mode, request["params"].get("protocolVersion", "2025-11-25"))
        self.answer(request, {"protocolVersion": version,
                              "capabilities": {"tools": {"listChanged": self.mode == "list-changed"}},
                              "serverInfo": {"name": f"misbehaving-{self.mode}", "version": "1.0.0"}})

    def list_tools(self, request):
        tools = [TOOLS[name] for name in self.names]
        cursor = (request.get("params") or {}).get("cursor")
        if self.mode == "pages":
            page = int(cursor.removeprefix("page-")) if cursor else 0
            result = {"tools": tools[page:page + 1]}
            if page + 1 < len(tools):
                result["nextCursor"] = f"page-{page + 1}"
        elif self.mode == "cursor-loop":
            result = {"tools": tools, "nextCursor": "again"}
        else:
            result = {"tools": tools}
        self.answer(request, result)

    # Tools

    def call(self, request):
        if self.mode == "stderr-flood":
            sys.stderr.buffer.write(FLOOD)
        elif self.mode == "mumbling":
            end = self.arguments[0].encode() if self.arguments else b""
            sys.stderr.buffer.write((b"mumble" * 100 + end) * 50)
            sys.stderr.buffer.flush()
            sys.stderr.buffer.flush()
        if self.mode == "out-of-order":
            self.held.append(request)
            if len(self.held) == 2:
                for one in reversed(self.held):
                    self.dispatch(one)
                self.held = []
        else:
            self.dispatch(request)

    def dispatch(self, request):
        name = request["params"]["name"]
        handler = getattr(self, f"tool_{name}", None)
        if handler is None:
            return self.refuse(request, -32602, f"Unknown tool: {name}")
        try:
            handler(request, request["params"].get("arguments") or {})
        except (KeyError, TypeError) as error:
            self.answer(request, {"content": [{"type": "text", "text": f"bad arguments: {error!r}"}],
                                  "isError": True})

    def tool_echo(self, request, arguments):
        self.answer_text(request, arguments["text"])

    def tool_add(self, request, arguments):
        self.answer_text(request, str(arguments["a"] + arguments["b"]))

    def tool_report(self, request, arguments):
        self.answer_text(request, json.dumps(self.seen))

    def tool_die(self, request, arguments):
        sys.stderr.write("fatal: the stub was told to die\n")
        sys.stderr.flush()
        self.raw(b'{"jsonrpc": "2.0", "id": ')
        os._exit(9)

    def tool_hang(self, request, arguments):
        pass

    def tool_mute(self, request, arguments):
        os.close(1)

    def tool_grow(self, request, arguments):
        if "added" not in self.names:
            self.names.append("added")
        self.send({"method": "notifications/tools/list_changed"})
        self.answer_text(request, "grown")

    def tool_added(self, request, arguments):
        self.answer_text(request, "added later")

    def tool_big(self, request, arguments):
        self.answer_text(request, "x" * arguments["bytes"])

    def tool_finish(self, request, arguments):
        self.finish.set()
        self.answer_text(request, "told")

    def tool_slow(self, request, arguments):
        threading.Thread(target=self.progress, args=(request, arguments.get("steps", NEVER)), daemon=True).start()

    def progress(self, request, steps):
        token = request["params"].get("_meta", {}).get("progressToken")
        done = 0
        while done < steps and not self.finish.wait(0.02):
            if request["id"] in self.seen["cancelled"]:
                return
            done += 1
            if token is not None:
                self.send({"method": "notifications/progress",
                           "params": {"progressToken": token, "progress": done, "message": f"step {done}"}})
        self.answer_text(request, f"done after {done} steps")

    def tool_rich(self, request, arguments):
        self.answer(request, {
            "content": [
                {"type": "text", "text": "a text"},
                {"type": "image", "data": PIXEL, "mimeType": "image/png"},
                {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"},
                {"type": "resource", "resource": {"uri": "note://1", "mimeType": "text/plain", "text": "a note"}},
                {"type": "resource", "resource": {"uri": "blob://1", "blob": "AAEC"}},
                {"type": "resource_link", "uri": "file:///tmp/x", "name": "x"},
                {"type": "from_the_future", "value": 1},
            ],
            "structuredContent": {"answer": 42},
        })

    def tool_fail(self, request, arguments):
        self.answer(request, {"content": [{"type": "text", "text": "the disk is full"}], "isError": True})


def start(path, limit):
    """Counts the starts in a file; true while there were at most `limit`."""
    count = int(open(path).read() or 0) + 1 if os.path.exists(path) else 1
    with open(path, "w") as file:
        file.write(str(count))
    return count <= limit


def wait_for_ever():
    while True:
        signal.pause()


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in MODES:
        lines = [f"  {name:16} {text}" for name, (text, _) in MODES.items()]
        sys.exit("usage: misbehaving.py MODE [ARGUMENTS]\n\n" + "\n".join(lines))
    mode, arguments = sys.argv[1], sys.argv[2:]

    if mode == "exit-early":
        sys.stderr.write("fatal: no region is configured\n")
        sys.exit(3)
    if mode == "flaky" and start(arguments[0], int(arguments[1])):
        sys.stderr.write("fatal: not yet\n")
        sys.exit(4)
    if mode == "deaf":
        wait_for_ever()
    if mode == "wrapper":
        sys.exit(subprocess.call([sys.executable, os.path.abspath(__file__), "normal"]))
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    server = Server(mode, arguments)
    if mode == "launcher":
        server.seen["grandchild"] = subprocess.Popen(["sleep", "600"]).pid
    if mode == "banner":
        server.raw(b"Welcome to the server!\n{ this is no JSON either\n\n[1, 2]\n42\n")
    if mode == "stderr-flood":
        sys.stderr.buffer.write(FLOOD)
        sys.stderr.buffer.flush()
    server.run()
    if mode == "stubborn":
        wait_for_ever()


if __name__ == "__main__":
    main()
