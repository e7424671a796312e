"""An MCP server over stdio that tells what it sees of its surroundings, and says what it should not.

Tools: `look` tells its descriptors, environment, session, limits; `reach` tries a path ("read", "write";
PARENT in it is its parent's id) or a port of 127.0.0.1 ("connect"); `leak` gives back the variable LEAK in several forms, after its arguments, and
writes it to stderr; `take` writes its argument to a file."""

import base64
import json
import os
import socket
import sys
import urllib.parse

TOOLS = {"look": {}, "reach": {"how": {"type": "string"}, "what": {"type": "string"}},
         "leak": {"text": {"type": "string"}}, "take": {"text": {"type": "string"}}}


def look(_):
    with open("/proc/self/status") as status:
        privileges = [line.split()[1] for line in status if line.startswith("NoNewPrivs")]
    with open("/proc/self/limits") as limits:
        bounds = {line[:26].strip(): line[26:].split()[:2] for line in limits}
    descriptors = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptors[name] = os.readlink(f"/proc/self/fd/{name}").split(":")[0]
        except OSError:
            # The one by which the folder was read.
            pass
    return json.dumps({"descriptors": descriptors, "environment": dict(os.environ), "pid": os.getpid(),
                       "session": os.getsid(0), "group": os.getpgid(0), "no_new_privileges": privileges[0],
                       "limits": bounds, "home": os.listdir("."), "root": os.listdir("/")})


def reach(arguments):
    what = arguments["what"].replace("PARENT", str(os.getppid()))
    try:
        if arguments["how"] == "connect":
            socket.create_connection(("127.0.0.1", int(what)), 5).close()
        elif arguments["how"] == "read":
            open(what).close()
        else:
            open(what, "a").close()
        return "done"
    except OSError as error:
        return error.strerror or str(error)


def leak(arguments):
    secret = os.environ["LEAK"]
    print(f"connecting with {secret}", file=sys.stderr, flush=True)
    return "\n".join([arguments.get("text", ""), secret, json.dumps({"key": secret}), urllib.parse.quote(secret, ""),
                      base64.b64encode(f"user:{secret}".encode()).decode(),
                      base64.urlsafe_b64encode(secret.encode()).decode()])


def take(arguments):
    with open("taken", "w") as file:
        file.write(arguments["text"])
    return "taken"


def answer(request):
    method = request["method"]
    if method == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "prying", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": name, "description": name, "inputSchema": {"type": "object", "properties": has}}
                          for name, has in TOOLS.items()]}
    if method == "tools/call":
        call = request["params"]
        return {"content": [{"type": "text", "text": globals()[call["name"]](call.get("arguments") or {})}]}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}), flush=True)
