"""A model endpoint that speaks Chat Completions and, streamed, says its words one by one, when it is told to."""

import http.server
import json
import threading

from support import PATIENCE


class ModelServer:
    """Each request is answered with the next answer: a list of deltas. None among them waits for `go()`."""

    def __init__(self, case, *answers):
        self.answers = list(answers)
        self.requests = []
        self.gate = threading.Semaphore(0)
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                owner.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                streamed = owner.requests[-1].get("stream", False)
                try:
                    (self.answer if streamed else self.answer_whole)(owner.answers.pop(0))
                except ConnectionError:
                    # The run was cancelled.
                    pass

            def answer_whole(self, deltas):
                while None in deltas:
                    deltas.remove(None)
                    owner.gate.acquire(timeout=PATIENCE)
                said = "".join(delta.get("content", "") for delta in deltas)
                calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
                message = {"role": "assistant", "content": said or None, **({"tool_calls": calls} if calls else {})}
                body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                                   "usage": {"prompt_tokens": 10, "completion_tokens": 5}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def answer(self, deltas):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for delta in deltas:
                    if delta is None:
                        owner.gate.acquire(timeout=PATIENCE)
                    else:
                        self.event({"choices": [{"index": 0, "delta": delta}]})
                self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                self.event({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
                self.wfile.write(b"data: [DONE]\n\n")

            def event(self, body):
                self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        case.addCleanup(self.server.server_close)
        case.addCleanup(self.server.shutdown)

    def go(self):
        self.gate.release()

    def block(self):
        """For the agent file."""
        return {"provider": "openai", "base_url": f"http://127.0.0.1:{self.server.server_port}/v1", "model": "stub"}


def words(*texts):
    return [text if text is None else {"content": text} for text in texts]


def call(name, arguments):
    return {"tool_calls": [{"index": 0, "id": "c1", "type": "function",
                            "function": {"name": name, "arguments": json.dumps(arguments)}}]}
