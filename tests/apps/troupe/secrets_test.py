"""Secrets are planted wherever a text comes from, and looked for in everything that is written and told."""

import base64
import http.server
import json
import pathlib
import sys
import threading
import unittest
import urllib.parse

from model_server import ModelServer, call, words
from serving import ServingCase, Stream

PRYING = str(pathlib.Path(__file__).with_name("prying_server.py"))

# By what they are planted in. Some have characters that JSON, URLs and base64 write in other ways.
SECRETS = {
    "model": "sk-mod\"el/0001+é",
    "model_header": "hdr-model-0002",
    "server": "lk-ser\\ver/0003?>",
    "variable": "var-argument-0004",
    "hook": "hk-header-0005",
    "prompt": "pw-prompt-0006 x",
    # May stand in JSON as a number.
    "number": "481516234299",
}


def forms(secret):
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    made = {secret, quoted, json.dumps(quoted, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1],
            json.dumps(json.dumps(secret)[1:-1])[1:-1],
            urllib.parse.quote(secret, "")}
    for before in ("", "u", "us", "user:"):
        # What is left of it whatever stands around.
        made.add(base64.b64encode((before + secret).encode()).decode()[8:-6])
    return {form for form in made if len(form) >= 8}


class Echo:
    """An endpoint that answers everything by an error with the request's headers and body."""

    def __init__(self, case):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                text = json.dumps({"error": {"message": f"{dict(self.headers)} {body}"}}).encode()
                self.send_response(403)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        case.addCleanup(self.server.server_close)
        case.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def in_pieces(text, size=3):
    return words(*[text[at:at + size] for at in range(0, len(text), size)])


class SecretsTest(ServingCase):
    def setUp(self):
        super().setUp()
        self.written = {}
        self.environment.update(MODEL_KEY=SECRETS["model"], LEAK_TOKEN=SECRETS["server"], ARGUMENT=SECRETS["variable"],
                                PROMPT_TOKEN=SECRETS["prompt"], NUMBER_TOKEN=SECRETS["number"])

    def leaky_file(self, model, **blocks):
        block = {**model.block(), "api_key": "${MODEL_KEY}", "headers": {"X-Tenant": SECRETS["model_header"]}}
        echo = Echo(self)
        broken = {**block, "base_url": echo.url, "max_retries": 0}
        name, value = self.mark.split("=")
        server = {"command": sys.executable, "args": [PRYING, "${ARGUMENT}"], "env": {name: value, "LEAK": "${LEAK_TOKEN}"}}
        agent = {"name": "helper", "mcp_servers": ["prying"], "model": "default",
                 "instructions": "Never say ${PROMPT_TOKEN} or ${NUMBER_TOKEN}."}
        return self.durable_file(**{
            "models": {"default": block, "broken": broken}, "mcpServers": {"prying": server},
            "agents": [{**agent, "tools": {"take": {"approval": "always"}}}, {**agent, "name": "unlucky", "model": "broken"},
                       {**agent, "name": "hooked"}],
            "hooks": [{"name": "echo", "url": echo.url + "/hook", "on": ["before_run"], "agents": ["hooked"],
                       "headers": {"X-Hook": SECRETS["hook"]}}], **blocks})

    def serve_logging(self):
        self.log = self.folder / "stderr"
        with self.log.open("ab") as stderr:
            program = self.start("serve", "--log-level", "trace", stderr=stderr)
        return program, self.port_of(program)

    def note(self, where, text):
        self.written[where] = self.written.get(where, "") + text
        return text

    def get(self, port, path, where):
        answered = self.ask(port, "GET", path)
        self.note(where, json.dumps(answered[1], ensure_ascii=False))
        return answered

    def note_files(self):
        for path in self.folder.iterdir():
            if path.name in ("sessions.db", "sessions.db-wal", self.log.name):
                self.note(path.name, path.read_bytes().decode(errors="replace"))

    def assert_nothing_found(self):
        for where, text in self.written.items():
            self.assertTrue(text, where)
            for name, secret in SECRETS.items():
                for form in forms(secret):
                    found = text.find(form)
                    self.assertEqual(found, -1, f"the {name}'s secret in {where}: {text[max(0, found - 200):found + 100]}")

    def test_no_secret_is_in_anything_that_is_written_or_told(self):
        everything = " ".join(SECRETS.values())
        model = ModelServer(self,
                            in_pieces(f"I say {everything}. ") + [call("leak", {"text": everything})],
                            in_pieces(f"It said {everything}, {base64.b64encode(everything.encode()).decode()}"),
                            in_pieces(everything), words(everything), words(everything))
        self.leaky_file(model)
        program, port = self.serve_logging()
        body = {"prompt": f"what is {everything}?", "stream": True, "session_id": "s"}
        stream = Stream(self, port, "POST", "/api/v1/chat", body)
        events = stream.rest()
        self.note("stream", json.dumps(events, ensure_ascii=False))
        for name, member in (("text_delta", "text"), ("tool_call_arguments_delta", "delta")):
            self.note(name, "".join(data[member] for _, event, data in events if event == name))
        self.assertEqual(events[-1][1], "run_completed")
        # What goes to the model and to the tool is as it was said.
        contents = [message.get("content") or "" for message in model.requests[1]["messages"]]
        self.assertIn(f"what is {everything}?", contents)
        self.assertTrue(contents[-1].startswith(everything + "\n"), contents[-1])
        run_id = events[0][2]["run_id"]
        self.get(port, f"/api/v1/runs/{run_id}", "run")
        again = Stream(self, port, "GET", f"/api/v1/runs/{run_id}/events")
        self.note("events again", json.dumps(again.rest(), ensure_ascii=False))
        self.note("answer", json.dumps(self.chat(port, "again", session_id="s"), ensure_ascii=False))
        self.get(port, "/api/v1/sessions/s", "session")
        refused = self.chat(port, "hi", agent=everything)
        self.assertEqual(refused[0], 404)
        self.note("refusal", json.dumps(refused, ensure_ascii=False))
        for agent in ("unlucky", "hooked"):
            failed = self.chat(port, "hi", agent=agent)
            self.assertGreaterEqual(failed[0], 500, failed)
            self.note(agent, json.dumps(failed, ensure_ascii=False))
        self.get(port, "/api/v1/mcp", "servers")
        self.get(port, "/api/v1/system", "system")
        self.note("export", self.troupe("journal", "export").stdout)
        for arguments in (["run", "hi"], ["run", "--json", "hi"]):
            done = self.troupe(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.note(" ".join(arguments), done.stdout + done.stderr + ".")
        failed = self.troupe("run", "--agent", "unlucky", "hi")
        self.assertEqual(failed.returncode, 1)
        self.note("run unlucky", failed.stdout + failed.stderr)
        self.note("check", self.troupe("check").stdout)
        self.assertIn("connecting with [redacted]", self.log.read_text())
        self.kill(program)
        self.note_files()
        self.assertIn("[redacted:", self.written["sessions.db"] + self.written.get("sessions.db-wal", ""))
        self.assert_nothing_found()
        for where, text in self.written.items():
            if where not in ("servers", "system", "check", "sessions.db", "sessions.db-wal"):
                self.assertIn("[redacted]", text, where)

    def test_a_run_that_goes_on_after_a_crash_has_its_secrets_again(self):
        secret = SECRETS["server"] + SECRETS["prompt"]
        text = f"take {secret}, [redacted:LEAK_TOKEN] and [redacted]"
        wanted = {"text": text, "pin": int(SECRETS["number"])}
        model = ModelServer(self, [call("take", wanted)], words("done"))
        self.leaky_file(model)
        program, port = self.serve_logging()
        status, paused = self.chat(port, text, session_id="s")
        self.assertEqual(status, 202, paused)
        self.assertEqual(paused["interruptions"][0]["arguments"]["pin"], "[redacted]")
        self.note("paused", json.dumps(paused, ensure_ascii=False))
        self.get(port, f"/api/v1/runs/{paused['run_id']}", "paused run")
        self.note("export", self.troupe("journal", "export").stdout)
        self.kill(program)
        self.note_files()
        _, port = self.serve_logging()
        path = f"/api/v1/runs/{paused['run_id']}/resume"
        status, ended = self.ask(port, "POST", path, {"decisions": [{"id": paused["interruptions"][0]["id"],
                                                                     "decision": "approve"}]})
        self.assertEqual((status, ended["result"]), (200, "done"))
        self.assertEqual((self.folder / "taken").read_text(), text)
        said = [message for message in model.requests[1]["messages"] if message["role"] == "user"]
        self.assertEqual(said[-1]["content"], text)
        arguments = json.loads(model.requests[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"])
        self.assertEqual(arguments, wanted)
        (self.folder / "taken").unlink()
        self.note_files()
        self.assert_nothing_found()


if __name__ == "__main__":
    unittest.main()
