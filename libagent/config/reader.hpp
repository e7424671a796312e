#pragma once

#include "libagent/config/document.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// Where a part of the configuration was written. Paths of parts look like "agents/0/handoffs/1", with
/// indices into the configuration's vectors.
struct spot {
  place at;
  /// Its text may be shown: no variable was filled in.
  bool literal = true;
  /// Something about it was reported already.
  bool broken = false;
};
using spots = std::map<std::string, spot, std::less<>>;

/// What reading one agent file gathers on its way.
struct context {
  std::string file;
  /// Absolute; relative paths start here.
  std::filesystem::path folder;
  const environment& env;
  std::vector<diagnostic> errors;
  std::vector<diagnostic> warnings;
  spots where;
  /// MCP servers that are left out on purpose.
  std::set<std::string, std::less<>> disabled_servers;
  /// Guardrails that may change what they check, with their action as it is written.
  std::map<std::string, std::string, std::less<>> changing_guardrails;
  std::vector<tool_mention> tool_mentions{};

  /// So many errors that further ones are dropped.
  bool is_full() const;
  void fail(place at, std::string message);
  void warn(place at, std::string message);
};

/// One value, and what messages call it: "'port' in server".
struct field {
  context& ctx;
  const node& value;
  std::string what;
  place key_at;

  /// Reports "<what> is <what it is>; it has to be <right>", unless something was reported already.
  void wrong(std::string_view right) const;
  /// Reports "<what> <problem>" at the value.
  void fail(std::string_view problem) const;
  /// Remembers where the part of the configuration stands.
  void mark(std::string path, bool broken = false) const;
};

/// The keys of one map. Each key that is asked for is known; `finish` reports the others.
class map_reader {
public:
  /// `what` names the map: "agent 'triage'". Reports what is not a map, and is then empty.
  map_reader(const field& map, std::string what);

  bool is_map() const noexcept { return is_map_; }
  std::optional<field> find(std::string_view key);
  /// Like `find`, but reports that the key is missing; `example` shows what to write.
  std::optional<field> need(std::string_view key, std::string_view example);
  /// Makes keys known that mean nothing here.
  void ignore(std::initializer_list<std::string_view> keys);
  /// Reports a key that is known but wrong here: "<key> in <what> <problem>".
  void refuse(std::string_view key, std::string_view problem);
  void finish() const;

  /// Reads the value of a key into `into`, if it is there and right. True if it was put there.
  template <class T, class Read, class... Args>
  bool set(std::string_view key, T& into, Read read, Args... args) {
    const auto found = find(key);
    if (!found)
      return false;
    auto value = read(*found, args...);
    if (!value)
      return false;
    into = static_cast<T>(std::move(*value));
    return true;
  }

  const std::string& what() const noexcept { return what_; }
  const field& self() const noexcept { return map_; }

private:
  field map_;
  std::string what_;
  bool is_map_;
  std::vector<std::string> known_;
};

} // namespace troupe::config
