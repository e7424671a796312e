"""An MCP server whose tool `hold` never answers: it writes the id it is called with to the file `held` and waits
for its end. `echo` answers."""

import json
import sys


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


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        continue
    if message["method"] == "tools/call" and message["params"]["name"] == "hold":
        with open("held", "a") as held:
            held.write(message["params"]["arguments"]["id"] + "\n")
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}), flush=True)
