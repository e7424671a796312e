#include "actors/http/chat_body.hpp"

#include "actors/http/defaults.hpp"
#include "actors/http/json_body.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/session/store.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <charconv>
#include <locale>
#include <memory>
#include <string>
#include <vector>

namespace troupe::http {

namespace {

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

/// Takes what stands before the separator, and the separator, off the text.
std::string_view take_part(std::string_view& text, char separator) noexcept {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return trim(part);
}

bool equal(std::string_view left, std::string_view right) noexcept {
  return boost::algorithm::iequals(left, right, std::locale::classic());
}

/// The weight that the parameters of a media range give it, from 0 to 1; 1 if they tell none that can be read
/// (RFC 9110, section 12.4.2).
double weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const auto parameter = take_part(parameters, ';');
    if (parameter.size() < 2 || !equal(parameter.substr(0, 2), "q="))
      continue;
    const auto value = parameter.substr(2);
    auto weight = 1.0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), weight);
    const auto is_read = failed == std::errc() && end == value.data() + value.size();
    return is_read && weight >= 0 && weight <= 1 ? weight : 1;
  }
  return 1;
}

const std::vector<std::string> budget_names{"turns",         "model_calls",  "tool_calls", "input_tokens",
                                            "output_tokens", "total_tokens", "cost",       "wall_time_ms"};

/// Reports names that no budget has. Whether there are none.
bool check_budget_names(field_reader& fields, const json& bounds) {
  auto all_known = true;
  for (const auto& [name, ignored] : bounds.items()) {
    if (std::find(budget_names.begin(), budget_names.end(), name) != budget_names.end())
      continue;
    all_known = false;
    if (fields.has_enough())
      break;
    // As the agent file has it.
    const auto right = name == "wall_time"
                           ? std::string("it is 'wall_time_ms' here, a number of milliseconds")
                           : config::suggestion(name, budget_names, "bounds");
    fields.wrong("budget: {} is unknown; {}", config::in_quotes(name), right);
  }
  return all_known;
}

} // namespace

bool is_json_media_type(std::string_view content_type) noexcept {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  const auto& plain = std::locale::classic();
  return equal(type, "application/json") || (boost::algorithm::istarts_with(type, "application/", plain) &&
                                             boost::algorithm::iends_with(type, "+json", plain));
}

bool wants_events(std::optional<std::string_view> accept) noexcept {
  auto ranges = accept.value_or(std::string_view());
  auto events = 0.0;
  auto whole = 0.0;
  while (!ranges.empty()) {
    auto range = take_part(ranges, ',');
    const auto type = take_part(range, ';');
    if (equal(type, "text/event-stream"))
      events = std::max(events, weight_of(range));
    else if (equal(type, "application/json"))
      whole = std::max(whole, weight_of(range));
  }
  return events > 0 && events >= whole;
}

result<chat_request> decode_chat(std::string_view body, std::size_t max_depth) {
  const auto parsed = parse_object(body, max_depth);
  if (!parsed)
    return parsed.error();
  field_reader fields(*parsed);
  chat_request request;
  request.prompt = fields.required_text("prompt");
  request.agent = fields.optional_text("agent");
  request.session_id = fields.optional_text("session_id");
  if (!request.session_id.empty() && !is_session_id(request.session_id))
    fields.wrong("'session_id' must be 1 to 128 visible ASCII characters");
  request.streamed = fields.optional_flag("stream");
  if (const auto* context = fields.optional_object("context"))
    request.context = std::make_shared<const json>(*context);
  if (const auto* bounds = fields.optional_object("budget");
      bounds != nullptr && check_budget_names(fields, *bounds)) {
    auto spending = budget_from_json(*bounds);
    if (spending)
      request.spending = std::move(*spending);
    else
      fields.wrong("{}", spending.error().detail);
  }
  request.background = fields.optional_flag("background");
  request.busy =
      busy_policy_named(fields.optional_word("on_busy", {"enqueue", "reject", "interrupt", "rollback"}));
  if (const auto time = fields.optional_count("deadline_ms", defaults::longest_deadline.count()))
    request.within = std::chrono::milliseconds(*time);
  const auto when_gone = fields.optional_word("on_disconnect", {"cancel", "detach"});
  request.detached = when_gone == "detach";
  request.ends_with_client = when_gone == "cancel" || (when_gone.empty() && request.streamed);
  if (request.background && when_gone == "cancel")
    fields.wrong(
        "'on_disconnect' cannot be \"cancel\" for a run in the background, whose client does not wait");
  if (!fields.problems().empty())
    return fail(errc::invalid_argument, fields.problems());
  return request;
}

} // namespace troupe::http
