"""`troupe serve`: the line on stdout, signals, and that nothing stays behind."""

import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import unittest

from support import PATIENCE, Case, read_line, wait_until


class ServeTest(Case):
    def serve(self, *arguments):
        """The program once it listens, its host and port."""
        program = self.start("serve", *arguments)
        line = read_line(program.stdout, "the line that says that it listens")
        found = re.fullmatch(r"listening on http://(.+):(\d+)\n", line)
        self.assertTrue(found, line)
        return program, found[1], int(found[2])

    @staticmethod
    def ask(port, method, path, body=None, host="127.0.0.1"):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        try:
            text = json.dumps(body) if body is not None else None
            connection.request(method, path, text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def in_background(self, *arguments):
        """Asks on a thread of its own; the list gets the answer."""
        answers = []

        def work():
            try:
                answers.append(self.ask(*arguments))
            except (OSError, http.client.HTTPException) as reason:
                answers.append(reason)

        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        return answers

    def ready(self, port):
        """Waits until the MCP server is up."""
        wait_until(lambda: self.ask(port, "GET", "/api/v1/mcp")[1]["servers"][0]["state"] == "ready", "ready")

    def test_a_log_that_nobody_reads_holds_nothing_up(self):
        self.agent_file()
        program, _, port = self.serve("--log-level", "debug")
        # Each is a line of the log; together they are more than a pipe takes.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for number in range(200):
            connection.request("GET", "/" + "x" * 1000)
            self.assertEqual(connection.getresponse().read()[:1], b"{")
        connection.close()
        self.assertEqual(self.ask(port, "GET", "/api/v1/system")[0], 200)
        program.terminate()
        _, log = program.communicate(timeout=PATIENCE)
        self.assertEqual(program.returncode, 0)
        self.assertLess(len(log), 200 * 1000)

    def test_one_line_on_stdout_when_it_can_answer_and_0_at_the_end(self):
        self.agent_file()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                program, host, port = self.serve()
                self.assertEqual(host, "127.0.0.1")
                self.assertEqual(self.ask(port, "GET", "/health"), (200, {"status": "ok"}))
                self.ready(port)
                self.assertTrue(self.children())
                program.send_signal(number)
                out, _ = program.communicate(timeout=PATIENCE)
                self.assertEqual((program.returncode, out), (0, b""))
                self.assert_no_children()

    def test_a_signal_during_start_up_ends_it_orderly(self):
        self.agent_file(mcpServers={"stub": self.stub("silent")})
        program, _, _ = self.serve()
        wait_until(self.children, "an MCP server")
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=PATIENCE)
        self.assertEqual(program.returncode, 0)
        self.assert_no_children()

    def test_it_does_not_wait_for_mcp_servers(self):
        self.agent_file(mcpServers={"stub": self.stub("silent")})
        _, _, port = self.serve()
        self.assertEqual(self.ask(port, "GET", "/api/v1/mcp")[1]["servers"][0]["state"], "starting")
        self.assertEqual(self.ask(port, "POST", "/api/v1/chat", {"prompt": "who are you"})[1]["result"], "I am triage.")

    def test_an_mcp_server_that_floods_its_stderr_does_not_flood_the_log(self):
        self.agent_file(mcpServers={"stub": self.stub("chatty")})
        program, _, port = self.serve("--log-level", "info")
        self.ready(port)
        program.terminate()
        _, log = program.communicate(timeout=PATIENCE)
        lines = log.count(b"'stub' on stderr: line ")
        # A minute's worth, and what some seconds add.
        self.assertTrue(600 <= lines <= 1200, lines)
        self.assertIn(b"floods its stderr", log)

    def test_the_log_says_when_an_mcp_server_that_failed_is_tried_again(self):
        quick = {"initial_backoff": "1ms", "max_restarts": 1, "cooldown": "1h"}
        for restart, last in ((quick, "counts as failed, its breaker is open; it is tried again in 3600000ms"),
                              ("never", "stays down: it is not to be started again")):
            with self.subTest(restart):
                self.agent_file(mcpServers={"stub": self.stub("exit", restart=restart)})
                program, _, _ = self.serve()
                log = ""
                while last not in log:
                    log += read_line(program.stderr, last)
                self.assertEqual("MCP server 'stub' is started again in" in log, restart == quick, log)
                self.end(program)

    def test_the_system_is_shown_as_a_tree_that_names_each_part(self):
        self.agent_file()
        _, _, port = self.serve()
        self.ready(port)
        status, system = self.ask(port, "GET", "/api/v1/system")
        self.assertEqual(status, 200)
        groups = {group["name"]: group["children"] for group in system["tree"]["children"]}
        self.assertEqual(list(groups),
                         ["models", "mcp_servers", "store", "hooks", "agents", "sessions", "fronts"])
        (server,) = groups["mcp_servers"]
        self.assertEqual((server["state"], server["breaker"]["state"]), ("ready", "closed"))
        for part in groups["models"] + groups["agents"] + groups["sessions"] + groups["store"] + groups["fronts"]:
            self.assertEqual((part["state"], part["restarts"]), ("running", 0), part)
            self.assertIsInstance(part["mailbox"], int, part)
        self.assertTrue(groups["fronts"])

    def test_host_and_port_override_the_file(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            free_soon = taken.getsockname()[1]
        self.agent_file(server={"host": "192.0.2.1", "port": 1})
        _, host, port = self.serve("--host", "127.0.0.1", "--port", str(free_soon))
        self.assertEqual((host, port), ("127.0.0.1", free_soon))

    def test_an_ipv6_address_stands_in_brackets(self):
        if not socket.has_ipv6 or not self.has_ipv6_loopback():
            self.skipTest("no IPv6 here")
        self.agent_file()
        _, host, port = self.serve("--host", "::1")
        self.assertEqual(host, "[::1]")
        self.assertEqual(self.ask(port, "GET", "/health", None, "::1")[0], 200)

    @staticmethod
    def has_ipv6_loopback():
        try:
            with socket.socket(socket.AF_INET6) as one:
                one.bind(("::1", 0))
                return True
        except OSError:
            return False

    def test_a_port_that_is_taken_is_an_error_with_nothing_left_behind(self):
        self.agent_file()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            done = self.troupe("serve", "--port", port, "--log-level", "off")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(port, done.stderr)
        self.assert_no_children()

    def warnings_of(self, *arguments):
        program, _, _ = self.serve("--host", "0.0.0.0", "--log-json", *arguments)
        program.send_signal(signal.SIGTERM)
        _, err = program.communicate(timeout=PATIENCE)
        return [entry["msg"] for entry in map(json.loads, err.splitlines()) if entry["level"] == "warn"]

    def test_other_addresses_than_loopback_are_refused_unless_somebody_says_else(self):
        self.agent_file()
        done = self.troupe("serve", "--host", "0.0.0.0")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for word in ("0.0.0.0", "troupe key new", "server.auth", "--insecure"):
            self.assertIn(word, done.stderr)
        self.assertTrue(any("insecure" in each for each in self.warnings_of("--insecure")))

    def test_what_is_no_address_is_refused_with_what_would_be_one(self):
        self.agent_file()
        done = self.troupe("serve", "--host", "foo")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for word in ("--host", '"foo"', "127.0.0.1", "serve --help"):
            self.assertIn(word, done.stderr)

    def test_with_a_key_other_addresses_are_fine_but_for_the_lack_of_tls(self):
        self.agent_file(server={"port": 0, "auth": {"keys": [{"name": "ops", "hash": "sha256:" + "0" * 64}]}})
        self.assertTrue(any("without TLS" in each for each in self.warnings_of()))

    def test_a_new_key_opens_the_server_and_is_shown_nowhere_else(self):
        made = self.troupe("key", "new", "--name", "ops.1")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        key = re.search(r"^  (trp_[A-Za-z0-9_-]{43})$", made.stdout, re.MULTILINE)[1]
        yaml = made.stdout[made.stdout.index("server:"):]
        self.assertNotIn(key, yaml)
        self.assertNotIn(key, self.troupe("key", "new", "--name", "ops.1").stdout)
        agents = json.loads(self.agent_file().read_text())
        agents["server"] = {"auth": {"keys": [{"name": re.search(r'name: "(.+)"', yaml)[1],
                                               "hash": re.search(r"hash: (\S+)", yaml)[1]}]}}
        (self.folder / "troupe.yaml").write_text(json.dumps(agents))
        program, _, port = self.serve("--port", "0")
        self.assertEqual(self.ask(port, "GET", "/health")[0], 200)
        self.assertEqual(self.ask(port, "GET", "/api/v1/agents")[0], 401)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/api/v1/agents", headers={"Authorization": "Bearer " + key})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    @unittest.skipUnless(shutil.which("openssl"), "makes its certificate by the openssl program")
    def test_tls_is_told_in_the_line_and_spoken(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "k.pem", "-out", "c.pem", "-subj", "/CN=test", "-addext",
                        "subjectAltName=IP:127.0.0.1"], cwd=self.folder, check=True, capture_output=True)
        self.agent_file(server={"port": 0, "tls": {"certificate": "c.pem", "key": "k.pem"}})
        program = self.start("serve")
        line = read_line(program.stdout, "the line that says that it listens")
        port = int(re.fullmatch(r"listening on https://127\.0\.0\.1:(\d+)\n", line)[1])
        trusted = ssl.create_default_context(cafile=self.folder / "c.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=trusted)
        connection.request("GET", "/health")
        self.assertEqual(connection.getresponse().read(), b'{"status":"ok"}')
        connection.close()

    def test_a_certificate_that_cannot_be_used_is_told(self):
        (self.folder / "c.pem").write_text("nonsense")
        (self.folder / "k.pem").write_text("nonsense")
        self.agent_file(server={"port": 0, "tls": {"certificate": "c.pem", "key": "k.pem"}})
        done = self.troupe("serve", "--log-level", "off")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"cannot use the certificate {self.folder / 'c.pem'}: ", done.stderr)
        self.assert_no_children()

    def begin(self, port, tool):
        """Asks for a run that is in that tool when this returns; the list gets the answer."""
        self.ready(port)
        answers = self.in_background(port, "POST", "/api/v1/chat", {"prompt": tool})
        wait_until((self.folder / tool).exists, "the call of the tool")
        return answers

    def begin_stop(self, program):
        program.send_signal(signal.SIGTERM)
        while "second signal" not in read_line(program.stderr, "the log's word of the shutdown"):
            pass

    def test_a_run_under_way_is_finished_first(self):
        self.agent_file()
        program, _, port = self.serve()
        answers = self.begin(port, "slow")
        self.begin_stop(program)
        (self.folder / "go").touch()
        out, _ = program.communicate(timeout=PATIENCE)
        self.assertEqual((program.returncode, out), (0, b""))
        wait_until(lambda: answers, "an answer")
        self.assertIsInstance(answers[0], tuple)
        self.assertEqual((answers[0][0], answers[0][1]["result"]), (200, "The tool said: done at last"))
        self.assert_no_children()

    def test_a_second_signal_ends_it_at_once(self):
        self.agent_file(server={"port": 0, "shutdown_grace": "10m"})
        program, _, port = self.serve()
        answers = self.begin(port, "wait")
        self.begin_stop(program)
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=PATIENCE)
        self.assertEqual(program.returncode, 130)
        self.assert_no_children()
        wait_until(lambda: answers, "the end of the request")

    def test_a_run_that_outlasts_the_grace_is_cancelled(self):
        self.agent_file(server={"port": 0, "shutdown_grace": "200ms"})
        program, _, port = self.serve()
        answers = self.begin(port, "wait")
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=PATIENCE)
        self.assertEqual(program.returncode, 0)
        self.assert_no_children()
        wait_until(lambda: answers, "the end of the request")
        self.assertNotEqual(answers[0][0] if isinstance(answers[0], tuple) else None, 200)

    def test_sigkill_leaves_no_child(self):
        self.agent_file()
        program, _, port = self.serve()
        self.ready(port)
        self.assertTrue(self.children())
        program.kill()
        program.wait()
        self.assert_no_children()


if __name__ == "__main__":
    unittest.main()
