#include "actors/http/run_body.hpp"

#include "actors/http/json_body.hpp"

#include <string>
#include <utility>

namespace troupe::http {

result<resume_request> decode_resume(std::string_view body, std::size_t max_depth) {
  const auto parsed = parse_object(body, max_depth);
  if (!parsed)
    return parsed.error();
  field_reader fields(*parsed);
  resume_request request;
  request.streamed = fields.optional_flag("stream");
  const auto when_gone = fields.optional_word("on_disconnect", {"cancel", "detach"});
  request.detached = when_gone == "detach";
  request.ends_with_client = when_gone == "cancel" || (when_gone.empty() && request.streamed);
  if (const auto* decisions = fields.required_array("decisions"))
    for (std::size_t i = 0; i < decisions->size() && !fields.has_enough(); ++i) {
      auto decided = decision_from_json((*decisions)[i]);
      if (decided)
        request.decisions.push_back(std::move(*decided));
      else
        fields.wrong("{} (decisions[{}])", decided.error().detail, i);
    }
  if (!fields.problems().empty())
    return fail(errc::invalid_argument, fields.problems());
  return request;
}

result<cancel_mode> decode_cancel(std::string_view body, std::size_t max_depth) {
  if (body.empty())
    return cancel_mode::at_once;
  const auto parsed = parse_object(body, max_depth);
  if (!parsed)
    return parsed.error();
  field_reader fields(*parsed);
  const auto mode = fields.optional_text("mode");
  if (mode == "after_turn")
    return cancel_mode::after_turn;
  if (!mode.empty() && mode != "at_once")
    fields.wrong("'mode' must be \"at_once\" or \"after_turn\"");
  if (!fields.problems().empty())
    return fail(errc::invalid_argument, fields.problems());
  return cancel_mode::at_once;
}

} // namespace troupe::http
