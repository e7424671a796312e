#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// What is fed with inputs that nobody meant: by libFuzzer (`./dev fuzz`), and over the checked-in seeds
/// among the ordinary tests. A target takes any bytes; it throws where a promise is broken.
namespace troupe::fuzz {

/// Bodies of POST requests: chat, resume, cancel.
void http_bodies(std::string_view input);
/// A stream of server-sent events.
void sse(std::string_view input);
/// Lines that an MCP server writes to its client, or a client to its server.
void json_rpc(std::string_view input);
/// An agent file.
void config_file(std::string_view input);
/// Records of a run, one a line.
void journal(std::string_view input);
/// What a journal has of a run beside its records: the request, and the outcome on a second line.
void stored_run(std::string_view input);
/// A token; or on two lines the header and the claims of one, which is signed then.
void token(std::string_view input);
/// A JWK Set.
void key_set(std::string_view input);
// Answers of models: the body, and the same bytes as a stream.
void chat_completions(std::string_view input);
void responses(std::string_view input);
void anthropic(std::string_view input);

/// Throws unless it holds.
inline void expect(bool holds, const char* what) {
  if (!holds)
    throw std::logic_error(what);
}

/// The parts between line feeds.
inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return lines;
    text.remove_prefix(end + 1);
  }
}

/// The text in pieces whose sizes it decides itself, so that an input is always cut in the same way.
inline std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t size = text.size() % 7 + 1; !text.empty(); size = (size * 5 + 3) % 13 + 1) {
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

} // namespace troupe::fuzz
