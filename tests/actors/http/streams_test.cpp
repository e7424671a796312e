#include "actors/http/streams.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace troupe::http;
using namespace std::chrono_literals;

namespace {

/// A client whose socket takes a part when the test says so.
struct slow_client : exchange {
  visitor from() const override { return {"POST", "/api/v1/chat"}; }
  request_view request() const override { return {"POST", "/api/v1/chat", {}, {}}; }
  bool keep_alive() const override { return true; }
  fault problem() const override { return fault::none; }
  void write(std::string, std::string, bool) override {}
  bool takes_chunks() const override { return chunks; }
  bool client_has_ended() const override { return ended; }
  void when_closed(std::function<void()>) override {}
  void when_ended(std::function<void()>) override {}

  void write_part(std::vector<std::string> pieces, std::function<void(bool)> written) override {
    parts.push_back(join(pieces));
    if (broken)
      return written(false);
    taken.push_back(std::move(written));
  }

  void write_last(std::vector<std::string> pieces, bool goes_on) override {
    parts.push_back(join(pieces));
    completed = true;
    kept = goes_on;
  }

  static std::string join(const std::vector<std::string>& pieces) {
    std::string all;
    for (const auto& piece : pieces)
      all += piece;
    return all;
  }

  void take(bool ok = true) {
    const auto next = taken.front();
    taken.erase(taken.begin());
    next(ok);
  }

  bool chunks = true;
  bool ended = false;
  bool broken = false;
  bool completed = false;
  bool kept = false;
  std::vector<std::string> parts;
  std::vector<std::function<void(bool)>> taken;
};

struct one_stream {
  explicit one_stream(bool chunks = false) {
    client->chunks = chunks;
    all->begin(1, client, "HEAD|", true);
  }

  void write(const char* data) { all->write(1, {"e", data}); }
  void sweep_in(std::chrono::milliseconds later) { all->sweep(connection::clock::now() + later); }

  std::vector<std::size_t> written;
  int gone = 0;
  std::shared_ptr<slow_client> client = std::make_shared<slow_client>();
  std::shared_ptr<streams> all = std::make_shared<streams>(
      15s, streams::handlers{[this](request_id, std::size_t bytes) { written.push_back(bytes); },
                             [this](request_id) { ++gone; }});
};

struct one_chunked_stream : one_stream {
  one_chunked_stream() : one_stream(true) {}
};

} // namespace

TEST_CASE_METHOD(one_stream, "what gathers goes out as one write, the head first, events counted from one") {
  write("a");
  write("bc");
  all->flush();
  CHECK(client->parts == std::vector<std::string>{"HEAD|event: e\ndata: a\n\nevent: e\ndata: bc\n\n"});
  CHECK(written.empty());
  client->take();
  CHECK(written == std::vector<std::size_t>{3});
}

TEST_CASE_METHOD(one_stream, "what comes while the client takes a part waits, and goes out together") {
  write("a");
  all->flush();
  write("b");
  all->flush();
  write("c");
  all->flush();
  CHECK(client->parts.size() == 1);
  client->take();
  REQUIRE(client->parts.size() == 2);
  CHECK(client->parts[1] == "event: e\ndata: b\n\nevent: e\ndata: c\n\n");
  client->take();
  CHECK(client->parts.size() == 2);
  CHECK(written == std::vector<std::size_t>{1, 2});
}

TEST_CASE_METHOD(one_chunked_stream, "a part is a chunk, and an empty one is the last") {
  write("a");
  all->flush();
  CHECK(client->parts.at(0) == "HEAD|12\r\nevent: e\ndata: a\n\n\r\n");
  write("b");
  all->end(1, true);
  CHECK(client->parts.at(1) == "12\r\nevent: e\ndata: b\n\n\r\n0\r\n\r\n");
  CHECK(client->completed);
  CHECK(client->kept);
}

TEST_CASE_METHOD(one_chunked_stream, "a stream without events has a head and an end") {
  all->end(1, true);
  CHECK(client->parts == std::vector<std::string>{"HEAD|0\r\n\r\n"});
}

TEST_CASE_METHOD(one_chunked_stream, "the connection does not go on when the server does not") {
  all->end(1, false);
  CHECK(client->completed);
  CHECK_FALSE(client->kept);
}

TEST_CASE_METHOD(one_stream, "a stream that has ended takes no more, and nobody is told of it") {
  write("a");
  all->flush();
  all->end(1, true);
  client->take();
  write("b");
  all->flush();
  all->drop(1);
  all->end(1, true);
  CHECK(client->parts.size() == 2);
  CHECK(written.empty());
  CHECK(gone == 0);
  CHECK_FALSE(all->contains(1));
}

TEST_CASE_METHOD(one_stream, "a client that is gone is told of once") {
  write("a");
  all->flush();
  client->take(false);
  all->drop(1);
  CHECK(gone == 1);
  CHECK(written.empty());
  CHECK(client.use_count() == 1);
}

TEST_CASE_METHOD(one_stream, "a connection that breaks while it is written to ends the stream") {
  client->broken = true;
  write("a");
  all->flush();
  CHECK(gone == 1);
  CHECK_FALSE(all->contains(1));
}

TEST_CASE_METHOD(one_chunked_stream, "a quiet stream is kept alive by comments") {
  write("a");
  all->flush();
  sweep_in(16s);
  CHECK(client->parts.size() == 1);
  client->take();
  sweep_in(14s);
  CHECK(client->parts.size() == 1);
  sweep_in(16s);
  REQUIRE(client->parts.size() == 2);
  CHECK(client->parts[1] == "e\r\n: keep-alive\n\n\r\n");
  client->take();
  CHECK(written == std::vector<std::size_t>{1});
}

TEST_CASE_METHOD(one_stream, "whether a client that closed its side is still there is tried once") {
  write("a");
  all->flush();
  client->ended = true;
  sweep_in(0s);
  CHECK(client->parts.size() == 1);
  client->take();
  sweep_in(0s);
  CHECK(client->parts.size() == 2);
  client->take();
  sweep_in(0s);
  CHECK(client->parts.size() == 2);
}

TEST_CASE_METHOD(one_stream, "all streams end with the same words, from which no client goes on") {
  const auto other = std::make_shared<slow_client>();
  all->begin(2, other, "HEAD|", true);
  write("a");
  all->flush();
  all->end_all({"run_failed", "x"});
  CHECK(client->parts.back() == "event: run_failed\ndata: x\n\n");
  CHECK(other->parts ==
        std::vector<std::string>{"HEAD|", "1b\r\nevent: run_failed\ndata: x\n\n\r\n0\r\n\r\n"});
  CHECK(client->completed);
  CHECK_FALSE(other->kept);
}

TEST_CASE_METHOD(one_stream, "a part that is taken after the streams are gone does no harm") {
  write("a");
  all->flush();
  all.reset();
  client->take();
  CHECK(written.empty());
}
