#include "apps/troupe/approval_dialog.hpp"

#include "apps/troupe/text.hpp"

#include <fmt/format.h>

#include <cctype>
#include <set>
#include <utility>

namespace troupe::cli {

namespace {

constexpr auto choices =
    "y yes, n no, a always in this session, e edit the arguments, then Enter; ^C cancels the run";

constexpr auto ways_out =
    "r make the call again, o tell what came of it, f it has failed, then Enter; ^C cancels the run";

const json& arguments_of(const interruption& open) {
  static const auto none = json::object();
  return open.arguments ? *open.arguments : none;
}

/// The word in lower case, without what surrounds it.
std::string word_of(const std::string& line) {
  auto word = std::string{};
  for (const auto c : line)
    if (!std::isspace(static_cast<unsigned char>(c)))
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

decision approve(const interruption& open) {
  return {open.id, decision::verdict::approve, {}, false, {}};
}

} // namespace

decided approval_dialog::ask(const std::vector<interruption>& open) {
  auto decisions = std::vector<decision>{};
  auto always = std::set<std::pair<std::string, std::string>>{};
  ended_.reset();
  for (const auto& each : open) {
    const bool is_in_doubt = each.what == interruption::kind::in_doubt;
    if (!is_in_doubt && always.contains({each.agent, each.tool})) {
      decisions.push_back(approve(each));
      continue;
    }
    auto one = is_in_doubt ? settle(each) : ask(each);
    if (!one)
      return std::visit([](const auto& how) -> decided { return how; }, *ended_);
    if (one->always)
      always.emplace(each.agent, each.tool);
    decisions.push_back(std::move(*one));
  }
  return decisions;
}

std::optional<decision> approval_dialog::ask(const interruption& open) {
  const auto* what = open.what == interruption::kind::handoff ? "hand off by" : "call";
  const auto agent = one_line(open.agent, 64);
  const auto tool = one_line(open.tool, 64);
  screen_.say(fmt::format("[approval] {} wants to {} {} with\n{}", agent, what, tool,
                          visible_json(arguments_of(open), 2)));
  screen_.say(choices);
  while (!ended_) {
    const auto line = read("approve? ");
    if (!line)
      return std::nullopt;
    const auto word = word_of(*line);
    if (word == "y" || word == "yes")
      return approve(open);
    auto made = std::optional<decision>{};
    if (word == "n" || word == "no")
      made = reject(open);
    else if (word == "e" || word == "edit")
      made = edit(open);
    else if (word == "a" || word == "always")
      (made = approve(open))->always = true;
    else
      screen_.say(choices);
    if (made)
      return made;
  }
  return std::nullopt;
}

std::optional<decision> approval_dialog::settle(const interruption& open) {
  screen_.say(fmt::format("[in doubt] {} has called {}, and it is not known what came of it, with\n{}",
                          one_line(open.agent, 64), one_line(open.tool, 64),
                          visible_json(arguments_of(open), 2)));
  screen_.say(ways_out);
  while (const auto line = read("what now? ")) {
    const auto word = word_of(*line);
    if (word == "r" || word == "repeat")
      return decision{open.id, decision::verdict::repeat};
    const bool has_failed = word == "f" || word == "fail";
    if (!has_failed && word != "o" && word != "outcome") {
      screen_.say(ways_out);
      continue;
    }
    auto told =
        read_text(has_failed ? "why (for the model; may be empty)? " : "what came of it (for the model)? ");
    if (!told)
      return std::nullopt;
    decision made{open.id, has_failed ? decision::verdict::fail : decision::verdict::result};
    (has_failed ? made.message : made.output) = std::move(*told);
    return made;
  }
  return std::nullopt;
}

std::optional<decision> approval_dialog::reject(const interruption& open) {
  auto reason = read_text("why not (for the model; may be empty)? ");
  if (!reason)
    return std::nullopt;
  return decision{open.id, decision::verdict::reject, std::move(*reason), false, {}};
}

std::optional<std::string> approval_dialog::read_text(const std::string& prompt) {
  while (auto text = read(prompt)) {
    if (is_utf8(*text))
      return text;
    screen_.say("that is not UTF-8");
  }
  return std::nullopt;
}

std::optional<decision> approval_dialog::edit(const interruption& open) {
  auto draft = visible_json(arguments_of(open), -1);
  while (auto line = read("arguments> ", draft)) {
    if (word_of(*line).empty())
      return std::nullopt;
    auto parsed = parse_json(*line);
    if (parsed && parsed->is_object()) {
      auto made = approve(open);
      made.arguments = std::move(*parsed);
      return made;
    }
    screen_.say(parsed ? "the arguments must be a JSON object" : parsed.error().detail);
    draft = printable(*line);
  }
  return std::nullopt;
}

std::optional<std::string> approval_dialog::read(const std::string& prompt, const std::string& draft) {
  auto came = lines_.ask(prompt, draft, signals_);
  if (auto* line = std::get_if<std::string>(&came))
    return std::move(*line);
  if (const auto* number = std::get_if<int>(&came))
    ended_ = *number;
  else
    ended_ = undecided{};
  return std::nullopt;
}

} // namespace troupe::cli
