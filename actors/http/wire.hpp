#pragma once

#include "actors/http/connections.hpp"
#include "actors/http/visitor.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::http {

/// One request, and the place for its answer. Reactor thread only. While it lives, so does its connection.
class exchange {
public:
  exchange() = default;
  virtual ~exchange() = default;
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  virtual request_view request() const = 0;
  /// Where it comes from, and where it means to go.
  virtual visitor from() const = 0;
  /// Whether the client wants the connection to go on.
  virtual bool keep_alive() const = 0;
  /// What is wrong with the request. If there is anything, `request()` has nothing in it that could be relied
  /// on.
  virtual fault problem() const = 0;
  /// The answer to a request that is refused for its head (`fault::refused`). Once.
  virtual std::optional<answer> take_refusal() { return std::nullopt; }
  /// Answers, after all requests that came before it on the connection. Once.
  virtual void write(std::string head, std::string body, bool keep_alive) = 0;

  // An answer may also come in parts instead.

  /// Whether the client understands an answer in chunks (HTTP/1.1). If not, the end of the connection is its
  /// end.
  virtual bool takes_chunks() const = 0;
  /// Whether the client has closed its side.
  virtual bool client_has_ended() const = 0;
  /// Runs a task soon after the connection is closed before the answer is complete.
  virtual void when_closed(std::function<void()> task) = 0;
  /// Runs a task soon after the client has closed its side, which it also does when it goes away.
  virtual void when_ended(std::function<void()> task) = 0;
  /// Writes a part as it is. `written` learns whether the kernel has taken it, or never will; possibly at
  /// once.
  virtual void write_part(std::vector<std::string> pieces, std::function<void(bool)> written) = 0;
  /// Writes the last part.
  virtual void write_last(std::vector<std::string> pieces, bool keep_alive) = 0;

  /// Headers that go with its answer, whatever that is.
  header_lines more_headers{};

  /// When the request was complete.
  const connection::clock::time_point since = connection::clock::now();
};

/// RESTinio, behind a wall: reads requests from connections and writes answers to them. Reactor thread only.
class wire {
public:
  using request_handler = std::function<void(std::shared_ptr<exchange>)>;

  /// The handler must not throw. It may be called as long as there are connections.
  static std::unique_ptr<wire> make(std::size_t max_body_bytes, request_handler on_request);
  virtual ~wire() = default;

  /// Serves a connection until it ends; over TLS, if there is a context.
  virtual void serve(boost::asio::ip::tcp::socket accepted, std::shared_ptr<boost::asio::ssl::context> tls,
                     std::shared_ptr<connection> owner) = 0;
};

} // namespace troupe::http
