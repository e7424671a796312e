#include "libagent/model/chat_completions_answer.hpp"

namespace troupe::chat_completions {

namespace {

/// Adds what came of an id or a name. Some endpoints give them in pieces, others repeat them in each delta;
/// once the arguments have begun they are known.
void merge(std::string& known, const std::string* given, bool arguments_begun) {
  if (given && (known.empty() || (!arguments_begun && *given != known)))
    known += *given;
}

} // namespace

void object_end::feed(std::string_view text) noexcept {
  for (const auto c : text) {
    if (in_string_) {
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      reached_ = --depth_ == 0 || reached_;
    }
  }
}

result<call_builder::delta> call_builder::read(const json& entry) {
  if (!entry.is_object())
    return bad_answer("has a tool call that is not an object");
  auto given = delta{};
  given.id = find_text(entry, "id");
  const auto* function = find_value(entry, "function");
  if (!function)
    return given;
  if (!function->is_object())
    return bad_answer("has a tool call without a function");
  given.name = find_text(*function, "name");
  given.arguments = read_arguments(find_value(*function, "arguments"));
  return given;
}

result<void> call_builder::add_whole(const json& entry) {
  auto given = read(entry);
  if (!given)
    return given.error();
  calls_.push_back({given->id ? *given->id : std::string{}, given->name ? *given->name : std::string{},
                    std::move(given->arguments)});
  return {};
}

result<void> call_builder::add_delta(const json& entry, model_deltas& out) {
  const auto given = read(entry);
  if (!given)
    return given.error();
  const auto place = find_or_begin(entry, *given, out);
  auto& call = calls_[place];
  merge(call.id, given->id, !call.arguments.empty());
  merge(call.name, given->name, !call.arguments.empty());
  call.arguments += given->arguments;
  call.end.feed(given->arguments);
  if (call.announced && !given->arguments.empty())
    out.emplace_back(arguments_delta{place, given->arguments});
  else if (!call.arguments.empty())
    announce(place, out);
  return {};
}

std::size_t call_builder::find_or_begin(const json& entry, const delta& given, model_deltas& out) {
  const auto* index = find_value(entry, "index");
  const auto indexed = index && index->is_number_unsigned();
  auto place = std::optional<std::size_t>{};
  if (!indexed && !calls_.empty())
    place = calls_.size() - 1;
  else if (const auto known = indexed ? places_.find(index->get<std::uint64_t>()) : places_.end();
           known != places_.end())
    place = known->second;
  if (place && !begins_next(calls_[*place], given, indexed))
    return *place;
  if (!calls_.empty())
    announce(calls_.size() - 1, out);
  calls_.emplace_back();
  if (indexed)
    places_.insert_or_assign(index->get<std::uint64_t>(), calls_.size() - 1);
  return calls_.size() - 1;
}

bool call_builder::begins_next(const gathered& last, const delta& given, bool indexed) {
  const auto other_id = given.id && !last.id.empty() && *given.id != last.id;
  const auto other_name = given.name && !last.name.empty() && *given.name != last.name;
  if (!indexed && (other_id || other_name))
    return true;
  // Some endpoints give each call whole and all of them the index 0, or none of them an id.
  const auto same_id = given.id && *given.id == last.id;
  return given.name && last.end.reached() && !same_id && (other_id || other_name || !given.arguments.empty());
}

void call_builder::announce(std::size_t place, model_deltas& out) {
  // One whose name is still to come holds back those after it.
  if (place > 0 && !calls_[place - 1].announced)
    return;
  for (; place < calls_.size(); ++place) {
    auto& call = calls_[place];
    if (call.announced || call.name.empty())
      return;
    call.announced = true;
    out.emplace_back(tool_call_delta{place, call.id, call.name});
    if (!call.arguments.empty())
      out.emplace_back(arguments_delta{place, call.arguments});
    const auto next = place + 1;
    if (next + 1 == calls_.size() && calls_[next].arguments.empty())
      return;
  }
}

void call_builder::announce_all(model_deltas& out) {
  for (auto place = std::size_t{0}; place < calls_.size(); ++place)
    announce(place, out);
}

result<void> call_builder::take(item_list& output) && {
  for (auto& call : calls_) {
    if (call.name.empty())
      return bad_answer("has a tool call without the function's name");
    output.emplace_back(
        tool_call{std::move(call.id), std::move(call.name), whole_arguments(std::move(call.arguments)), {}});
  }
  return {};
}

} // namespace troupe::chat_completions
