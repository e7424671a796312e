#include "actors/store.hpp"

#include "actors/defaults.hpp"
#include "actors/metrics/metrics.hpp"
#include "actors/workshop.hpp"
#include "tests/actors/support/moody_disk.hpp"
#include "tests/actors/support/stage.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using troupe::test::moody_disk;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

/// What a store is asked for, and what it does about it.
struct mood {
  std::optional<errc> failure;
  /// A run that always fails, by itself, so.
  std::string bad_run;
  errc bad_code = errc::store_failed;
  /// How much each batch had.
  std::vector<std::size_t> batches;
  int purges = 0;
  int purges_before_write = 0;
  int left_to_purge = 0;
  /// What was written of runs, in order: "+r" where r was accepted, "-r" where it ended.
  std::vector<std::string> written;
};

class counting_store : public moody_disk {
public:
  explicit counting_store(std::shared_ptr<mood> how)
      : moody_disk(make_memory_store(),
                   [how](session_store&, const std::vector<session_append>& batch) -> result<void> {
                     how->batches.push_back(batch.size());
                     how->purges_before_write = how->purges;
                     if (how->failure)
                       return fail(*how->failure, "no");
                     const bool has_bad_one =
                         std::any_of(batch.begin(), batch.end(), [&](const session_append& each) {
                           return each.run && each.run->run_id == how->bad_run;
                         });
                     if (has_bad_one)
                       return fail(batch.size() > 1 ? errc::store_failed : how->bad_code, "bad");
                     for (const auto& each : batch)
                       if (each.run && (each.run->accepted || each.run->ended))
                         how->written.push_back((each.run->accepted ? "+" : "-") + each.run->run_id);
                     return {};
                   }),
        how_(std::move(how)) {}
  result<bool> purge(const retention&) override {
    ++how_->purges;
    return how_->left_to_purge-- > 0;
  }

private:
  std::shared_ptr<mood> how_;
};

/// A store's actor over such a store.
class desk {
public:
  desk() { start(); }
  ~desk() { stop(); }
  void start() {
    auto setup = std::make_shared<store_setup>();
    setup->store = std::make_unique<counting_store>(how);
    store = s.system().spawn(store_behavior, std::move(setup));
  }
  void stop() {
    if (!store)
      return;
    caf::anon_send_exit(store, caf::exit_reason::user_shutdown);
    s.run();
    store = nullptr;
  }
  auto append(const std::string& run_id, bool accepts = false) {
    session_append added;
    added.run = run_change{run_id};
    if (accepts)
      added.run->accepted = run_acceptance{"", "{}"};
    return s.ask<acknowledgement>(store, std::move(added));
  }
  void owe(const std::string& run_id) {
    run_change ending{run_id};
    ending.ended = run_ending{"failed", "{}"};
    caf::anon_send(store, finished_atom::value, ending);
  }

  stage s;
  std::shared_ptr<mood> how = std::make_shared<mood>();
  store_actor store;
};

} // namespace

TEST_CASE("a store that is full or cannot be reached refuses what has gathered at once, not one by one") {
  desk d;
  d.how->failure = GENERATE(errc::store_full, errc::unavailable);
  const auto first = d.append("a");
  const auto second = d.append("b");
  const auto third = d.append("c");
  d.s.run();
  CHECK(first->code() == d.how->failure);
  CHECK(second->code() == d.how->failure);
  CHECK(third->code() == d.how->failure);
  CHECK(d.how->batches == std::vector<std::size_t>{3});
}

TEST_CASE("what one of those that have gathered did wrong is not the others' fault") {
  desk d;
  d.how->bad_run = "b";
  const bool passes = GENERATE(false, true);
  d.how->bad_code = passes ? errc::unavailable : errc::conflict;
  const auto first = d.append("a");
  const auto second = d.append("b");
  const auto third = d.append("c");
  d.s.run();
  CHECK(first->value);
  CHECK(second->code() == d.how->bad_code);
  // A store that cannot be reached from there on is not asked again.
  CHECK(third->value.has_value() != passes);
  CHECK(d.how->batches.size() == (passes ? 3 : 4));
}

TEST_CASE("endings that could not be written are written together once they can be") {
  desk d;
  d.how->failure = GENERATE(errc::store_full, errc::unavailable);
  const std::size_t count = defaults::store_batch + 10;
  for (std::size_t i = 0; i < count; ++i)
    d.owe(std::to_string(i));
  d.s.run();
  // While the store has to be waited for, not every ending asks it anew.
  CHECK(d.how->batches == std::vector<std::size_t>{1});
  d.how->failure.reset();
  d.how->batches.clear();
  d.s.advance(defaults::owed_pause);
  CHECK(d.how->batches == std::vector<std::size_t>{defaults::store_batch, 10});
}

TEST_CASE("all that is owed is written before a store's actor ends") {
  desk d;
  d.how->failure = errc::store_full;
  for (std::size_t i = 0; i < defaults::store_batch + 10; ++i)
    d.owe(std::to_string(i));
  d.s.run();
  d.how->failure.reset();
  d.how->batches.clear();
  d.stop();
  CHECK(d.how->batches == std::vector<std::size_t>{defaults::store_batch, 10});
}

TEST_CASE("a run that is accepted anew is not ended by what is owed of its first try") {
  desk d;
  d.how->failure = errc::store_full;
  d.owe("again");
  d.owe("other");
  const auto refused = d.append("again", true);
  d.s.run();
  CHECK(refused->code() == errc::store_full);
  const bool is_accepted = GENERATE(true, false);
  d.how->failure.reset();
  if (is_accepted) {
    const auto accepted = d.append("again", true);
    d.s.run();
    CHECK(accepted->value);
  }
  d.how->batches.clear();
  d.s.advance(defaults::owed_pause);
  CHECK(d.how->batches == std::vector<std::size_t>{is_accepted ? 1u : 2u});
}

TEST_CASE("the end of a run that is owed is written after what has gathered, the run's acceptance included") {
  desk d;
  session_append accepted;
  accepted.run = run_change{"r", run_acceptance{"", "{}"}};
  caf::anon_send(d.store, accepted);
  d.owe("r");
  d.s.run();
  CHECK(d.how->written == std::vector<std::string>{"+r", "-r"});
}

TEST_CASE("while much is to be forgotten others have their turn") {
  desk d;
  d.stop();
  d.how->purges = 0;
  d.how->left_to_purge = 100;
  d.start();
  session_append added;
  added.run = run_change{"a"};
  caf::anon_send(d.store, added);
  d.s.run();
  CHECK(d.how->batches == std::vector<std::size_t>{1});
  CHECK(d.how->purges_before_write < 10);
  CHECK(d.how->purges == 101);
}

TEST_CASE("what a server has under way is not taken over while its store is made again") {
  temporary_folder folder;
  // The store has a thread of its own, and a clock for tests is for one thread.
  caf::actor_system_config settings;
  caf::actor_system system(settings);
  boost::asio::io_context context;
  io::reactor io(context);
  auto options = stage::two_agents();
  options.config.models = {{"default", scripted::script{}}};
  options.config.sessions.store = config::session_options::store_kind::sqlite;
  options.config.sessions.path = folder / "s.db";
  options.counted = metrics::make();
  const auto shop = workshop::open(system, io, options).value();
  const auto parts = shop->parts();
  const auto store =
      std::find_if(parts.begin(), parts.end(), [](const part& each) { return each.kind == "store"; });
  REQUIRE(store != parts.end());
  caf::scoped_actor self(system);
  const auto write = [&](const caf::actor& to, session_append added) {
    bool is_written = false;
    self->request(caf::actor_cast<store_actor>(to), 60min, std::move(added))
        .receive([&](acknowledgement) { is_written = true; }, [](const caf::error&) {});
    return is_written;
  };
  const auto end = [&](const caf::actor& which) {
    self->send_exit(which, caf::exit_reason::kill);
    self->wait_for(which);
  };
  session_append begun{"s", "", {}};
  begun.run = run_change{"r", run_acceptance{"", "{}"}};
  begun.run->begins = true;
  session_append noted;
  noted.run = run_change{"r"};
  noted.run->records = {"{}"};
  const auto first = store->make({}).value();
  CHECK(write(first, begun));
  end(first);
  const auto other = open_sqlite_store(folder / "s.db").value();
  CHECK(other->adopt_runs().value().empty());
  const auto second = store->make({}).value();
  CHECK(other->adopt_runs().value().empty());
  CHECK(write(second, noted));
  end(second);
}

TEST_CASE("a store takes over what a process that is gone has left of a session, and nothing of its own") {
  temporary_folder folder;
  const auto begun = [](const std::string& session, const std::string& run_id) {
    session_append made{session, "", {}};
    made.run = run_change{run_id, run_acceptance{"", "{}"}};
    made.run->begins = true;
    return made;
  };
  stage s;
  auto options = stage::two_agents();
  options.open_store = [&] { return open_sqlite_store(folder / "s.db"); };
  s.begin(options);
  const auto store = s.actors.store;
  const auto left = [&](const std::string& session) {
    const auto answer = s.ask<adopted_runs_ptr>(store, adopt_atom::value, session);
    s.run();
    std::vector<std::string> ids;
    REQUIRE(answer->value);
    for (const auto& each : **answer->value)
      ids.push_back(each.run_id);
    return ids;
  };
  // Nobody knows of it any more, and it has not ended.
  s.ask<acknowledgement>(store, begun("a", "own"));
  s.run();
  {
    const auto neighbour = open_sqlite_store(folder / "s.db").value();
    REQUIRE(neighbour->append({begun("a", "a1"), begun("b", "b1")}).has_value());
    CHECK(left("a").empty());
  }
  CHECK(left("a") == std::vector<std::string>{"a1"});
  CHECK(left("a").empty());
  CHECK(left("b") == std::vector<std::string>{"b1"});
}
