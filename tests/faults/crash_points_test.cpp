#include "tests/actors/support/moody_disk.hpp"
#include "tests/actors/support/stage.hpp"
#include "tests/faults/scale.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

using namespace troupe;
using troupe::test::stage;
using troupe::testing::scaled;

namespace {

/// When a server dies: at its n-th write, before it is done or right after.
struct death {
  std::size_t write = 0;
  bool after = false;
};

/// What of a server is alive, and when it dies.
struct life {
  death end;
  std::size_t writes = 0;
  bool alive = true;
};

/// Nothing reaches the database once the server is dead.
result<void> write_alive(life& owner, session_store& store, const std::vector<session_append>& batch) {
  const auto dead = fail(errc::store_failed, "the server is dead");
  if (!owner.alive)
    return dead;
  const bool dies = ++owner.writes == owner.end.write;
  if (!dies)
    return store.append(batch);
  owner.alive = false;
  if (owner.end.after)
    (void)store.append(batch);
  return dead;
}

/// Servers that come and go over one database, a model that plays a fixed part, and tools that count.
class world {
public:
  /// A server until it dies, or has nothing more to do.
  void live(death end, const std::vector<std::string>& prompts = {}) {
    now_ = std::make_shared<life>();
    now_->end = end;
    server_ = std::make_unique<stage>();
    auto options = stage::two_agents();
    options.takes_up_runs = true;
    options.tools = {
        {"triage", tool("pay", false)}, {"triage", tool("look", true)}, {"ops", tool("ship", false)}};
    options.config.journal.max_takeovers = 1000;
    options.open_store = [this] {
      auto opened = open_sqlite_store(folder_ / "s.db", durability::batched);
      if (opened)
        opened = std::unique_ptr<session_store>(std::make_unique<troupe::test::moody_disk>(
            std::move(*opened),
            [owner = now_](auto& store, const auto& batch) { return write_alive(*owner, store, batch); }));
      return opened;
    };
    server_->begin(options);
    // Ids of calls are unique in a run, whoever serves it.
    server_->model->made = 1'000 * lives_++;
    for (const auto& run_id : prompts)
      ask(run_id);
    while (now_->alive && (answer_model() || settle_doubts()))
      server_->run();
    // Nothing that happens while it is torn down counts.
    now_->alive = false;
    server_.reset();
  }

  std::size_t writes() const { return now_->writes; }

  std::string ending(const std::string& run_id) {
    auto store = open_sqlite_store(folder_ / "s.db").value();
    const auto run = store->load_run(run_id).value();
    return run ? run->status : "unknown";
  }

  std::string why(const std::string& run_id) {
    auto store = open_sqlite_store(folder_ / "s.db").value();
    const auto run = store->load_run(run_id).value();
    return run && run->status == "failed" ? run->outcome : "";
  }

  /// By tool and run.
  std::map<std::pair<std::string, std::string>, int> effects;
  std::set<std::string> accepted;
  std::size_t doubts = 0;

private:
  code_tool tool(const std::string& name, bool is_repeatable) {
    auto made = function_tool(
        name, "",
        [this, name, owner = now_](const std::string& run) {
          if (owner->alive)
            ++effects[{name, run}];
          return name + " done";
        },
        parameter{"run", "Which run this is for"});
    made.spec.is_repeatable = is_repeatable;
    return made;
  }

  void ask(const std::string& run_id) {
    chat_request request;
    request.prompt = run_id;
    request.session_id = "session of " + run_id;
    request.run_id = run_id;
    request.background = true;
    const auto reply = server_->chat(request);
    if (reply->value)
      accepted.insert(run_id);
  }

  /// Says what comes next in the oldest call's run.
  bool answer_model() {
    if (server_->model->calls.empty())
      return false;
    const auto request = server_->model->calls.front().request;
    const auto run_id = std::get<user_message>(request->fresh.front()).text;
    const auto arguments = json{{"run", run_id}}.dump();
    const auto outputs = std::count_if(request->fresh.begin(), request->fresh.end(), [](const item& each) {
      return std::holds_alternative<tool_output>(each);
    });
    if (outputs == 0)
      server_->model->calls_tools({{"pay", arguments}, {"look", arguments}});
    else if (request->agent == "triage")
      server_->model->calls_tools({{"transfer_to_ops", "{}"}});
    else if (outputs == 3)
      server_->model->calls_tools({{"ship", arguments}});
    else
      server_->model->says("done");
    return true;
  }

  /// As a person would who looks whether it has happened.
  bool settle_doubts() {
    bool settled = false;
    for (const auto& run_id : accepted) {
      const auto shown = server_->ask<run_record_ptr>(server_->actors.sessions, run_atom::value, run_id);
      server_->run();
      if (!now_->alive || !shown->value || (*shown->value)->status != run_status::paused)
        continue;
      resume_request word;
      word.run_id = run_id;
      for (const auto& each : (*shown->value)->interruptions) {
        ++doubts;
        decision made{each.id, decision::verdict::repeat};
        if (effects[{each.tool, run_id}] > 0) {
          made.what = decision::verdict::result;
          made.output = each.tool + " was done";
        }
        word.decisions.push_back(std::move(made));
      }
      server_->ask<chat_reply>(server_->actors.sessions, word, observer_actor());
      server_->run();
      settled = true;
    }
    return settled;
  }

  temporary_folder folder_;
  std::shared_ptr<life> now_;
  std::unique_ptr<stage> server_;
  unsigned lives_ = 0;
};

void check_all(world& all, const std::vector<std::string>& runs) {
  for (const auto& run_id : runs) {
    INFO(run_id);
    // What was never accepted was never begun.
    if (!all.accepted.contains(run_id) && all.ending(run_id) == "unknown") {
      CHECK(all.effects[{"pay", run_id}] == 0);
      continue;
    }
    CHECK(all.ending(run_id) == "completed");
    CHECK(all.why(run_id) == "");
    CHECK(all.effects[{"pay", run_id}] == 1);
    CHECK(all.effects[{"ship", run_id}] == 1);
    CHECK(all.effects[{"look", run_id}] >= 1);
  }
}

constexpr death never{0, false};

} // namespace

TEST_CASE("a server may die at any write of a run: nothing is lost, and nothing done twice") {
  world whole;
  whole.live(never, {"r"});
  check_all(whole, {"r"});
  const auto writes = whole.writes();
  REQUIRE(writes > 6);
  std::size_t doubts = 0;
  for (std::size_t write = 1; write <= writes; ++write)
    for (const bool after : {false, true}) {
      INFO("write " << write << (after ? ", after it" : ", before it"));
      world all;
      all.live({write, after}, {"r"});
      all.live(never);
      check_all(all, {"r"});
      doubts += all.doubts;
    }
  CHECK(doubts > 0);
}

TEST_CASE("many runs, and servers that die at random: nothing is lost, and nothing done twice") {
  const auto count = scaled(50, 1000);
  std::mt19937_64 dice(7);
  world all;
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < count; ++i)
    runs.push_back("run" + std::to_string(i));
  std::size_t deaths = 0;
  for (std::size_t i = 0; i < count; i += 10) {
    const auto last = std::min(i + 10, count);
    const std::vector<std::string> batch(runs.begin() + static_cast<std::ptrdiff_t>(i),
                                         runs.begin() + static_cast<std::ptrdiff_t>(last));
    all.live({1 + dice() % 40, dice() % 2 == 0}, batch);
    ++deaths;
  }
  all.live(never);
  check_all(all, runs);
  CHECK(all.doubts > 0);
  WARN(count << " runs, " << deaths << " deaths, " << all.doubts << " calls in doubt, " << all.accepted.size()
             << " runs accepted");
}
