#include "actors/run_register.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

run_record_ptr over(const std::string& id, std::string said = "hello") {
  auto record = std::make_shared<run_record>();
  record->run_id = id;
  record->session_id = "s";
  record->status = run_status::completed;
  record->items = {user_message{std::move(said)}};
  return record;
}

} // namespace

TEST_CASE("of runs that are over the oldest are forgotten, by number and by size") {
  run_register runs(2, 1 << 20);
  runs.begin("under way", "s", "a");
  for (const auto* id : {"1", "2", "3"})
    runs.end(over(id));
  CHECK_FALSE(runs.find("1"));
  CHECK(runs.find("2"));
  CHECK(runs.find("3"));
  runs.end(over("4", std::string(1 << 20, 'x')));
  CHECK_FALSE(runs.find("3"));
  CHECK_FALSE(runs.find("4"));
  CHECK(runs.find("under way")->status == run_status::running);
}

TEST_CASE("a paused run that goes on is under way again") {
  run_register runs(1, 1 << 20);
  runs.end(over("1"));
  runs.begin("1", "s", "a");
  runs.end(over("2"));
  runs.end(over("3"));
  REQUIRE(runs.find("1"));
  CHECK(runs.find("1")->status == run_status::running);
}

TEST_CASE("runs of a session whose actor is gone have failed") {
  run_register runs(10, 1 << 20);
  runs.begin("1", "s", "a");
  runs.begin("2", "other", "a");
  runs.lose("s");
  CHECK(runs.find("1")->status == run_status::failed);
  CHECK(runs.find("2")->status == run_status::running);
}
