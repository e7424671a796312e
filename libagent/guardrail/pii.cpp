#include "libagent/guardrail/pii.hpp"

#include "libagent/guardrail/pii_finders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace troupe::guardrail {

namespace {

constexpr auto names = std::array<std::string_view, 5>{"email", "card", "phone", "iban", "key"};

/// A mask is a boundary that what it replaced was not, so that its neighbour may be found only then.
constexpr unsigned max_rounds = 8;

std::string masked_as(const std::string& mask, entity what) {
  auto name = std::string(to_string(what));
  for (auto& c : name)
    c = static_cast<char>(c - 'a' + 'A');
  auto made = mask;
  for (auto at = made.find("{}"); at != std::string::npos; at = made.find("{}", at + name.size()))
    made.replace(at, 2, name);
  return made;
}

using mask_texts = std::map<entity, std::string>;

mask_texts masks_of(const std::string& mask) {
  mask_texts made;
  for (std::size_t i = 0; i < names.size(); ++i)
    made.emplace(static_cast<entity>(i), masked_as(mask, static_cast<entity>(i)));
  return made;
}

/// What is found and is not itself a mask, such as a mask after "password=".
std::vector<finding> find_unmasked(const pii_rule& rule, const mask_texts& masks, std::string_view text) {
  auto found = find_pii(text, rule.entities);
  std::erase_if(found, [&](const finding& each) {
    return std::any_of(masks.begin(), masks.end(),
                       [&](const auto& mask) { return mask.second == text.substr(each.begin, each.size); });
  });
  return found;
}

std::string masked(std::string_view text, const std::vector<finding>& found, const mask_texts& masks) {
  std::string made;
  made.reserve(text.size());
  std::size_t at = 0;
  for (const auto& each : found) {
    made += text.substr(at, each.begin - at);
    made += masks.at(each.what);
    at = each.begin + each.size;
  }
  made += text.substr(at);
  return made;
}

/// "2 email, 1 key"
std::string described(const std::map<entity, std::size_t>& counts) {
  std::string made;
  for (const auto& [what, count] : counts)
    made += fmt::format("{}{} {}", made.empty() ? "" : ", ", count, to_string(what));
  return made;
}

verdict rewritten(const pii_rule& rule, const mask_texts& masks, std::string_view text,
                  std::vector<finding> found) {
  std::map<entity, std::size_t> counts;
  auto made = std::string(text);
  for (unsigned round = 0; round < max_rounds && !found.empty(); ++round) {
    for (const auto& each : found)
      ++counts[each.what];
    made = masked(made, found, masks);
    found = find_unmasked(rule, masks, made);
  }
  return {action::rewrite, std::move(made), "masked " + described(counts)};
}

} // namespace

std::string_view to_string(entity what) noexcept {
  return names[static_cast<std::size_t>(what)];
}

std::optional<entity> entity_from_string(std::string_view name) noexcept {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return std::nullopt;
  return static_cast<entity>(found - names.begin());
}

std::vector<finding> find_pii(std::string_view text, const std::set<entity>& entities) {
  std::vector<finding> all;
  for (const auto what : entities)
    find_entity(what, text, all);
  std::stable_sort(all.begin(), all.end(), [](const finding& left, const finding& right) {
    return left.begin != right.begin ? left.begin < right.begin : left.size > right.size;
  });
  std::vector<finding> merged;
  for (const auto& each : all) {
    if (merged.empty() || each.begin >= merged.back().begin + merged.back().size)
      merged.push_back(each);
    else
      merged.back().size = std::max(merged.back().size, each.begin + each.size - merged.back().begin);
  }
  return merged;
}

verdict check(const pii_rule& rule, std::string_view text) {
  const auto masks = masks_of(rule.mask);
  auto found = find_unmasked(rule, masks, text);
  if (found.empty() || rule.on_find == action::pass)
    return {};
  if (rule.on_find == action::rewrite)
    return rewritten(rule, masks, text, std::move(found));
  std::map<entity, std::size_t> counts;
  for (const auto& each : found)
    ++counts[each.what];
  const auto standard = fmt::format("the text holds personal data or keys ({})", described(counts));
  return {rule.on_find, {}, rule.message.empty() ? standard : rule.message};
}

} // namespace troupe::guardrail
