"""An MCP server whose tool `count` adds what it is called with, as a line, to the file `counted`, before it answers."""

import json
import sys


def answer(request):
    if request["method"] == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "counting", "version": "1"}}
    if request["method"] == "tools/list":
        return {"tools": [{"name": "count", "inputSchema": {"type": "object", "properties": {"what": {"type": "string"}}}}]}
    if request["method"] == "tools/call":
        what = request["params"]["arguments"]["what"]
        with open("counted", "a") as counted:
            counted.write(what + "\n")
        return {"content": [{"type": "text", "text": what}]}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}), flush=True)
