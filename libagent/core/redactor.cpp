#include "libagent/core/redactor.hpp"

#include "libagent/core/secret_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe {

namespace {

constexpr std::string_view hidden_text = "[redacted]";
constexpr std::string_view seal_begin = "[redacted:";
/// Stands for `seal_begin` itself, where a text has it of its own.
constexpr std::string_view empty_seal = "[redacted:]";
/// What is written here is nested as deep as runs are.
constexpr std::size_t depth = 1024;

/// The text with each match replaced; untouched, and not copied, if there is none.
template <class Replace>
std::string replace_all(std::string text, const text_finder& finder, Replace with) {
  auto found = finder.find(text);
  if (!found)
    return text;
  std::string made;
  made.reserve(text.size());
  std::size_t done = 0;
  for (; found; found = finder.find(text, done)) {
    made.append(text, done, found->begin - done);
    made.append(with(found->text));
    done = found->begin + finder.text(found->text).size();
  }
  return made.append(text, done, std::string::npos);
}

bool may_be_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

} // namespace

redactor::redactor(const std::vector<secret>& secrets) {
  std::vector<std::string> forms;
  std::vector<std::string> sealable;
  std::set<std::string, std::less<>> known;
  for (const auto& hidden : secrets) {
    const auto all = forms_of(hidden.reveal());
    const bool has_name = !hidden.name().empty();
    if (has_name && !all.empty())
      by_seal_.emplace(fmt::format("{}{}]", seal_begin, hidden.name()), sealed_form{all[0], all[1]});
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& form = all[i];
      if (form.empty())
        continue;
      auto seal = fmt::format("{}{}/{}]", seal_begin, hidden.name(), i + 1);
      if (has_name)
        by_seal_.emplace(seal, sealed_form{form, form});
      if (!known.insert(form).second)
        continue;
      if (has_name) {
        // One that reads the same in JSON may be put there again once it does not any more.
        const bool is_simple = i == 0 && all[0] == all[1];
        seals_.push_back(is_simple ? fmt::format("{}{}]", seal_begin, hidden.name()) : std::move(seal));
        sealable.push_back(form);
      }
      forms.push_back(form);
    }
  }
  // Also where nothing is sealed: what looks like a seal must never be taken for one, whatever is sealed
  // later.
  seals_.emplace_back(empty_seal);
  sealable.emplace_back(seal_begin);
  by_seal_.emplace(empty_seal, sealed_form{std::string(seal_begin), std::string(seal_begin)});
  forms_ = text_finder(std::move(forms));
  sealable_ = text_finder(std::move(sealable));
}

std::string redactor::hide(std::string text) const {
  return replace_all(std::move(text), forms_, [](std::size_t) { return hidden_text; });
}

std::string redactor::hide_inner(const std::string& text) const {
  auto hidden = hide(text);
  // A secret that stood for a number leaves no JSON.
  if (!may_be_json(text) || !forms_.find(text) || parse_json(hidden, depth))
    return hidden;
  const auto value = parse_json(text, depth);
  return value ? dump_json(hide_tree(*value)) : hidden;
}

std::string redactor::hide_json(std::string text) const {
  if (!forms_.find(text))
    return text;
  const auto value = parse_json(text, depth);
  return value ? dump_json(hide_tree(*value)) : hide(std::move(text));
}

json redactor::hide_tree(const json& value) const {
  if (const auto* text = value.get_ptr<const json::string_t*>())
    return hide_inner(*text);
  if (value.is_number())
    return forms_.find(value.dump()) ? json(hidden_text) : value;
  if (value.is_array()) {
    auto made = json::array();
    for (const auto& entry : value)
      made.push_back(hide_tree(entry));
    return made;
  }
  if (!value.is_object())
    return value;
  auto made = json::object();
  for (const auto& [key, member] : value.items())
    made[hide(key)] = hide_tree(member);
  return made;
}

std::string redactor::seal(std::string text) const {
  return replace_all(std::move(text), sealable_,
                     [this](std::size_t form) -> const std::string& { return seals_[form]; });
}

std::string redactor::unseal(std::string text) const {
  return unseal(std::move(text), &sealed_form::plain);
}

std::string redactor::unseal_json(std::string text) const {
  return unseal(std::move(text), &sealed_form::in_json);
}

std::string redactor::unseal(std::string text, std::string sealed_form::*which) const {
  auto at = text.find(seal_begin);
  if (at == std::string::npos)
    return text;
  std::string made;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find(seal_begin, done)) {
    const auto end = text.find(']', at);
    const auto known = end == std::string::npos
                           ? by_seal_.end()
                           : by_seal_.find(std::string_view(text).substr(at, end + 1 - at));
    const auto size = known == by_seal_.end() ? seal_begin.size() : end + 1 - at;
    made.append(text, done, at - done);
    made.append(known == by_seal_.end() ? std::string(seal_begin) : known->second.*which);
    done = at + size;
  }
  return made.append(text, done, std::string::npos);
}

redactor_ptr nothing_to_hide() {
  static const auto made = std::make_shared<const redactor>();
  return made;
}

std::string stream_redactor::take(std::string_view piece, const redactor& with) {
  held_ += piece;
  // A whole secret leaves nothing of itself that could begin another.
  auto text = with.hide(std::move(held_));
  const auto begun = with.begun_at_end(text);
  held_ = text.substr(text.size() - begun);
  text.resize(text.size() - begun);
  return text;
}

std::string stream_redactor::finish(const redactor& with) {
  return with.hide(std::exchange(held_, {}));
}

} // namespace troupe
