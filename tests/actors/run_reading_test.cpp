#include "actors/defaults.hpp"
#include "actors/run_log.hpp"
#include "actors/store.hpp"
#include "tests/actors/support/moody_disk.hpp"
#include "tests/actors/support/servers.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using troupe::test::answer;
using troupe::test::moody_disk;
using troupe::test::prompt;
using troupe::test::servers;
using troupe::test::stage;

namespace {

/// What a store was asked for.
struct reads {
  int whole_runs = 0;
  int heads = 0;
  /// Bytes of events, of each time.
  std::vector<std::size_t> events;
};

class watched_store : public moody_disk {
public:
  watched_store(std::unique_ptr<session_store> store, std::shared_ptr<reads> seen)
      : moody_disk(std::move(store), [](session_store& to, const auto& batch) { return to.append(batch); }),
        seen_(std::move(seen)) {}
  result<std::optional<stored_run>> load_run(std::string_view id) override {
    ++seen_->whole_runs;
    return moody_disk::load_run(id);
  }
  result<std::optional<run_head>> load_head(std::string_view id) override {
    ++seen_->heads;
    return moody_disk::load_head(id);
  }
  result<std::vector<stored_event>> load_events(std::string_view id, std::uint64_t last,
                                                events_bound most) override {
    auto found = moody_disk::load_events(id, last, most);
    if (found) {
      auto& bytes = seen_->events.emplace_back();
      for (const auto& each : *found)
        bytes += each.text.size();
    }
    return found;
  }

private:
  std::shared_ptr<reads> seen_;
};

session_append begun(const std::string& run_id) {
  session_append added{"s", "", {user_message{"hi"}}};
  added.run = run_change{run_id, run_acceptance{"", R"({"prompt":"hi"})"}};
  added.run->begins = true;
  return added;
}

session_append told(const std::string& run_id, std::uint64_t first, std::vector<std::string> events) {
  session_append added;
  added.run = run_change{run_id};
  added.run->first_event = first;
  added.run->events = std::move(events);
  return added;
}

session_append ended(const std::string& run_id) {
  session_append added{"s", "triage", {assistant_message{"triage", "1"}}};
  added.run = run_change{run_id};
  added.run->ended = run_ending{"completed", R"({"agent":"triage","result":"1"})"};
  return added;
}

/// The log of the run "r", of which nobody tells it, over a database that another server has too.
class follower {
public:
  static constexpr std::size_t window = 1000;

  follower() {
    auto setup = std::make_shared<store_setup>();
    setup->store = std::make_unique<watched_store>(open_sqlite_store(folder_ / "s.db").value(), seen);
    store_ = s.system().spawn(store_behavior, std::move(setup));
  }
  ~follower() {
    log = nullptr;
    caf::anon_send_exit(store_, caf::exit_reason::user_shutdown);
    s.run();
  }
  void open_log() {
    run_log_setup setup;
    setup.run_id = "r";
    setup.store = store_;
    setup.is_journaled = true;
    setup.is_new = false;
    setup.follows = true;
    setup.window = window;
    setup.kept_bytes = window;
    log = s.system().spawn(run_log_behavior, setup);
  }
  void write(const session_append& what) { REQUIRE(other->append({what}).has_value()); }
  auto read(std::uint64_t after) {
    auto got = s.ask<run_events_ptr>(log, events_atom::value, after);
    s.run();
    return got;
  }

private:
  temporary_folder folder_;

public:
  stage s;
  std::shared_ptr<reads> seen = std::make_shared<reads>();
  std::unique_ptr<session_store> other = open_sqlite_store(folder_ / "s.db").value();
  run_log_actor log;

private:
  store_actor store_;
};

} // namespace

TEST_CASE("a log reads no more of a run than its window at a time, and of the run itself nothing") {
  follower f;
  std::vector<std::string> events(20, std::string(400, 'x'));
  events[7] = std::string(5000, 'y');
  f.write(begun("r"));
  f.write(told("r", 1, events));
  f.write(ended("r"));
  f.open_log();
  std::uint64_t last = 0;
  while (true) {
    const auto got = f.read(last);
    REQUIRE(got->value);
    const auto& found = **got->value;
    if (found.is_over)
      break;
    REQUIRE_FALSE(found.events.empty());
    CHECK(found.events.front().number == last + 1);
    last = found.events.back().number;
  }
  CHECK(last == 20);
  CHECK(f.seen->whole_runs == 0);
  CHECK(f.seen->heads == 1);
  for (const auto bytes : f.seen->events)
    CHECK((bytes <= follower::window || bytes == 5000));
}

TEST_CASE("who reads along at another server gets the events as they come, and learns of the end") {
  follower f;
  f.write(begun("r"));
  f.open_log();
  const auto first = f.read(0);
  CHECK_FALSE(first->came());
  f.write(told("r", 1, {"a", "b"}));
  f.s.advance(defaults::log_follow_pause);
  REQUIRE(first->value);
  CHECK((*first->value)->events == std::vector<stored_event>{{1, "a"}, {2, "b"}});
  const auto second = f.read(2);
  for (int i = 0; i < 3; ++i)
    f.s.advance(defaults::log_follow_pause);
  CHECK_FALSE(second->came());
  f.write(told("r", 3, {"c"}));
  f.write(ended("r"));
  f.s.advance(defaults::log_follow_pause);
  REQUIRE(second->value);
  CHECK((*second->value)->events == std::vector<stored_event>{{3, "c"}});
  const auto end = f.read(3);
  REQUIRE(end->value);
  CHECK((*end->value)->is_over);
  CHECK((*end->value)->last == 3);
  CHECK(f.seen->whole_runs == 0);
}

TEST_CASE("a pause ends the reading at another server, and an erased run does") {
  follower f;
  f.write(begun("r"));
  f.write(told("r", 1, {"a"}));
  f.open_log();
  const auto waiting = f.read(1);
  if (GENERATE(false, true)) {
    auto paused = session_append{"s", "", {}};
    paused.paused = paused_run{"r", "{}"};
    paused.run = run_change{"r"};
    paused.run->ended = run_ending{"paused", ""};
    f.write(paused);
  } else {
    REQUIRE(f.other->erase("s").value());
  }
  f.s.advance(defaults::log_follow_pause);
  REQUIRE(waiting->value);
  CHECK((*waiting->value)->is_over);
  CHECK((*waiting->value)->last == 1);
}

TEST_CASE("nobody looks for what nobody reads") {
  follower f;
  f.write(begun("r"));
  f.write(told("r", 1, {"a"}));
  f.open_log();
  CHECK(f.read(0)->value);
  const auto before = f.seen->heads;
  for (int i = 0; i < 5; ++i)
    f.s.advance(defaults::log_follow_pause);
  CHECK(f.seen->heads == before);
}

TEST_CASE("a run that another server carries can be seen and read along, and is not touched") {
  servers s;
  const auto other = open_sqlite_store(s.folder / "s.db").value();
  REQUIRE(other->append({begun("r"), told("r", 1, {"\nnote\n{}"})}).has_value());
  CHECK(s.show("r")->status == run_status::running);
  const auto cancelled = s.now->ask<run_record_ptr>(s.now->actors.sessions, cancel_atom::value,
                                                    std::string("r"), cancel_mode::at_once);
  resume_request resumed;
  resumed.run_id = "r";
  const auto refused = s.now->ask<chat_reply>(s.now->actors.sessions, resumed, observer_actor());
  const auto found = s.now->ask<caf::strong_actor_ptr>(s.now->actors.sessions, events_atom::value,
                                                       std::string("r"), caller{}, std::string());
  s.now->run();
  CHECK(cancelled->code() == errc::conflict);
  CHECK(refused->code() == errc::conflict);
  REQUIRE(found->value);
  auto log = caf::actor_cast<run_log_actor>(*found->value);
  found->value.reset();
  const auto waiting = s.now->ask<run_events_ptr>(log, events_atom::value, std::uint64_t{1});
  s.now->run();
  CHECK_FALSE(waiting->came());
  REQUIRE(other->append({ended("r")}).has_value());
  s.now->advance(defaults::log_follow_pause);
  REQUIRE(waiting->value);
  CHECK((*waiting->value)->is_over);
  const auto head =
      s.now->ask<run_record_ptr>(s.now->actors.sessions, head_atom::value, std::string("r"), caller{});
  s.now->run();
  REQUIRE(head->value);
  CHECK((*head->value)->result == "1");
  CHECK((*head->value)->items.empty());
  CHECK(s.show("r")->items.size() == 2);
}

TEST_CASE("what is told of a run that is over is found without all of the run") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.says("1");
  const auto seen = std::make_shared<reads>();
  s.kill();
  s.start([&](runtime_options& options) {
    options.open_store = [&] {
      return result<std::unique_ptr<session_store>>(
          std::make_unique<watched_store>(open_sqlite_store(s.folder / "s.db").value(), seen));
    };
  });
  const auto found = s.now->ask<caf::strong_actor_ptr>(s.now->actors.sessions, events_atom::value,
                                                       std::string("r"), caller{}, std::string());
  const auto head =
      s.now->ask<run_record_ptr>(s.now->actors.sessions, head_atom::value, std::string("r"), caller{});
  s.now->run();
  REQUIRE(found->value);
  const auto end = s.now->ask<run_events_ptr>(caf::actor_cast<run_log_actor>(*found->value),
                                              events_atom::value, std::uint64_t{1000});
  s.now->run();
  REQUIRE(end->value);
  CHECK((*end->value)->is_over);
  CHECK((*head->value)->status == run_status::completed);
  CHECK(seen->heads > 0);
  CHECK(seen->whole_runs == 0);
  found->value.reset();
}

TEST_CASE("the log of a paused run that was read after a restart goes with who has read it") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  for (int i = 0; i < 2; ++i) {
    s.restart();
  }
  REQUIRE(s.show("r")->status == run_status::paused);
  const auto before = s.now->system().registry().running();
  const auto found = s.now->ask<caf::strong_actor_ptr>(s.now->actors.sessions, events_atom::value,
                                                       std::string("r"), caller{}, std::string());
  s.now->run();
  REQUIRE(found->value);
  CHECK(s.now->system().registry().running() == before + 1);
  found->value.reset();
  s.now->run();
  CHECK(s.now->system().registry().running() == before);
}
