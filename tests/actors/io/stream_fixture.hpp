#pragma once

#include "tests/actors/io/http_fixture.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::test {

/// What a stream has told so far.
struct stream_log {
  int heads = 0;
  unsigned status = 0;
  io::header_list headers;
  std::vector<std::string> pieces;
  std::string body;
  std::vector<std::optional<io::http_failure>> ends;
  /// Something came before the head or after the end.
  bool out_of_order = false;

  bool ended() const { return !ends.empty(); }
  bool succeeded() const { return ends.size() == 1 && !ends[0]; }
  /// How it failed, or nothing if it did not, or has not ended.
  io::http_failure failure() const {
    return ended() ? ends[0].value_or(io::http_failure{}) : io::http_failure{};
  }
};

/// A client whose streams are watched.
struct stream_fixture : http_fixture {
  struct stream {
    std::shared_ptr<watched<stream_log>> log = std::make_shared<watched<stream_log>>();
    io::http_request_id id = 0;

    /// All that it told; waits for the end.
    stream_log whole() const {
      log->becomes([](const stream_log& told) { return told.ended(); });
      return log->get();
    }
    bool brings(const std::string& body) const {
      return log->becomes([&](const stream_log& told) { return told.body == body; });
    }
  };

  /// Consumes nothing.
  stream start(io::http_request request = {}, io::http_stream_options options = {}) {
    stream made;
    made.id = client->stream(std::move(request), options, handlers(made.log));
    return made;
  }

  static io::http_stream_handlers handlers(std::shared_ptr<watched<stream_log>> log) {
    return {.on_head =
                [log](unsigned status, io::header_list headers) {
                  log->change([&](stream_log& told) {
                    told.out_of_order |= told.ended();
                    ++told.heads;
                    told.status = status;
                    told.headers = std::move(headers);
                  });
                },
            .on_data =
                [log](std::string bytes) {
                  log->change([&](stream_log& told) {
                    told.out_of_order |= told.ended() || told.heads == 0 || bytes.empty();
                    told.body += bytes;
                    told.pieces.push_back(std::move(bytes));
                  });
                },
            .on_end = [log](auto why) { log->change([&](stream_log& told) { told.ends.push_back(why); }); }};
  }
};

} // namespace troupe::test
