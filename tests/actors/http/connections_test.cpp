#include "actors/http/connections.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <memory>

using namespace troupe::http;
using namespace std::chrono_literals;

namespace {

/// A connection on a socket that is open and leads nowhere.
struct one_connection {
  one_connection() {
    socket.open(boost::asio::ip::tcp::v4());
    only->attach(&socket);
  }
  ~one_connection() { only->attach(nullptr); }

  void sweep_in(std::chrono::milliseconds later) { all->sweep(connection::clock::now() + later); }

  boost::asio::io_context io;
  connection::socket socket{io};
  std::shared_ptr<connections> all = std::make_shared<connections>(connections::timeouts{10s, 30s, 60s});
  std::shared_ptr<connection> only = std::make_shared<connection>(all);
};

} // namespace

TEST_CASE_METHOD(one_connection, "a connection without a request is closed when idle ones are") {
  all->close_idle();
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection,
                 "a connection that becomes idle after idle ones were closed is closed then") {
  only->request_begins(fault::none);
  only->request_begins(fault::none);
  all->close_idle();
  only->request_ends();
  CHECK(socket.is_open());
  only->request_ends();
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "a connection that becomes idle is otherwise kept for its time") {
  only->request_begins(fault::none);
  only->request_ends();
  sweep_in(59s);
  CHECK(socket.is_open());
  sweep_in(61s);
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection,
                 "the time for headers runs from connecting, and is not prolonged by more bytes") {
  only->reading(connection::phase::header);
  only->reading(connection::phase::header);
  sweep_in(9s);
  CHECK(socket.is_open());
  sweep_in(11s);
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "the time for the body begins after the headers") {
  only->reading(connection::phase::header);
  only->reading(connection::phase::body);
  sweep_in(29s);
  CHECK(socket.is_open());
  sweep_in(31s);
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "no time runs while a request is in work") {
  only->reading(connection::phase::header);
  only->request_begins(fault::none);
  sweep_in(24h);
  CHECK(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "a client that takes nothing of its answer is dropped") {
  only->request_begins(fault::none);
  only->write_begins();
  sweep_in(29s);
  CHECK(socket.is_open());
  sweep_in(31s);
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "a client that takes a byte now and then is dropped all the same") {
  const auto start = connection::clock::now();
  only->request_begins(fault::none);
  for (int i = 0; i < 3; ++i) {
    only->write_begins(start + i * 10s);
    only->write_ends(1);
    only->write_begins(start + i * 10s);
    only->writes_pause();
  }
  all->sweep(start + 29s);
  CHECK(socket.is_open());
  all->sweep(start + 31s);
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "a client that takes a large answer slowly gets all of it") {
  const auto start = connection::clock::now();
  only->request_begins(fault::none);
  only->write_begins(start);
  for (int i = 1; i <= 100; ++i) {
    only->write_ends(100'000);
    only->write_begins(start + i * 10s);
    all->sweep(start + i * 10s + 9s);
    REQUIRE(socket.is_open());
  }
  all->sweep(start + 1000s + 31s);
  CHECK_FALSE(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "the time for an answer begins anew after a pause") {
  const auto start = connection::clock::now();
  only->request_begins(fault::none);
  only->write_begins(start);
  only->write_ends(1);
  only->writes_pause();
  only->write_begins(start + 1h);
  all->sweep(start + 1h + 29s);
  CHECK(socket.is_open());
}

TEST_CASE_METHOD(one_connection, "requests in work are counted until they end or their connection is gone") {
  only->request_begins(fault::none);
  only->request_begins(fault::none);
  only->request_ends();
  CHECK(all->in_work() == 1);
  CHECK(all->count() == 1);
  only.reset();
  CHECK(all->in_work() == 0);
  CHECK(all->count() == 0);
  only = std::make_shared<connection>(all);
}

TEST_CASE_METHOD(one_connection,
                 "who waits for the end of a connection under its request is told soon after") {
  int told = 0;
  only->request_begins(fault::none);
  only->when_closed([&told] { ++told; });
  only->close();
  CHECK(told == 0);
  io.poll();
  CHECK(told == 1);
  only->close();
  io.restart();
  io.poll();
  CHECK(told == 1);
}

TEST_CASE_METHOD(one_connection, "nobody is told of the end of a connection whose answers are written") {
  bool told = false;
  only->request_begins(fault::none);
  only->when_closed([&told] { told = true; });
  only->request_ends();
  only->close();
  io.poll();
  CHECK_FALSE(told);
}
