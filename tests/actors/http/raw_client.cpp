#include "tests/actors/http/raw_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace troupe::testing {

namespace {

constexpr timeval patience{10, 0};

[[noreturn]] void give_up(const char* what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

raw_answer parse_head(std::string_view head) {
  raw_answer answer;
  answer.status = std::stoi(std::string(head.substr(head.find(' ') + 1, 3)));
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(": ");
    answer.headers[lower(std::string(line.substr(0, colon)))] = line.substr(colon + 2);
    head.remove_prefix(std::min(head.size(), line.size() + 2));
  }
  return answer;
}

raw_event parse_event(std::string_view text) {
  raw_event event;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto colon = line.find(": ");
    const auto field = line.substr(0, colon);
    auto& value = field == "id"      ? event.id
                  : field == "event" ? event.name
                  : field == "data"  ? event.data
                                     : event.comment;
    value += line.substr(colon == std::string_view::npos ? 0 : colon + 2);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return event;
}

} // namespace

raw_client::raw_client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    ::close(descriptor_);
    give_up("connect");
  }
}

raw_client::~raw_client() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void raw_client::send(std::string_view bytes) {
  if (!try_send(bytes))
    give_up("send");
}

bool raw_client::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = put(bytes.data(), bytes.size());
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

long raw_client::take(char* into, std::size_t most) {
  return ::recv(descriptor_, into, most, 0);
}

long raw_client::put(const char* from, std::size_t most) {
  return ::send(descriptor_, from, most, MSG_NOSIGNAL);
}

void raw_client::close_sending_side() {
  ::shutdown(descriptor_, SHUT_WR);
}

bool raw_client::fill() {
  std::array<char, 16384> bytes;
  const auto length = take(bytes.data(), bytes.size());
  if (length < 0 && errno != ECONNRESET)
    give_up("receive");
  if (length > 0)
    buffer_.append(bytes.data(), static_cast<std::size_t>(length));
  return length > 0;
}

std::string raw_client::take_until(std::string_view mark) {
  auto end = buffer_.find(mark);
  while (end == std::string::npos) {
    if (!fill())
      throw std::runtime_error("closed before it was complete: " + buffer_);
    end = buffer_.find(mark);
  }
  auto taken = buffer_.substr(0, end);
  buffer_.erase(0, end + mark.size());
  return taken;
}

raw_answer raw_client::receive_head() {
  auto answer = parse_head(take_until("\r\n\r\n"));
  const auto coding = answer.headers.find("transfer-encoding");
  chunked_ = coding != answer.headers.end() && coding->second == "chunked";
  return answer;
}

bool raw_client::fill_stream() {
  if (!chunked_) {
    const bool more = !buffer_.empty() || fill();
    stream_ += std::exchange(buffer_, {});
    return more;
  }
  const auto size = std::stoul(take_until("\r\n"), nullptr, 16);
  while (buffer_.size() < size + 2)
    if (!fill())
      throw std::runtime_error("closed in the middle of a chunk");
  if (buffer_.compare(size, 2, "\r\n") != 0)
    throw std::runtime_error("a chunk that does not end where it should");
  stream_ += buffer_.substr(0, size);
  buffer_.erase(0, size + 2);
  return size > 0;
}

std::optional<raw_event> raw_client::receive_event() {
  auto end = stream_.find("\n\n");
  while (end == std::string::npos) {
    if (!fill_stream()) {
      if (!stream_.empty())
        throw std::runtime_error("a stream that ends in the middle of an event");
      return std::nullopt;
    }
    end = stream_.find("\n\n");
  }
  auto event = parse_event(std::string_view(stream_).substr(0, end));
  stream_.erase(0, end + 2);
  return event;
}

void raw_client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(descriptor_, -1));
}

raw_answer raw_client::receive(bool to_head) {
  auto answer = receive_head();
  const auto length = answer.headers.find("content-length");
  const auto size = length == answer.headers.end() || to_head ? 0 : std::stoul(length->second);
  while (buffer_.size() < size)
    if (!fill())
      throw std::runtime_error("closed in the middle of an answer");
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

raw_answer raw_client::ask(std::string_view bytes) {
  send(bytes);
  return receive();
}

bool raw_client::closed_by_peer() {
  return buffer_.empty() && !fill();
}

bool raw_client::hears_within(std::chrono::milliseconds time) const {
  pollfd watched{descriptor_, POLLIN, 0};
  return ::poll(&watched, 1, static_cast<int>(time.count())) > 0;
}

std::string get(std::string_view path, std::string_view method) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n\r\n", method, path);
}

std::string post(std::string_view path, std::string_view body, std::string_view headers) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n"
      "\r\n{}",
      path, headers, body.size(), body);
}

std::string post_chat(std::string_view body, std::string_view headers) {
  return fmt::format("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: {}\r\n\r\n{}",
                     headers, body.size(), body);
}

} // namespace troupe::testing
