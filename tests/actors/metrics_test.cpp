#include "actors/defaults.hpp"
#include "actors/metrics/exposition.hpp"
#include "actors/metrics/measures.hpp"
#include "actors/metrics/memory_watch.hpp"
#include "actors/metrics/process_usage.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

} // namespace

TEST_CASE("the same name and labels are the same counter, whoever asks") {
  const auto all = metrics::make();
  all->count("made_total", "Made.", {{"by", "a"}}).add();
  all->count("made_total", "Made.", {{"by", "a"}}).add(2);
  all->count("made_total", "Made.", {{"by", "b"}}).add();
  CHECK(all->count("made_total", "Made.", {{"by", "a"}}).value() == 3);
  const auto text = exposition(*all, nullptr, {});
  CHECK(has_line(text, "# TYPE made_total counter"));
  CHECK(has_line(text, R"(made_total{by="a"} 3)"));
  CHECK(has_line(text, R"(made_total{by="b"} 1)"));
}

TEST_CASE("a counter outlives who gave it out, and one made by default counts nothing") {
  const counter none;
  none.add();
  CHECK(none.value() == 0);
  auto all = metrics::make();
  const auto kept = all->count("made_total", "Made.");
  all.reset();
  kept.add(4);
  CHECK(kept.value() == 4);
}

TEST_CASE("ways to end are counted by the error's name, and those that nothing took are not told") {
  const auto all = metrics::make();
  const endings ends(*all, "ends_total", "Ends.", {{"of", "x"}});
  ends.count();
  ends.count(errc::overloaded);
  ends.count(errc::internal);
  ends.count(errc::internal);
  const auto text = exposition(*all, nullptr, {});
  CHECK(has_line(text, R"(ends_total{ending="ok",of="x"} 1)"));
  CHECK(has_line(text, R"(ends_total{ending="overloaded",of="x"} 1)"));
  CHECK(has_line(text, R"(ends_total{ending="internal",of="x"} 2)"));
  CHECK(text.find("malformed") == std::string::npos);
}

TEST_CASE("parts are told of by kind and name, and a name is told once though two know of it") {
  const auto all = metrics::make();
  count_refusals(*all, "runs", "overloaded").add(7);
  system_status system;
  system_node model;
  model.name = "default";
  model.kind = "model";
  model.restarts = 2;
  model.mailbox = 3;
  model.in_flight = 4;
  model.waiting = 5;
  model.refused_full = 6;
  model.retries = 8;
  model.breaker = breaker_status{breaker_state::open, 5, {}, {}};
  system_node group;
  group.kind = "group";
  group.children = {model};
  system.root.kind = "root";
  system.root.children = {group};
  const auto text = exposition(*all, &system, {});
  CHECK(has_line(text, R"(troupe_part_running{kind="model",name="default"} 1)"));
  CHECK(has_line(text, R"(troupe_part_restarts_total{kind="model",name="default"} 2)"));
  CHECK(has_line(text, R"(troupe_part_mailbox{kind="model",name="default"} 3)"));
  CHECK(has_line(text, R"(troupe_part_in_flight{kind="model",name="default"} 4)"));
  CHECK(has_line(text, R"(troupe_part_waiting{kind="model",name="default"} 5)"));
  CHECK(has_line(text, R"(troupe_breaker_state{kind="model",name="default"} 2)"));
  CHECK(has_line(text, R"(troupe_model_retries_total{model="default"} 8)"));
  CHECK(has_line(text, R"(troupe_bound_used{bound="model_queue",name="default"} 5)"));
  CHECK(has_line(text, R"(troupe_refusals_total{bound="runs",name="",reason="overloaded"} 7)"));
  CHECK(has_line(text, R"(troupe_refusals_total{bound="model_queue",reason="overloaded",name="default"} 6)"));
  const std::string head = "# TYPE troupe_refusals_total";
  CHECK(text.find(head) == text.rfind(head));
}

TEST_CASE("what the process has taken is read from the kernel") {
  const auto used = read_process_usage();
  CHECK(used.resident_bytes > 1u << 20);
  CHECK(used.virtual_bytes > used.resident_bytes);
  CHECK(used.threads >= 1);
  CHECK(used.open_files >= 3);
  CHECK(used.max_files >= used.open_files);
  CHECK(used.began > 1.6e9);
  CHECK(available_memory() > used.resident_bytes);
  CHECK(has_line(exposition(*metrics::make(), nullptr, {.open_files = 12}), "process_open_fds 12"));
}

TEST_CASE("resident memory is the second field of statm") {
  CHECK(parse_resident_pages("5280 1234 900 1 0 500 0\n") == 1234);
  CHECK(parse_resident_pages("5280") == 0);
  CHECK(parse_resident_pages("") == 0);
  CHECK(parse_resident_pages("5280 x") == 0);
}

TEST_CASE("the least limit of a cgroup and those around it holds") {
  const temporary_folder folder;
  const std::filesystem::path root = folder / "cgroup";
  write(root / "a/b/memory.max", "max\n");
  write(root / "a/memory.max", "2000000\n");
  write(root / "c/memory.max", "1000\n");
  write(root / "c/d/memory.max", "3000\n");
  CHECK(cgroup_memory_limit("0::/a/b\n", root) == 2'000'000);
  CHECK(cgroup_memory_limit("0::/c/d\n", root) == 1000);
  CHECK(cgroup_memory_limit("1:cpu:/x\n0::/c\n", root) == 1000);
  CHECK(cgroup_memory_limit("0::/elsewhere\n", root) == std::nullopt);
  CHECK(cgroup_memory_limit("", root) == std::nullopt);
  write(root / "memory.max", "500\n");
  CHECK(cgroup_memory_limit("0::/\n", root) == 500);
  CHECK(cgroup_memory_limit("0::/c/d\n", root) == 500);
}

TEST_CASE("memory is short past nine tenths of the limit, and is looked at now and then only") {
  std::size_t taken = 900;
  int looks = 0;
  memory_watch watch(1000, [&] {
    ++looks;
    return taken;
  });
  const auto start = memory_watch::clock::now();
  CHECK_FALSE(watch.is_short(start));
  taken = 901;
  CHECK_FALSE(watch.is_short(start + 199ms));
  CHECK(looks == 1);
  CHECK(watch.is_short(start + 200ms));
  looks = 0;
  taken = 900;
  CHECK(watch.is_short(start + 399ms));
  CHECK(looks == 0);
  CHECK_FALSE(watch.is_short(start + 400ms));
  CHECK(looks == 1);
}

TEST_CASE("memory that is short is trimmed now and then, and may be enough then") {
  std::size_t taken = 901;
  std::size_t kept_by_allocator = 100;
  int trims = 0;
  memory_watch watch(
      1000, [&] { return taken + kept_by_allocator; },
      [&] {
        ++trims;
        kept_by_allocator = 0;
      });
  const auto start = memory_watch::clock::now();
  taken = 800;
  CHECK_FALSE(watch.is_short(start));
  CHECK(trims == 0);
  taken = 850;
  CHECK_FALSE(watch.is_short(start + 1s));
  CHECK(trims == 1);
  taken = 901;
  CHECK(watch.is_short(start + 2s));
  CHECK(trims == 1);
  CHECK(watch.is_short(start + 1s + defaults::memory_trim));
  CHECK(trims == 2);
}
