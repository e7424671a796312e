"""`troupe journal` where the disk is full or cannot be written, and where the file is damaged."""

import json
import resource
import signal
import sqlite3
import subprocess
import unittest

from serving import ServingCase, Stream
from support import PATIENCE, TROUPE, wait_until

PAGE = 4096


def no_room():
    """In a child: no file can grow, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


# Runs a program in a folder that is mounted once more, to be read only.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'


class JournalTest(ServingCase):
    def setUp(self):
        super().setUp()
        self.durable_file()
        self.database = self.folder / "sessions.db"

    def crash_with(self, *prompts):
        """What a server leaves that is killed after these; the ids of its runs."""
        program, port = self.serve()
        ids = [self.chat(port, prompt)[1]["run_id"] for prompt in prompts]
        self.kill(program)
        return ids

    def files(self):
        """All that is kept, by the files' names; what is empty is as good as not there."""
        found = {each.name: each.read_bytes() for each in self.folder.glob("sessions.db*")}
        return {name: content for name, content in found.items() if content and not name.endswith("-shm")}

    def change(self, *statement):
        with sqlite3.connect(self.database) as database:
            database.execute(*statement)
        database.close()

    def read_only(self, *arguments):
        """Runs the program where its folder cannot be written."""
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, str(self.folder)]
        try:
            allowed = subprocess.run([*command, "true"], capture_output=True, timeout=PATIENCE)
        except FileNotFoundError:
            self.skipTest("there is no unshare")
        if allowed.returncode != 0:
            self.skipTest(f"no mounts are allowed here: {allowed.stderr}")
        return subprocess.run([*command, TROUPE, *arguments], env=self.environment, capture_output=True,
                              text=True, encoding="utf-8", timeout=PATIENCE)

    def assert_reads(self, run, ids):
        """That `run(*arguments)` checks and prints all of these, and nothing is changed."""
        before = self.files()
        checked = run("journal", "check", "--json")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertEqual(json.loads(checked.stdout), {"runs": len(ids), "flaws": []})
        printed = run("journal", "export")
        self.assertEqual(printed.returncode, 0)
        self.assertEqual([json.loads(line)["run_id"] for line in printed.stdout.splitlines()], ids)
        self.assertEqual(self.files(), before)

    def test_there_need_be_no_room_on_the_disk(self):
        ids = self.crash_with("echo one", "echo two")
        self.assertIn("sessions.db-wal", self.files())

        def without_room(*arguments):
            return self.troupe(*arguments, preexec_fn=no_room)

        self.assert_reads(without_room, ids)
        # All of the log goes to the database.
        self.change("PRAGMA wal_checkpoint(TRUNCATE)")
        self.assertNotIn("sessions.db-wal", self.files())
        self.assert_reads(without_room, ids)
        _, port = self.serve()
        ids.append(self.chat(port, "echo three")[1]["run_id"])
        self.assert_reads(without_room, ids)

    def test_the_file_system_may_be_read_only(self):
        ids = self.crash_with("echo one", "echo two")
        self.assert_reads(self.read_only, ids)
        (self.folder / "sessions.db-shm").unlink()
        self.assert_reads(self.read_only, ids)
        self.change("PRAGMA wal_checkpoint(TRUNCATE)")
        self.assert_reads(self.read_only, ids)
        refused = self.read_only("run", "echo hi")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("Read-only file system", refused.stderr)
        _, port = self.serve()
        ids.append(self.chat(port, "echo three")[1]["run_id"])
        self.assert_reads(self.read_only, ids)

    def test_a_damaged_page_costs_what_is_on_it_and_each_run_is_named_once(self):
        program, port = self.serve()
        ids = [self.chat(port, f"echo {'x' * 200} {i}", background=True)[1]["run_id"] for i in range(30)]
        for run_id in ids:
            self.ends(port, run_id)
        program.terminate()
        program.communicate(timeout=PATIENCE)
        content = bytearray(self.database.read_bytes())
        pages = [content[at:at + PAGE] for at in range(0, len(content), PAGE)]
        # A leaf of the table of runs: outcomes stand there alone.
        number = next(i for i, page in enumerate(pages) if page[0] == 0x0D and b'"usage"' in page and i > 0)
        hit = {run_id for run_id in ids if run_id.encode() in pages[number]}
        self.assertTrue(0 < len(hit) < len(ids))
        content[number * PAGE:(number + 1) * PAGE] = b"\xff" * PAGE
        self.database.write_bytes(content)

        checked = self.troupe("journal", "check")
        self.assertEqual(checked.returncode, 1)
        for run_id in ids:
            self.assertEqual(checked.stderr.count(run_id), 1 if run_id in hit else 0)
        self.assertIn("docs/journal.md#damage", checked.stderr)
        self.assertNotIn("session database", checked.stderr)
        self.assertEqual(checked.stdout, f"30 runs, {len(hit)} damaged; the file itself is damaged\n")

        printed = self.troupe("journal", "export")
        self.assertEqual(printed.returncode, 1)
        runs = {run["run_id"]: run for run in map(json.loads, printed.stdout.splitlines())}
        self.assertEqual(set(runs), set(ids))
        self.assertEqual({run_id for run_id, run in runs.items() if "damage" in run}, hit)
        self.assertEqual({run_id for run_id in ids if run_id in printed.stderr}, hit)
        self.assertIn(f"{len(hit)} of 30 runs are damaged", printed.stderr)

        bad = self.troupe("journal", "export", "--run", next(iter(hit)))
        run = json.loads(bad.stdout)
        self.assertEqual((bad.returncode, run["status"]), (1, None))
        self.assertIn("how it stands cannot be read: a page of the file is damaged", run["damage"])
        self.assertIn("run_started", [event["event"] for event in run["events"]])
        good = self.troupe("journal", "export", "--run", next(run_id for run_id in ids if run_id not in hit))
        self.assertEqual((good.returncode, good.stderr), (0, ""))

    def test_where_tables_cannot_be_found_it_says_so(self):
        self.crash_with("echo one")
        self.change("PRAGMA wal_checkpoint(TRUNCATE)")
        content = bytearray(self.database.read_bytes())
        content[100:PAGE] = b"\xff" * (PAGE - 100)
        self.database.write_bytes(content)
        for what in ("check", "export"):
            done = self.troupe("journal", what)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("its list of tables is damaged", done.stderr)

    def test_findings_that_cannot_be_printed_are_a_failure(self):
        self.crash_with("echo one")
        for what in ("check", "export"):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = self.troupe("journal", what, stdout=full)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr, "troupe: cannot write to stdout: No space left on device\n")

    def test_an_empty_file_is_called_that(self):
        self.database.write_bytes(b"")
        for what in ("check", "export"):
            done = self.troupe("journal", what)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f'"{self.database}": it is empty', done.stderr)
            self.assertNotIn("older", done.stderr)
        self.assertEqual(self.database.read_bytes(), b"")

    def test_a_file_whose_end_is_missing_is_read_as_far_as_it_goes(self):
        ids = self.crash_with(*(f"echo {'x' * 200} {i}" for i in range(20)))
        self.change("PRAGMA wal_checkpoint(TRUNCATE)")
        content = self.database.read_bytes()
        pages = len(content) // PAGE
        self.database.write_bytes(content[:-PAGE])
        checked = self.troupe("journal", "check")
        self.assertEqual(checked.returncode, 1)
        self.assertIn(f"the file: its end is missing: it has {pages - 1} of {pages} pages", checked.stderr)
        self.assertIn("docs/journal.md#damage", checked.stderr)
        self.assertRegex(checked.stdout, r"^20 runs, [0-9]+ damaged; .*the file itself is damaged\n$")
        printed = self.troupe("journal", "export")
        self.assertEqual([json.loads(line)["run_id"] for line in printed.stdout.splitlines()], ids)
        refused = self.troupe("run", "echo hi")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("docs/journal.md#damage", refused.stderr)

    def test_what_a_run_has_lost_at_its_end_is_missed(self):
        program, port = self.serve()
        ids = [self.chat(port, f"echo {i}", background=True)[1]["run_id"] for i in range(3)]
        for run_id in ids:
            self.ends(port, run_id)
        self.kill(program)
        self.assertEqual(self.troupe("journal", "check").returncode, 0)
        self.change("DELETE FROM run_events WHERE run = 1 AND id = (SELECT max(id) FROM run_events WHERE run = 1)")
        self.change("DELETE FROM items WHERE session = (SELECT session FROM runs WHERE key = 2) AND sequence > 1")
        checked = self.troupe("journal", "check")
        self.assertEqual((checked.returncode, checked.stdout), (1, "3 runs, 2 damaged\n"))
        self.assertRegex(checked.stderr, r'of its [0-9]+ events 1 are missing')
        self.assertIn("of its session's items one is missing: 2", checked.stderr)
        printed = self.troupe("journal", "export")
        runs = [json.loads(line) for line in printed.stdout.splitlines()]
        self.assertEqual((printed.returncode, ["damage" in run for run in runs]), (1, [True, True, False]))
        self.assertEqual({run["run_id"] for run in runs}, set(ids))

    def test_what_a_damaged_run_is_paused_with_is_told_as_all_damage_is(self):
        program, port = self.serve()
        run_id = self.chat(port, "wait", background=True, session_id="s")[1]["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        self.kill(program)
        (self.folder / "wait").unlink()
        program, port = self.serve()
        self.assertEqual(self.ends(port, run_id)["status"], "paused")
        self.kill(program)
        self.assertEqual(self.troupe("journal", "check").returncode, 0)
        self.change("UPDATE paused_runs SET state = replace(state, 'wait', 'tiaw')")
        checked = self.troupe("journal", "check")
        self.assertIn(f'run "{run_id}": what it is paused with is damaged: its checksum does not fit', checked.stderr)
        self.assertEqual(checked.stderr.count(run_id), 1)

    def paused_with_damaged_request(self):
        """A paused run whose call is in doubt, and a server that has found it so."""
        program, port = self.serve()
        run_id = self.chat(port, "wait", background=True, session_id="s")[1]["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        self.kill(program)
        (self.folder / "wait").unlink()
        program, port = self.serve()
        self.assertEqual(self.ends(port, run_id)["status"], "paused")
        self.kill(program)
        self.change("UPDATE runs SET request = replace(request, 'wait', 'tiaw')")
        checked = self.troupe("journal", "check")
        self.assertEqual((checked.returncode, checked.stdout), (1, "1 runs, 1 damaged\n"))
        self.assertIn(f'run "{run_id}": its request is damaged', checked.stderr)
        self.assertIn("it is paused, and can be resumed without; should its server crash after that, it ends as failed",
                      checked.stderr)
        exported = json.loads(self.troupe("journal", "export").stdout)
        self.assertEqual((exported["status"], exported["request"]["prompt"]), ("paused", "tiaw"))
        self.assertEqual(len(exported["damage"]), 1)
        program, port = self.serve()
        doubt = self.ask(port, "GET", f"/api/v1/runs/{run_id}")[1]["interruptions"][0]
        return program, port, run_id, doubt["id"]

    def test_a_paused_run_can_do_without_its_request_as_is_said(self):
        _, port, run_id, call = self.paused_with_damaged_request()
        status, done = self.ask(port, "POST", f"/api/v1/runs/{run_id}/resume",
                                {"decisions": [{"id": call, "decision": "result", "output": "waited"}]})
        self.assertEqual((status, done["result"]), (200, "The tool said: waited"))
        self.assertEqual(self.troupe("journal", "check").returncode, 0)

    def test_a_resumed_run_cannot_do_without_its_request_after_a_crash_as_is_said(self):
        program, port, run_id, call = self.paused_with_damaged_request()
        body = {"decisions": [{"id": call, "decision": "repeat"}], "stream": True}
        Stream(self, port, "POST", f"/api/v1/runs/{run_id}/resume", body)
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        self.kill(program)
        checked = self.troupe("journal", "check")
        self.assertIn("its request is damaged", checked.stderr)
        self.assertNotIn("can be resumed", checked.stderr)
        _, port = self.serve()
        failed = self.ends(port, run_id)
        self.assertEqual((failed["status"], failed["error"]["code"]), ("failed", "store_failed"))


if __name__ == "__main__":
    unittest.main()
