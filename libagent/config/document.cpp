#include "libagent/config/document.hpp"

#include "libagent/config/json_events.hpp"
#include "libagent/config/text_places.hpp"
#include "libagent/config/tree_builder.hpp"
#include "libagent/config/yaml_events.hpp"

namespace troupe::config {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

} // namespace

node_ptr read_document(std::string_view text, const environment& env, const report& fail) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  const auto places = text_places{text};
  if (!is_readable_text(places, fail))
    return nullptr;
  auto builder = tree_builder{env, fail};
  try {
    if (is_json(text))
      parse_json_events(places, builder);
    else
      parse_yaml(places, builder);
  } catch (const tree_builder::stop&) {
    return nullptr;
  }
  if (!builder.root() || builder.root()->type == node::kind::null) {
    fail({}, "the file is empty; an agent file needs at least 'agents', a list with one agent");
    return nullptr;
  }
  return builder.root();
}

} // namespace troupe::config
