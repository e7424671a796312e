#include "libagent/config/tree_builder.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/substitution.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

constexpr std::size_t bytes_of_a_node = 16;

std::shared_ptr<node> make_node(node::kind type, place at) {
  auto made = std::make_shared<node>();
  made->type = type;
  made->at = at;
  return made;
}

} // namespace

void tree_builder::fail(place at, std::string message) const {
  fail_(at, std::move(message));
  throw stop{};
}

bool tree_builder::at_key() const {
  return !open_.empty() && open_.back().built.value->type == node::kind::map && !open_.back().has_key;
}

void tree_builder::null(place at, anchor name) {
  if (at_key())
    fail(at, "a key is empty; write KEY: VALUE");
  // An empty value has no place of its own; its key's does better than that of whatever comes next.
  const auto shown_at = !open_.empty() && open_.back().has_key ? open_.back().pending.at : at;
  auto made = measured{make_node(node::kind::null, shown_at), bytes_of_a_node, 0};
  if (name != 0)
    anchors_[name] = made;
  add(std::move(made));
}

void tree_builder::scalar(place at, std::string text, bool plain, anchor name) {
  if (at_key())
    return key(at, std::move(text), plain);
  auto made = make_node(node::kind::text, at);
  auto expanded = substitute(text, env_);
  made->text = std::move(expanded.text);
  made->plain = plain;
  made->substituted = expanded.substituted;
  made->broken = !expanded.problems.empty();
  for (auto& problem : expanded.problems)
    fail_(at, std::move(problem));
  const auto bytes = bytes_of_a_node + made->text.size();
  auto done = measured{std::move(made), bytes, 0};
  if (name != 0)
    anchors_[name] = done;
  add(std::move(done));
}

void tree_builder::alias(place at, anchor name) {
  if (at_key())
    fail(at, "an alias stands where a key should be; write the key itself");
  const auto found = anchors_.find(name);
  if (found == anchors_.end())
    fail(at, "the alias stands inside the value it refers to; refer to a value that is complete");
  add(found->second);
}

void tree_builder::begin(node::kind type, place at, anchor name) {
  if (at_key())
    fail(at, "a list or map stands where a key should be; a key is a text");
  if (open_.size() >= defaults::max_depth)
    fail(at, fmt::format("nested deeper than {} levels; an agent file is far flatter", defaults::max_depth));
  auto opened = frame{};
  opened.built = {make_node(type, at), bytes_of_a_node, 1};
  opened.name = name;
  open_.push_back(std::move(opened));
}

void tree_builder::end() {
  auto closed = std::move(open_.back());
  open_.pop_back();
  for (const auto& source : closed.merged)
    for (const auto& inherited : source->entries)
      if (closed.keys.emplace(inherited.key, inherited.at).second)
        closed.built.value->entries.push_back(inherited);
  if (closed.name != 0)
    anchors_[closed.name] = closed.built;
  add(std::move(closed.built));
}

void tree_builder::key(place at, std::string text, bool plain) {
  auto& map = open_.back();
  map.has_key = true;
  map.is_merge = plain && text == "<<";
  map.built.bytes += text.size();
  map.pending = {std::move(text), at, nullptr};
}

void tree_builder::add(measured value) {
  if (open_.empty()) {
    root_ = std::move(value);
    return;
  }
  auto& parent = open_.back();
  parent.built.bytes += value.bytes;
  parent.built.height = std::max(parent.built.height, value.height + 1);
  if (parent.built.bytes > defaults::max_expanded_bytes)
    fail(value.value->at, "the file is too large once its aliases and variables are filled in; use fewer");
  if (parent.built.height > defaults::max_depth)
    fail(value.value->at,
         fmt::format("nested deeper than {} levels once its aliases are filled in; use fewer",
                     defaults::max_depth));
  if (parent.built.value->type == node::kind::list)
    parent.built.value->items.push_back(std::move(value.value));
  else
    add_to_map(parent, value.value);
}

void tree_builder::add_to_map(frame& map, const node_ptr& value) const {
  map.has_key = false;
  const auto [first, is_new] = map.keys.emplace(map.pending.key, map.pending.at);
  if (!is_new)
    return fail_(map.pending.at,
                 fmt::format("duplicate key {} (first in line {}); keys of a map have to be unique",
                             key_in_quotes(map.pending.key), first->second.line));
  if (map.is_merge)
    return merge(map, value);
  map.pending.value = value;
  map.built.value->entries.push_back(std::move(map.pending));
}

void tree_builder::merge(frame& map, const node_ptr& value) const {
  const auto is_map = [](const node_ptr& candidate) { return candidate->type == node::kind::map; };
  if (is_map(value))
    map.merged.push_back(value);
  else if (value->type == node::kind::list && std::all_of(value->items.begin(), value->items.end(), is_map))
    map.merged.insert(map.merged.end(), value->items.begin(), value->items.end());
  else
    fail_(map.pending.at,
          "'<<' does not stand before a map; give it a map, an alias of one, or a list of them");
}

} // namespace troupe::config
