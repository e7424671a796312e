#pragma once

#include <cstdint>
#include <map>
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

/// A client that blocks and sends exactly what it is told. Waits ten seconds at the most, then throws
/// `std::runtime_error`.
class raw_client {
public:
  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(std::string_view bytes);
  /// Sends as much as goes; false if the other side has closed.
  bool try_send(std::string_view bytes);
  /// Nothing more will be sent.
  void close_sending_side();
  /// The next answer. The answer to a HEAD has a length but no body.
  raw_answer receive(bool to_head = false);
  /// Sends and receives.
  raw_answer ask(std::string_view bytes);
  /// True once the other side has closed, and sent nothing that was not received.
  bool closed_by_peer();

private:
  bool fill();

  int descriptor_;
  std::string buffer_;
};

/// A request without a body.
std::string get(std::string_view path, std::string_view method = "GET");
/// `POST /api/v1/chat` with a body of JSON.
std::string post_chat(std::string_view body, std::string_view headers = "Content-Type: application/json\r\n");

} // namespace troupe::testing
