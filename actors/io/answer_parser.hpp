#pragma once

#include "actors/io/http_client.hpp"
#include "libagent/core/result.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace troupe::io {

/// Makes answers out of the bytes of one connection, one answer after another (HTTP/1.1, RFC 9112).
/// Interim answers (1xx) are skipped. Bytes of a body are taken as they come.
class answer_parser {
public:
  answer_parser(std::size_t max_header_bytes, std::size_t max_body_bytes);
  ~answer_parser();

  /// Makes ready for the next answer. `bodiless`: whatever its fields say, none has a body (the answer to
  /// HEAD, or to a CONNECT that succeeded). `in_pieces`: the body is taken as it comes, so no room is made
  /// for the whole of it.
  void start(bool bodiless, bool in_pieces = false);
  /// Takes bytes and returns how many were used. The others must come again, with more behind them, unless
  /// the answer is done. Error `protocol_violation` for what is not HTTP or passes a bound.
  result<std::size_t> feed(std::string_view bytes);
  /// The peer will send no more: ends an answer whose length only the end of the connection tells. False
  /// if the answer is cut off.
  bool finish();

  /// True once status and header fields of an answer that is not an interim one are there.
  bool head_done() const;
  bool done() const;
  /// True if the length of the answer is told only by the end of the connection.
  bool ends_with_connection() const;
  /// True if the peer keeps the connection open after this answer.
  bool keeps_alive() const;
  /// What has come of the answer since `start` or the last `take`: all of it if called once, when it is done.
  /// The status is in each. Only once the head is done.
  http_response take();

private:
  class parser;
  void renew();

  std::size_t max_header_bytes_;
  std::size_t max_body_bytes_;
  bool bodiless_ = false;
  bool in_pieces_ = false;
  std::unique_ptr<parser> parser_;
};

} // namespace troupe::io
