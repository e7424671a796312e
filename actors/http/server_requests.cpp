#include "actors/http/routes.hpp"
#include "actors/http/server_core.hpp"
#include "actors/http/streams.hpp"
#include "actors/io/log.hpp"

#include <utility>

// The way of a request through the server.
namespace troupe::http {

void server_core::handle(const std::shared_ptr<exchange>& request) {
  if (auto refusal = request->take_refusal()) {
    if (refusal->status == 413)
      admission_.refused_body();
    request->more_headers = reception_->headers_for(request->from());
    return respond(*request, std::move(*refusal));
  }
  if (request->problem() == fault::body_too_large)
    admission_.refused_body();
  if (request->problem() != fault::none)
    return respond(*request, api_->refuse_fault(request->problem()));
  reception_->receive(request);
}

void server_core::go_on(const std::shared_ptr<exchange>& request, const auth::identity& who) {
  const auto& asked = request->request();
  const auto what = find_route(asked.method, asked.target).what;
  if (auto refusal = what ? admission_.refuse(*what, in_work(), clock::now()) : std::nullopt)
    return respond(*request, std::move(*refusal));
  auto decided = decide(asked, who);
  if (auto* at_once = std::get_if<answer>(&decided)) {
    at_once->body = hides_->hide_json(std::move(at_once->body));
    return respond(*request, std::move(*at_once));
  }
  if (draining_ || !hand_out(request, std::move(std::get<call>(decided)), {who.subject, who.is_operator}))
    respond(*request, shutting_down());
}

bool server_core::hand_out(const std::shared_ptr<exchange>& request, call what, caller who) {
  const auto id = ++last_request_;
  if (is_streamed(what))
    to_begin_.push_back(id);
  if (is_streamed(what) || ends_with_client(what)) {
    request->when_closed([inside = weak_from_this(), id] {
      if (const auto self = inside.lock())
        self->gone(id);
    });
    request->when_ended([inside = weak_from_this(), id, streamed = is_streamed(what)] {
      if (const auto self = inside.lock())
        self->ended(id, streamed);
    });
  }
  waiting_.emplace(id, request);
  admission_.show_requests(in_work());
  if (events_.on_call(id, std::move(what), std::move(who)))
    return true;
  waiting_.erase(id);
  return false;
}

void server_core::ended(request_id id, bool streamed) {
  if (streamed) {
    begin_stream(id);
    streams_->try_client(id);
  } else if (!closed_ && waiting_.contains(id)) {
    // Nothing can be written that would not be the answer; which is that of a cancelled run then.
    events_.on_gone(id);
  }
}

void server_core::gone(request_id id) {
  if (waiting_.erase(id) == 0)
    return streams_->drop(id);
  if (!closed_)
    events_.on_gone(id);
}

std::size_t server_core::in_work() const {
  return waiting_.size() + streams_->count();
}

decision server_core::decide(const request_view& request, const auth::identity& who) const {
  try {
    return api_->decide(request, who);
  } catch (const std::exception& thrown) {
    log().error("http: {} {}: {}", request.method, path_of(request.target), thrown.what());
    return refuse(fail(errc::internal, "an exception in the front end"));
  }
}

void server_core::deliver(gathered_work work) {
  for (const auto& step : work.steps)
    carry_out(step);
  streams_->flush();
  for (auto& [id, value] : work.replies)
    if (const auto request = waiting_.extract(id)) {
      respond(*request.mapped(), std::move(value));
    } else if (streams_->contains(id)) {
      streams_->write(id, last_event(value));
      streams_->end(id, !draining_);
    }
}

void server_core::carry_out(const stream_step& step) {
  switch (step.what) {
  case stream_step::kind::begin:
    return begin_stream(step.id);
  case stream_step::kind::write:
    return streams_->write(step.id, step.event);
  case stream_step::kind::end:
    return streams_->end(step.id, !draining_);
  }
}

void server_core::begin_stream(request_id id) {
  auto request = waiting_.extract(id);
  if (!request)
    return;
  const auto asked = request.mapped()->request();
  counts_.streamed(find_route(asked.method, asked.target).what);
  const bool keep_alive = request.mapped()->keep_alive() && request.mapped()->takes_chunks() && !draining_;
  auto head = render_stream_head(request.mapped()->takes_chunks(), keep_alive, date(),
                                 request.mapped()->more_headers);
  streams_->begin(id, std::move(request.mapped()), std::move(head), keep_alive);
}

void server_core::begin_late_streams(clock::time_point now) {
  for (; !to_begin_.empty(); to_begin_.pop_front()) {
    const auto found = waiting_.find(to_begin_.front());
    if (found == waiting_.end())
      continue;
    if (now - found->second->since < keep_alive_)
      return;
    begin_stream(to_begin_.front());
  }
}

void server_core::respond(exchange& request, answer value) {
  const bool broken = request.problem() != fault::none && request.problem() != fault::refused;
  const auto view = broken ? request_view{"(none)", "(unreadable)", {}, {}} : request.request();
  const auto spent = clock::now() - request.since;
  const std::chrono::duration<double, std::milli> took = spent;
  counts_.answered(broken ? std::nullopt : find_route(view.method, view.target).what, value.status, spent);
  log().debug("http: {} {} {} {:.1f} ms", view.method, path_of(view.target), value.status, took.count());
  const bool keep_alive = request.keep_alive() && !value.close && !draining_;
  value.headers.insert(value.headers.end(), request.more_headers.begin(), request.more_headers.end());
  auto head = value.type == events_type
                  ? render_stream_head(request.takes_chunks(), keep_alive, date(), value.headers)
                  : render_head(value, keep_alive, date());
  request.write(std::move(head), view.method == "HEAD" ? std::string() : std::move(value.body), keep_alive);
}

std::string_view server_core::date() {
  if (const auto now = std::time(nullptr); now != date_second_) {
    date_second_ = now;
    date_ = http_date(now);
  }
  return date_;
}

} // namespace troupe::http
