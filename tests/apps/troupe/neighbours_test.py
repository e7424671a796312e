"""Two `troupe serve` over one database: what one that is killed leaves, and what the other makes of it."""

import unittest

from model_server import ModelServer, call, words
from serving import ServingCase
from support import wait_until

HELPER = [{"name": "helper", "instructions": "Help.", "mcp_servers": ["stub"]}]


class NeighboursTest(ServingCase):
    def begin(self, *answers):
        """A server that is killed in a run after its call of `slow`: the model, the run's id, the other server's port."""
        model = ModelServer(self, *answers)
        self.durable_file(models={"default": model.block()}, agents=HELPER)
        (self.folder / "go").touch()
        doomed, port = self.serve()
        _, other = self.serve()
        return model, doomed, port, other

    def kill_after_the_call(self, model, doomed, port, requests):
        status, run = self.chat(port, "first", background=True, session_id="s")
        self.assertEqual(status, 202, run)
        wait_until(lambda: len(model.requests) == requests, "the model's call after the tool's")
        # It is there again if the tool is called again.
        (self.folder / "slow").unlink()
        self.kill(doomed)
        return run["run_id"]

    def roles(self, request):
        return [message["role"] for message in request["messages"] if message["role"] != "system"]

    def test_what_is_left_of_a_session_is_ended_before_the_next_prompt_to_it(self):
        model, doomed, port, other = self.begin([call("slow", {})], words(None, "never"), words("one"), words("two"))
        run_id = self.kill_after_the_call(model, doomed, port, 2)
        status, reply = self.chat(other, "second", session_id="s")
        self.assertEqual((status, reply["result"]), (200, "two"), reply)
        self.assertFalse((self.folder / "slow").exists())
        self.assertEqual(len(model.requests), 4)
        self.assertEqual(model.requests[2]["messages"], model.requests[1]["messages"])
        self.assertEqual(self.roles(model.requests[3]), ["user", "assistant", "tool", "assistant", "user"])
        run = self.ask(other, "GET", f"/api/v1/runs/{run_id}")[1]
        self.assertEqual((run["status"], run["result"]), ("completed", "one"))
        session = self.ask(other, "GET", "/api/v1/sessions/s")[1]
        self.assertEqual([item.get("content") for item in session["items"] if item["type"] == "message"],
                         ["first", "one", "second", "two"])

    def test_who_looks_at_a_run_that_is_left_has_it_taken_up_though_its_session_was_loaded_before(self):
        model, doomed, port, other = self.begin(words("zero"), [call("slow", {})], words(None, "never"), words("one"),
                                                words("two"))
        self.assertEqual(self.chat(other, "zeroth", session_id="s")[1]["result"], "zero")
        run_id = self.kill_after_the_call(model, doomed, port, 3)
        run = self.ends(other, run_id)
        self.assertEqual((run["status"], run["result"]), ("completed", "one"))
        self.assertFalse((self.folder / "slow").exists())
        self.assertEqual(self.chat(other, "second", session_id="s")[1]["result"], "two")
        self.assertEqual(self.roles(model.requests[4]),
                         ["user", "assistant", "user", "assistant", "tool", "assistant", "user"])

    def test_a_call_in_doubt_is_asked_about_at_the_other_server(self):
        model, doomed, port, other = self.begin([call("wait", {})], words("one"), words("two"))
        run_id = self.chat(port, "first", background=True, session_id="s")[1]["run_id"]
        wait_until((self.folder / "wait").exists, "the tool's beginning")
        self.kill(doomed)
        (self.folder / "wait").unlink()
        status, refusal = self.chat(other, "second", session_id="s")
        self.assertEqual(status, 409, refusal)
        run = self.ask(other, "GET", f"/api/v1/runs/{run_id}")[1]
        self.assertEqual(run["status"], "paused")
        self.assertFalse((self.folder / "wait").exists())
        at = run["interruptions"][0]["id"]
        done = self.ask(other, "POST", f"/api/v1/runs/{run_id}/resume",
                        {"decisions": [{"id": at, "decision": "result", "output": "waited"}]})
        self.assertEqual((done[0], done[1]["result"]), (200, "one"))
        self.assertEqual(self.chat(other, "second", session_id="s")[1]["result"], "two")


if __name__ == "__main__":
    unittest.main()
