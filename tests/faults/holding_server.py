"""An MCP server whose tool `hold` never answers: it writes the id it is called with to the file `held` and waits
for its end, or for its cancellation, whose time it writes to the file `cancelled` (CLOCK_MONOTONIC, which is the same in all
processes). `echo` answers."""

import json
import sys
import time


def answer(request):
    if request["method"] == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "holding", "version": "1"}}
    if request["method"] == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object", "properties": {"id": {"type": "string"}}}}
                          for name in ("hold", "echo")]}
    if request["method"] == "tools/call":
        return {"content": [{"type": "text", "text": request["params"]["arguments"]["id"]}]}
    return {}


held_ids = {}
for line in sys.stdin:
    received = time.monotonic()
    message = json.loads(line)
    if message.get("method") == "notifications/cancelled":
        with open("cancelled", "a") as cancelled:
            cancelled.write(f"{held_ids[message['params']['requestId']]} {received}\n")
        continue
    if "id" not in message or "method" not in message:
        continue
    if message["method"] == "tools/call" and message["params"]["name"] == "hold":
        held_ids[message["id"]] = message["params"]["arguments"]["id"]
        with open("held", "a") as held:
            held.write(message["params"]["arguments"]["id"] + "\n")
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}), flush=True)
