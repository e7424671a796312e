#pragma once

#include "libagent/config/references.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// Names that may be referred to, with the index of their first owner.
struct directory {
  std::map<std::string, std::size_t, std::less<>> owners;
  /// Those that may be suggested.
  std::vector<std::string> shown;
  /// False if part of it could not be read; then nothing is known to be missing.
  bool complete = true;

  bool lacks(const std::string& name) const { return complete && !owners.contains(name); }
};

/// The names of a configuration, and what is found wrong with the references to them.
class reference_names {
public:
  /// Collects the names, and checks them.
  reference_names(const configuration& value, const spots* where);

  const configuration& value() const noexcept { return value_; }
  bool is_from_file() const noexcept { return where_ != nullptr; }
  const directory& models() const noexcept { return models_; }
  const directory& servers() const noexcept { return servers_; }
  const directory& agents() const noexcept { return agents_; }
  const directory& guardrails() const noexcept { return guardrails_; }

  bool is_written(const std::string& path) const { return find_spot(path) != nullptr; }
  /// Something about it was reported already.
  bool is_broken(const std::string& path) const;
  /// It may be shown: no variable was filled in.
  bool is_literal(const std::string& path) const;
  /// The name in quotes; never the value of a variable.
  std::string show(const std::string& path, const std::string& name) const;
  /// "agent 'triage'", or "agent 2" where the name is missing or not to be shown.
  std::string show_agent(std::size_t index) const;

  /// Reports a name that nothing has: "<what> 'NAME', which does not exist; ...". True if that is so.
  bool check(const std::string& path, std::string_view what, const std::string& name, const directory& known,
             std::string_view noun);
  void report(std::string path, std::string message);
  /// Reports what is accepted, but probably not meant.
  void hint(std::string path, std::string message);
  std::vector<problem> take() { return std::move(found_); }

private:
  const spot* find_spot(const std::string& path) const;
  template <class Owners>
  directory collect(const std::string& kind, const Owners& owners, std::string_view name_path);
  void check_name(const std::string& path, const std::string& name, bool is_bounded);

  const configuration& value_;
  const spots* where_;
  directory models_;
  directory servers_;
  directory agents_;
  directory guardrails_;
  std::vector<problem> found_;
};

void check_agents(reference_names& names);
void check_models(reference_names& names);
/// Hints only: the output of agents that have no bound of their own under a budget for it.
void check_budgets(reference_names& names);

} // namespace troupe::config
