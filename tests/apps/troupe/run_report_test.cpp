#include "apps/troupe/run_report.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("the command that goes on with a run names the agent file as the user has") {
  struct example {
    std::string config;
    std::string command;
  };
  const auto each = GENERATE(example{"", "troupe run --resume r"},
                             example{"other.yaml", "troupe run -c other.yaml --resume r"},
                             example{"my agents.yaml", "troupe run -c 'my agents.yaml' --resume r"},
                             example{"it's.yaml", R"(troupe run -c 'it'\''s.yaml' --resume r)"});
  CHECK(cli::resume_command(each.config, "r") == each.command);
}

TEST_CASE("the command that settles a run says what is needed for what it waits for") {
  interruption approval;
  interruption doubt;
  doubt.what = interruption::kind::in_doubt;
  CHECK(cli::how_to_go_on("f", "r", {approval}) == "troupe run -c f --resume r --approve all");
  const std::string doubts = " and, for each call in doubt, --repeat ID, --result ID=TEXT or --fail ID";
  CHECK(cli::how_to_go_on("", "r", {doubt}) == "troupe run --resume r" + doubts);
  CHECK(cli::how_to_go_on("", "r", {approval, doubt}) == "troupe run --resume r --approve all" + doubts);
}

TEST_CASE("that a run is not waited for any longer is not told as its end") {
  const auto late = fail(errc::deadline_exceeded, "no answer in time");
  run_record now;
  now.status = run_status::running;
  CHECK(cli::no_answer_line("f", "r", late, &now) ==
        "troupe: the run r is not over yet, and not waited for any longer; it goes on for as long as this "
        "program does, and then with: troupe run -c f --resume r\n");
  const std::string ended = "troupe: the run r has ended: deadline_exceeded: no answer in time\n";
  now.status = run_status::failed;
  CHECK(cli::no_answer_line("f", "r", late, &now) == ended);
  CHECK(cli::no_answer_line("f", "r", late, nullptr) == ended);
}

TEST_CASE("the run that is in a session's way is named where there is one") {
  auto conflict = fail(errc::conflict, "it waits");
  CHECK(cli::run_in_the_way(conflict).empty());
  conflict.facts = std::make_shared<const json>(json{{"run_id", "r"}});
  CHECK(cli::run_in_the_way(conflict) == "r");
  conflict.code = errc::cancelled;
  CHECK(cli::run_in_the_way(conflict).empty());
}
