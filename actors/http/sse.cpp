#include "actors/http/sse.hpp"

#include "actors/stored_run_json.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace troupe::http {

sse_event last_event(const chat_reply& reply) {
  return {reply.status == run_status::paused ? "approval_required" : "run_completed", show(reply).body};
}

sse_event last_event(const run_record& run) {
  if (auto reply = reply_of(run))
    return last_event(*reply);
  return last_event(refuse(*run.failure, run.session_id, run.run_id));
}

sse_event last_event(const answer& refusal) {
  auto data = json::parse(refusal.body);
  data["status"] = refusal.status;
  return {"run_failed", dump_json(data)};
}

void append_sse(std::string& text, const sse_event& event) {
  if (event.id != 0)
    fmt::format_to(std::back_inserter(text), "id: {}\n", event.id);
  fmt::format_to(std::back_inserter(text), "event: {}\ndata: ", event.name);
  text += event.data;
  text += "\n\n";
}

} // namespace troupe::http
