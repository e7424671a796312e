#include "libagent/session/sealed_store.hpp"

#include <cstdint>
#include <utility>
#include <variant>

namespace troupe {

namespace {

/// What a text is.
enum class form : std::uint8_t { plain = 1, json };

/// Calls a function with each text that may hold anything, and what it is; it may change them where they are
/// not const.
template <class Item, class Function>
void each_text_of_item(Item& value, const Function& function) {
  std::visit(
      [&](auto& each) {
        if constexpr (requires { each.text; })
          function(each.text, form::plain);
        if constexpr (requires { each.arguments; })
          function(each.arguments, form::json);
        if constexpr (requires { each.raw; })
          function(each.raw, form::json);
        if constexpr (requires { each.parts; })
          for (auto& part : each.parts)
            if (auto* text = std::get_if<text_content>(&part))
              function(text->text, form::plain);
      },
      value);
}

template <class Append, class Function>
void each_text(Append& what, const Function& function) {
  for (auto& each : what.items)
    each_text_of_item(each, function);
  if (what.paused)
    function(what.paused->state, form::json);
  if (!what.run)
    return;
  if (what.run->accepted)
    function(what.run->accepted->request, form::json);
  for (auto& each : what.run->events)
    function(each, form::json);
  for (auto& each : what.run->records)
    function(each, form::json);
  if (what.run->ended)
    function(what.run->ended->outcome, form::json);
}

void unseal_text(std::string& text, form what, const redactor& seals) {
  text = what == form::json ? seals.unseal_json(std::move(text)) : seals.unseal(std::move(text));
}

void unseal_item(item& value, const redactor& seals) {
  each_text_of_item(value, [&](std::string& text, form what) { unseal_text(text, what, seals); });
}

class sealed_store : public session_store {
public:
  sealed_store(std::unique_ptr<session_store> store, redactor_ptr seals)
      : store_(std::move(store)), seals_(std::move(seals)) {}

  result<std::optional<session_record>> load(std::string_view session_id) override {
    auto found = store_->load(session_id);
    if (found && *found) {
      for (auto& each : (*found)->items)
        unseal(each);
      if ((*found)->paused)
        unseal((*found)->paused->state, form::json);
    }
    return found;
  }

  result<void> append(const std::vector<session_append>& batch) override {
    bool is_clean = true;
    for (const auto& each : batch)
      each_text(each,
                [&](const std::string& text, form) { is_clean = is_clean && !seals_->needs_seal(text); });
    if (is_clean)
      return store_->append(batch);
    auto sealed = batch;
    for (auto& each : sealed)
      each_text(each, [this](std::string& text, form) { text = seals_->seal(std::move(text)); });
    return store_->append(sealed);
  }

  result<std::optional<std::string>> session_of(std::string_view run_id) override {
    return store_->session_of(run_id);
  }

  result<bool> erase(std::string_view session_id) override { return store_->erase(session_id); }

  bool has_journal() const noexcept override { return store_->has_journal(); }

  result<std::optional<stored_run>> load_run(std::string_view run_id) override {
    auto found = store_->load_run(run_id);
    if (found && *found)
      troupe::unseal(**found, *seals_);
    return found;
  }

  result<std::optional<run_head>> load_head(std::string_view run_id) override {
    auto found = store_->load_head(run_id);
    if (found && *found)
      unseal((*found)->outcome, form::json);
    return found;
  }

  result<std::optional<paused_run>> load_paused(std::string_view run_id) override {
    auto found = store_->load_paused(run_id);
    if (found && *found)
      unseal((*found)->state, form::json);
    return found;
  }

  result<std::vector<orphaned_run>> adopt_runs(const orphan_filter& wanted) override {
    return store_->adopt_runs(wanted);
  }

  result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                events_bound most) override {
    auto found = store_->load_events(run_id, last, most);
    if (found)
      for (auto& each : *found)
        unseal(each.text, form::json);
    return found;
  }

  result<bool> purge(const retention& kept) override { return store_->purge(kept); }
  result<void> sync() override { return store_->sync(); }

private:
  void unseal(std::string& text, form what) const { unseal_text(text, what, *seals_); }
  void unseal(item& value) const { unseal_item(value, *seals_); }

  std::unique_ptr<session_store> store_;
  redactor_ptr seals_;
};

} // namespace

void unseal(stored_run& run, const redactor& seals) {
  unseal_text(run.request, form::json, seals);
  unseal_text(run.outcome, form::json, seals);
  for (auto& each : run.records)
    unseal_text(each, form::json, seals);
  for (auto& each : run.items)
    unseal_item(each, seals);
}

std::unique_ptr<session_store> make_sealed_store(std::unique_ptr<session_store> store, redactor_ptr seals) {
  return std::make_unique<sealed_store>(std::move(store), std::move(seals));
}

} // namespace troupe
