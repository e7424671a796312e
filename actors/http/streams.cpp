#include "actors/http/streams.hpp"

#include "actors/http/routes.hpp"
#include "actors/io/log.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::http {

using clock = connection::clock;

struct streams::stream {
  std::shared_ptr<exchange> request;
  bool chunked = false;
  bool keep_alive = false;
  /// Until it is sent.
  std::string head;
  /// Events and comments that wait for what is being written.
  std::string pending;
  /// Bytes of data in it.
  std::size_t pending_data = 0;
  std::size_t events = 0;
  bool is_writing = false;
  /// Something was written since the client closed its side.
  bool tried = false;
  clock::time_point quiet_since;
};

streams::streams(std::chrono::milliseconds keep_alive, handlers events)
    : keep_alive_(keep_alive), events_(std::move(events)) {}

streams::~streams() = default;

void streams::begin(request_id id, std::shared_ptr<exchange> request, std::string head, bool keep_alive) {
  auto begun = std::make_unique<stream>();
  begun->chunked = request->takes_chunks();
  begun->keep_alive = keep_alive;
  begun->head = std::move(head);
  begun->quiet_since = request->since;
  begun->request = std::move(request);
  open_.emplace(id, std::move(begun));
  touched_.push_back(id);
}

void streams::write(request_id id, const sse_event& event) {
  const auto found = open_.find(id);
  if (found == open_.end())
    return;
  auto& which = *found->second;
  ++which.events;
  append_sse(which.pending, event);
  which.pending_data += event.data.size();
  touched_.push_back(id);
}

void streams::end(request_id id, bool keep_alive) {
  const auto found = open_.extract(id);
  if (!found)
    return;
  auto& which = *found.mapped();
  const auto view = which.request->request();
  const std::chrono::duration<double, std::milli> took = clock::now() - which.request->since;
  log().debug("http: {} {} 200 {} events {:.1f} ms", view.method, path_of(view.target), which.events,
              took.count());
  auto pieces = take(which);
  // RFC 9112, section 7.1: the last chunk is empty.
  if (which.chunked)
    pieces.emplace_back("0\r\n\r\n");
  which.request->write_last(std::move(pieces), which.keep_alive && keep_alive);
}

void streams::flush() {
  for (const auto id : std::exchange(touched_, {}))
    if (const auto found = open_.find(id); found != open_.end())
      send(id, *found->second);
}

void streams::try_client(request_id id) {
  const auto found = open_.find(id);
  // What is being written will tell.
  if (found == open_.end() || found->second->is_writing || std::exchange(found->second->tried, true))
    return;
  found->second->pending += sse_keep_alive_comment;
  touched_.push_back(id);
  flush();
}

void streams::drop(request_id id) {
  if (open_.erase(id) > 0)
    events_.on_gone(id);
}

std::vector<std::string> streams::take(stream& from) {
  std::vector<std::string> pieces;
  pieces.push_back(std::exchange(from.head, {}));
  if (from.chunked && !from.pending.empty()) {
    pieces.push_back(fmt::format("{:x}\r\n", from.pending.size()));
    from.pending += "\r\n";
  }
  pieces.push_back(std::exchange(from.pending, {}));
  from.pending_data = 0;
  return pieces;
}

void streams::send(request_id id, stream& which) {
  if (which.is_writing || (which.head.empty() && which.pending.empty()))
    return;
  which.is_writing = true;
  const auto bytes = which.pending_data;
  // May fail, and so end the stream, before it returns.
  const auto request = which.request;
  request->write_part(take(which), [all = weak_from_this(), id, bytes](bool ok) {
    if (const auto self = all.lock())
      self->written(id, bytes, ok);
  });
}

void streams::written(request_id id, std::size_t bytes, bool ok) {
  const auto found = open_.find(id);
  if (found == open_.end())
    return;
  if (!ok)
    return drop(id);
  auto& which = *found->second;
  which.is_writing = false;
  which.quiet_since = clock::now();
  if (bytes > 0)
    events_.on_written(id, bytes);
  send(id, which);
}

void streams::sweep(clock::time_point now) {
  for (const auto& [id, each] : open_) {
    if (each->is_writing)
      continue;
    const bool try_now = each->request->client_has_ended() && !std::exchange(each->tried, true);
    if (!try_now && now - each->quiet_since < keep_alive_)
      continue;
    each->pending += sse_keep_alive_comment;
    touched_.push_back(id);
  }
  flush();
}

void streams::end_all(const sse_event& last) {
  std::vector<request_id> all;
  for (const auto& [id, ignored] : open_)
    all.push_back(id);
  for (const auto id : all) {
    write(id, last);
    end(id, false);
  }
  touched_.clear();
}

void streams::clear() {
  open_.clear();
}

} // namespace troupe::http
