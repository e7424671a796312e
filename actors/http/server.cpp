#include "actors/http/server.hpp"

#include "actors/http/gate.hpp"
#include "actors/http/server_core.hpp"
#include "actors/io/reactor.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace troupe::http {

using std::chrono::milliseconds;

server::server(io::reactor& io, const config::server_options& options, milliseconds keep_alive,
               std::shared_ptr<const api> decisions, std::shared_ptr<metrics> counted,
               std::shared_ptr<memory_watch> memory, handlers events, redactor_ptr hides)
    : gate_(std::make_shared<gate>(io.context())), hides_(std::move(hides)) {
  auto inside = std::make_shared<server_core>(io, options, keep_alive, std::move(decisions), counted,
                                              std::move(memory), std::move(events), gate_, hides_);
  gate_->open(inside);
  boost::asio::post(io.context(), [opening = std::move(inside)] { opening->open(); });
}

server::~server() {
  stop(milliseconds::zero());
}

void server::reply(request_id id, answer value) {
  value.body = hides_->hide_json(std::move(value.body));
  gate_->reply(id, std::move(value));
}

void server::begin_stream(request_id id) {
  gate_->step({id, stream_step::kind::begin, {}});
}

void server::write(request_id id, sse_event event) {
  event.data = hides_->hide_json(std::move(event.data));
  gate_->step({id, stream_step::kind::write, std::move(event)});
}

void server::end_stream(request_id id) {
  gate_->step({id, stream_step::kind::end, {}});
}

void server::stop(milliseconds grace) {
  gate_->stop(grace);
}

} // namespace troupe::http
