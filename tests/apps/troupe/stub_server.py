"""An MCP server over stdio with a few tools that are easy to recognise. Its argument says how it behaves:
serve, exit (ends before the handshake), silent (reads, never answers), chatty (5,000 lines on stderr first).

A call of `wait` is never answered, one of `slow` once there is a file `go` in the working directory. Either
creates a file of the tool's name there when it begins."""

import json
import os
import sys
import time

TOOLS = {
    "greet": {"name": {"type": "string"}},
    "wait": {},
    "slow": {},
    "naughty": {},
    "break": {},
}


def text(value, is_error=False):
    return {"content": [{"type": "text", "text": value}], "isError": is_error}


def call(parameters):
    name = parameters["name"]
    if name == "greet":
        return text(f"hello {parameters['arguments']['name']}")
    if name == "slow":
        while not os.path.exists("go"):
            time.sleep(0.01)
        return text("done at last")
    if name == "naughty":
        return text("before\x1b]0;title\x07\x1b[31mafter\u009b31m\nsecond line\x7f")
    return text("it broke", True)


def answer(request):
    method = request["method"]
    if method == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "stub", "version": "1.2.3"}}
    if method == "tools/list":
        return {"tools": [{"name": name, "description": name, "inputSchema": {"type": "object", "properties": has}}
                          for name, has in TOOLS.items()]}
    if method == "tools/call":
        return call(request["params"])
    return {}


def main():
    mode = sys.argv[1]
    if mode == "exit":
        sys.exit("cannot start: no such region")
    if mode == "chatty":
        sys.stderr.write("".join(f"line {number}\n" for number in range(5000)))
        sys.stderr.flush()
    for line in sys.stdin:
        request = json.loads(line)
        if mode == "silent" or "id" not in request or "method" not in request:
            continue
        if request["method"] == "tools/call" and request["params"]["name"] in ("wait", "slow"):
            open(request["params"]["name"], "w").close()
        if request["method"] == "tools/call" and request["params"]["name"] == "wait":
            continue
        response = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}
        print(json.dumps(response), flush=True)


main()
