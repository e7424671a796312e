#include "libagent/session/store.hpp"
#include "tests/faults/fail_everywhere.hpp"
#include "tests/libagent/run/game.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace troupe;
using namespace troupe::testing;

namespace {

std::string describe(const std::optional<session_record>& session) {
  if (!session)
    return "none";
  auto told = fmt::format("{} {} {} {}", session->agent, run::testing::story(session->items),
                          dump_json(to_json(session->used)), session->owner);
  for (const auto& [agent, tool] : session->approved)
    told += fmt::format(" {}:{}", agent, tool);
  if (session->paused)
    told += fmt::format(" paused:{} {}", session->paused->run_id, session->paused->state);
  return told;
}

/// All that a store knows of some sessions and runs.
std::string describe(session_store& store) {
  std::string told;
  for (const auto* id : {"old", "waits", "new", "other"})
    told += fmt::format("{}: {}; ", id, describe(store.load(id).value()));
  for (const auto* run : {"first run", "second run"})
    told += fmt::format("{}: {}; ", run, store.session_of(run).value().value_or("none"));
  return told;
}

session_append addition(std::string session) {
  session_append made{std::move(session), "an agent with a name of some length", {}};
  made.items = {user_message{long_text}, assistant_message{"m", long_text}};
  made.used.add("an agent with a name of some length", "a model with a name of some length", {1, 2, 3, 0, 0});
  made.approved = {{"an agent with a name of some length", "a tool with a name of some length"}};
  return made;
}

session_append pause_of(std::string session, std::string run) {
  auto made = addition(std::move(session));
  made.paused = paused_run{std::move(run), long_text};
  return made;
}

std::unique_ptr<session_store> filled_store() {
  auto store = make_memory_store({3});
  REQUIRE(store->append({addition("old"), pause_of("waits", "first run")}).has_value());
  return store;
}

std::unique_ptr<session_store> store_with(const std::vector<session_append>& batch, std::size_t first) {
  auto store = filled_store();
  for (std::size_t i = 0; i < first; ++i)
    store->append({batch[i]}).value();
  return store;
}

/// What the store comes to with the first of a batch, from none to all of them.
std::vector<std::string> steps_of(const std::vector<session_append>& batch) {
  std::vector<std::string> steps;
  for (std::size_t first = 0; first <= batch.size(); ++first)
    steps.push_back(describe(*store_with(batch, first)));
  return steps;
}

class store_scene {
public:
  explicit store_scene(const std::vector<session_append>& batch) : batch_(batch), steps_(steps_of(batch)) {}

  void act() { store_->append(batch_).value(); }
  std::string flaw(attempt ended) {
    const auto now = describe(*store_);
    const auto reached = std::find(steps_.begin(), steps_.end(), now);
    if (reached == steps_.end() || (ended == attempt::through && now != steps_.back()))
      return "a part was kept: " + now;
    // The others can follow.
    for (auto i = static_cast<std::size_t>(reached - steps_.begin()); i < batch_.size(); ++i)
      store_->append({batch_[i]}).value();
    if (describe(*store_) != steps_.back())
      return "the rest came to " + describe(*store_);
    for (const auto* id : {"old", "waits", "new", "other"})
      store_->erase(id).value();
    return describe(*store_) == describe(*make_memory_store()) ? "" : "it cannot be emptied";
  }

private:
  const std::vector<session_append>& batch_;
  std::vector<std::string> steps_;
  std::unique_ptr<session_store> store_ = filled_store();
};

} // namespace

TEST_CASE("a store in memory that runs out of it has taken all of an addition or none") {
  std::vector<session_append> batch;
  SECTION("to a session that is there") {
    batch = {addition("old")};
    batch.back().takes_back = 2;
  }
  SECTION("to a new one") {
    batch = {addition("new")};
  }
  SECTION("to several, some twice") {
    batch = {addition("new"), addition("old"), addition("new"), addition("waits")};
    batch[2].takes_back = 5;
  }
  SECTION("with a run that goes on and another that waits") {
    batch = {addition("waits"), pause_of("old", "second run")};
    batch[0].unpauses = true;
  }
  SECTION("with a run that waits in another session now") {
    batch = {pause_of("new", "first run"), pause_of("old", "second run"), pause_of("new", "second run")};
  }
  SECTION("with one too many, for which another is forgotten") {
    batch = {addition("new"), addition("other"), pause_of("old", "second run")};
  }
  const auto made = fail_everywhere([&] { return store_scene(batch); });
  CHECK(made.failed > 5);
}
