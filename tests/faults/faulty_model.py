"""A model's endpoint that does to each connection what a test wants."""

import json
import os
import socket
import struct
import threading
import time

ANSWER = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "fine"},
                                  "finish_reason": "stop"}],
                     "usage": {"prompt_tokens": 10, "completion_tokens": 5}}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
WHOLE = HEAD % len(ANSWER) + ANSWER
PIECES = b"".join(b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}).encode()
                  for word in ["f", "in", "e"])
STREAM = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + PIECES +
          b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')


def reset(connection):
    """Ends the connection without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def receive_request(connection):
    """Reads a request; whether it asks for a stream."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError
        got += more
    head, body = got.split(b"\r\n\r\n", 1)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return json.loads(body).get("stream", False)


class FaultyModel:
    """`fault` names a method below; `closing` is set when the test is over."""

    def __init__(self, case, fault):
        self.fault = getattr(self, fault)
        self.closing = threading.Event()
        # Of a call that is watched.
        self.begun, self.ended, self.ended_at = threading.Event(), threading.Event(), None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        if fault == "refuse":
            self.listener.close()
        else:
            threading.Thread(target=self.accept, daemon=True).start()
        case.addCleanup(self.close)

    def close(self):
        self.closing.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def block(self, **more):
        """For the agent file."""
        return {"provider": "openai", "base_url": f"http://127.0.0.1:{self.port}/v1", "model": "stub", **more}

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                self.fault(connection)
            except (OSError, StopIteration):
                pass

    def answer(self, connection):
        return STREAM if receive_request(connection) else WHOLE

    def refuse(self, connection):
        raise AssertionError("nobody gets here")

    def reset_at_once(self, connection):
        reset(connection)

    def reset_in_the_answer(self, connection):
        answer = self.answer(connection)
        connection.sendall(answer[:len(answer) - 20])
        reset(connection)

    def stall(self, connection):
        receive_request(connection)
        self.closing.wait()

    def watch(self, connection):
        """Answers nothing, and notes when the other side goes away."""
        receive_request(connection)
        self.begun.set()
        while connection.recv(65536):
            pass
        self.ended_at = time.monotonic()
        self.ended.set()

    def stall_in_the_answer(self, connection):
        answer = self.answer(connection)
        connection.sendall(answer[:len(answer) - 20])
        self.closing.wait()

    def drip(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in self.answer(connection):
            connection.sendall(bytes([byte]))

    def truncate(self, connection):
        answer = self.answer(connection)
        connection.sendall(answer[:len(answer) - 20])

    def delay(self, connection):
        answer = self.answer(connection)
        self.closing.wait(0.2)
        connection.sendall(answer)

    def garbage(self, connection):
        receive_request(connection)
        connection.sendall(os.urandom(4096))

    def half_close(self, connection):
        receive_request(connection)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    def flood(self, connection):
        """Never ends a header, or never a body."""
        receive_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n")
        while not self.closing.is_set():
            connection.sendall(b"[" * 65536)

    def flood_of_headers(self, connection):
        receive_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not self.closing.is_set():
            connection.sendall(b"X-More: and more\r\n" * 1000)
