#include "actors/io/answer_parser.hpp"

#include "actors/io/defaults.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace troupe::io {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

/// Fills an `http_response`.
class answer_parser::parser final : public http::basic_parser<false> {
public:
  parser(std::size_t max_header_bytes, std::size_t max_body_bytes, bool bodiless, bool in_pieces)
      : in_pieces_(in_pieces) {
    header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(max_header_bytes, std::numeric_limits<std::uint32_t>::max())));
    body_limit(max_body_bytes);
    eager(true);
    skip(bodiless);
  }

  http_response answer;
  bool header_done = false;

private:
  std::size_t append(string_view bytes) {
    answer.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override {
    answer.status = static_cast<unsigned>(code);
    answer.headers.reserve(12);
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    // Trailers are left out: taken for header fields they could change what the header said.
    if (header_done)
      return;
    answer.headers.emplace_back(std::piecewise_construct, std::forward_as_tuple(name.data(), name.size()),
                                std::forward_as_tuple(value.data(), value.size()));
  }
  void on_header_impl(error_code&) override { header_done = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length && !in_pieces_)
      answer.body.reserve(std::min<std::uint64_t>(*length, defaults::body_reserve_bytes));
  }
  std::size_t on_body_impl(string_view bytes, error_code&) override { return append(bytes); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
    return append(bytes);
  }
  void on_finish_impl(error_code&) override {}

  bool in_pieces_;
};

answer_parser::answer_parser(std::size_t max_header_bytes, std::size_t max_body_bytes)
    : max_header_bytes_(max_header_bytes), max_body_bytes_(max_body_bytes) {}

answer_parser::~answer_parser() = default;

void answer_parser::start(bool bodiless, bool in_pieces) {
  bodiless_ = bodiless;
  in_pieces_ = in_pieces;
  renew();
}

void answer_parser::renew() {
  parser_ = std::make_unique<parser>(max_header_bytes_, max_body_bytes_, bodiless_, in_pieces_);
}

result<std::size_t> answer_parser::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !parser_->is_done()) {
    error_code ec;
    auto taken = parser_->put(boost::asio::buffer(bytes.substr(used)), ec);
    used += taken;
    if (ec == http::error::need_more)
      break;
    if (ec == http::error::body_limit)
      return fail(errc::protocol_violation,
                  fmt::format("the answer is longer than {} bytes", max_body_bytes_));
    if (ec == http::error::header_limit)
      return fail(errc::protocol_violation,
                  fmt::format("the header of the answer is longer than {} bytes", max_header_bytes_));
    if (ec)
      return fail(errc::protocol_violation, "the answer is not HTTP/1.1: " + ec.message());
    if (parser_->is_done() && parser_->answer.status == 101)
      return fail(errc::protocol_violation, "the peer switched protocols unasked");
    if (parser_->is_done() && parser_->answer.status < 200)
      renew();
    else if (taken == 0)
      break;
  }
  return used;
}

bool answer_parser::finish() {
  error_code ec;
  parser_->put_eof(ec);
  return !ec && parser_->is_done();
}

bool answer_parser::head_done() const {
  return parser_->header_done && parser_->answer.status >= 200;
}

bool answer_parser::done() const {
  return parser_->is_done();
}

bool answer_parser::ends_with_connection() const {
  return parser_->is_header_done() && parser_->need_eof();
}

bool answer_parser::keeps_alive() const {
  return parser_->keep_alive();
}

http_response answer_parser::take() {
  auto& answer = parser_->answer;
  return {answer.status, std::exchange(answer.headers, {}), std::exchange(answer.body, {})};
}

} // namespace troupe::io
