#include "apps/troupe/run_input.hpp"

#include "libagent/config/spelling.hpp"
#include "libagent/config/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

namespace troupe::cli {

namespace {

constexpr auto everything = "all";

/// Far beyond any run, and far from the end of what a clock counts.
constexpr double longest_wall_time_ms = 365.0 * 24 * 3600 * 1000;

error wrong(std::string detail) {
  return fail(errc::invalid_argument, std::move(detail));
}

/// "KEY=VALUE"; the value is empty without the sign.
std::pair<std::string, std::string> split(const std::string& text) {
  const auto sign = text.find('=');
  if (sign == std::string::npos)
    return {text, {}};
  return {text.substr(0, sign), text.substr(sign + 1)};
}

/// Keys of `--budget`.
const std::vector<std::string>& bound_names() {
  static const std::vector<std::string> names = {"turns",        "model_calls",   "tool_calls",
                                                 "input_tokens", "output_tokens", "total_tokens",
                                                 "cost",         "wall_time"};
  return names;
}

/// Nothing if the key is right.
std::optional<error> check_bound(const std::string& key) {
  const auto& names = bound_names();
  if (std::find(names.begin(), names.end(), key) != names.end())
    return std::nullopt;
  if (key == "wall_time_ms")
    return wrong(
        "--budget: 'wall_time_ms' is what the REST API calls it; write wall_time, in seconds or with a "
        "unit, such as wall_time=30s");
  return wrong(fmt::format("--budget: {} is unknown; {}", config::in_quotes(key),
                           config::suggestion(key, names, "bounds")));
}

result<json> wall_time(const std::string& value) {
  const auto seconds = config::parse_number(value);
  const auto read = seconds ? *seconds * 1000 : config::parse_duration(value);
  if (!read || *read < 0 || *read > longest_wall_time_ms)
    return wrong("--budget: 'wall_time' must be seconds, or a time such as 30s or 2m, of at most 365 days");
  return json(static_cast<std::uint64_t>(std::llround(*read)));
}

/// A number as JSON has it; what is none becomes a text, for the budget to refuse.
json number_or_text(const std::string& value) {
  auto parsed = parse_json(value);
  return parsed && parsed->is_number() ? std::move(*parsed) : json(value);
}

/// By the interruption's id.
using decisions = std::map<std::string, decision>;

result<void> decide(decisions& made, decision one) {
  const auto id = one.id;
  if (!made.emplace(id, std::move(one)).second)
    return wrong(fmt::format("there are two decisions on '{}'", id));
  return {};
}

bool is_open(const std::vector<interruption>& open, const std::string& id) {
  return std::any_of(open.begin(), open.end(), [&](const interruption& each) { return each.id == id; });
}

error not_open(const std::vector<interruption>& open, const std::string& id) {
  auto known = std::string{};
  for (const auto& each : open)
    known += (known.empty() ? "" : ", ") + each.id;
  return wrong(
      fmt::format("the run does not wait for a decision on '{}'; it waits for {}", to_utf8(id), known));
}

constexpr auto how_to_settle = "calls in doubt are settled by --repeat ID, --result ID=TEXT or --fail ID";

bool is_in_doubt(const interruption& each) {
  return each.what == interruption::kind::in_doubt;
}

/// Whether the run waits for such a decision.
result<void> check_fit(const std::vector<interruption>& open, const decision& one) {
  const auto found =
      std::find_if(open.begin(), open.end(), [&](const interruption& each) { return each.id == one.id; });
  if (found == open.end())
    return not_open(open, one.id);
  const bool is_approval = one.what == decision::verdict::approve || one.what == decision::verdict::reject;
  if (is_in_doubt(*found) && is_approval)
    return wrong(fmt::format("the call '{}' is in doubt; {}", one.id, how_to_settle));
  if (!is_in_doubt(*found) && !is_approval)
    return wrong(fmt::format("the call '{}' waits for an approval; --approve or --reject it", one.id));
  return {};
}

/// Those of `--approve` and `--reject`, `all` left for the end.
result<decisions> read_verdicts(const run_options& options, const std::vector<interruption>& open) {
  auto made = decisions{};
  for (const auto& id : options.approve)
    if (id != everything)
      if (auto done = decide(made, {id, decision::verdict::approve, {}, false, {}}); !done)
        return done.error();
  for (const auto& text : options.reject) {
    auto [id, message] = split(text);
    if (auto done = decide(made, {id, decision::verdict::reject, std::move(message), false, {}}); !done)
      return done.error();
  }
  for (const auto& id : options.repeat)
    if (auto done = decide(made, {id, decision::verdict::repeat}); !done)
      return done.error();
  for (const auto& text : options.fail) {
    auto [id, message] = split(text);
    if (auto done = decide(made, {id, decision::verdict::fail, std::move(message)}); !done)
      return done.error();
  }
  for (const auto& text : options.result) {
    auto [id, output] = split(text);
    decision one{id, decision::verdict::result};
    one.output = std::move(output);
    if (auto done = decide(made, std::move(one)); !done)
      return done.error();
  }
  for (const auto& [id, one] : made)
    if (auto fits = check_fit(open, one); !fits)
      return fits.error();
  if (std::count(options.approve.begin(), options.approve.end(), everything) == 0)
    return made;
  // What is in doubt is nobody's to approve.
  if (std::all_of(open.begin(), open.end(), is_in_doubt))
    return wrong(fmt::format("--approve all: the run waits for no approval; {}", how_to_settle));
  for (const auto& each : open)
    if (!is_in_doubt(each))
      made.try_emplace(each.id, decision{each.id, decision::verdict::approve, {}, false, {}});
  return made;
}

result<void> read_arguments(const std::string& text, const std::vector<interruption>& open, decisions& made) {
  const auto [id, value] = split(text);
  if (!is_open(open, id))
    return not_open(open, id);
  auto parsed = parse_json(value);
  if (!parsed || !parsed->is_object())
    return wrong(fmt::format("--arguments: what is given for '{}' is not a JSON object{}", id,
                             parsed ? "" : ": " + parsed.error().detail));
  const auto found = made.find(id);
  if (found == made.end() || found->second.what != decision::verdict::approve)
    return wrong(fmt::format("--arguments: '{}' is not approved", id));
  found->second.arguments = std::move(*parsed);
  return {};
}

} // namespace

result<std::shared_ptr<const json>> read_context(const std::string& text) {
  if (text.empty())
    return std::shared_ptr<const json>{};
  auto parsed = parse_json(text);
  if (!parsed)
    return wrong("--context: " + parsed.error().detail);
  if (!parsed->is_object())
    return wrong("--context must be a JSON object, such as '{\"customer\":\"Ada\"}'");
  return std::make_shared<const json>(std::move(*parsed));
}

result<budget> read_budget(const std::vector<std::string>& bounds) {
  auto members = json::object();
  for (const auto& each : bounds) {
    const auto [key, value] = split(each);
    if (key.empty() || value.empty())
      return wrong(fmt::format("--budget: '{}' is not KEY=VALUE, such as turns=5", to_utf8(each)));
    if (auto unknown = check_bound(key))
      return std::move(*unknown);
    auto bound = key == "wall_time" ? wall_time(value) : result<json>{number_or_text(value)};
    if (!bound)
      return bound.error();
    if (!members.emplace(key == "wall_time" ? "wall_time_ms" : key, std::move(*bound)).second)
      return wrong(fmt::format("--budget: '{}' is given twice", to_utf8(key)));
  }
  auto read = budget_from_json(members);
  if (!read)
    return wrong("--" + read.error().detail);
  return read;
}

result<std::vector<decision>> read_decisions(const run_options& options,
                                             const std::vector<interruption>& open) {
  auto made = read_verdicts(options, open);
  if (!made)
    return made.error();
  for (const auto& text : options.arguments)
    if (auto done = read_arguments(text, open, *made); !done)
      return done.error();
  auto all = std::vector<decision>{};
  for (auto& [id, one] : *made)
    all.push_back(std::move(one));
  return all;
}

} // namespace troupe::cli
