#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::testing {

/// An answer as it came over the wire.
struct raw_answer {
  int status = 0;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// A server-sent event, or a comment.
struct raw_event {
  std::string id;
  std::string name;
  std::string data;
  std::string comment;
};

/// A client that blocks and sends exactly what it is told. Waits ten seconds at the most, then throws
/// `std::runtime_error`.
class raw_client {
public:
  explicit raw_client(std::uint16_t port);
  virtual ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(std::string_view bytes);
  /// Sends as much as goes; false if the other side has closed.
  bool try_send(std::string_view bytes);
  /// Nothing more will be sent.
  void close_sending_side();
  /// The next answer. The answer to a HEAD has a length but no body.
  raw_answer receive(bool to_head = false);
  /// The head of the next answer. If it is a stream, its events follow.
  raw_answer receive_head();
  /// The next event of the stream, nothing at its end.
  std::optional<raw_event> receive_event();
  /// Goes away by a reset, not in order.
  void reset();
  /// Sends and receives.
  raw_answer ask(std::string_view bytes);
  /// True once the other side has closed, and sent nothing that was not received.
  bool closed_by_peer();
  /// Whether anything comes within that time, be it the end.
  bool hears_within(std::chrono::milliseconds time) const;

protected:
  int descriptor() const noexcept { return descriptor_; }
  // As `recv` and `send`.
  virtual long take(char* into, std::size_t most);
  virtual long put(const char* from, std::size_t most);

private:
  bool fill();
  /// Takes what ends by a mark out of the buffer, without the mark.
  std::string take_until(std::string_view mark);
  /// Adds more of the stream to `stream_`; false at its end.
  bool fill_stream();

  int descriptor_;
  std::string buffer_;
  bool chunked_ = false;
  /// What was received of a stream, the framing undone.
  std::string stream_;
};

/// A request without a body.
std::string get(std::string_view path, std::string_view method = "GET");
/// A request with a body of JSON.
std::string post(std::string_view path, std::string_view body, std::string_view headers = {});
/// `POST /api/v1/chat` with a body of JSON.
std::string post_chat(std::string_view body, std::string_view headers = "Content-Type: application/json\r\n");

} // namespace troupe::testing
