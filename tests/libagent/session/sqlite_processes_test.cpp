#include "tests/libagent/session/old_databases.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <array>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace troupe;

namespace {

/// Adds one item many times, in a process of its own. Exit status 0 means that all went well.
pid_t start_writer(const std::string& path, const std::string& name, int count) {
  const auto child = fork();
  if (child != 0)
    return child;
  auto opened = open_sqlite_store(path);
  auto ok = opened.has_value();
  for (auto i = 0; ok && i < count; ++i)
    ok = (*opened)->append({{"shared", name, {said(name + std::to_string(i))}}}).has_value();
  _exit(ok ? 0 : 1);
}

/// Pauses a run again and again, each time with one more item and one more request, and writes a byte after
/// each.
[[noreturn]] void pause_for_ever(const std::string& path, int progress) {
  const auto opened = open_sqlite_store(path);
  for (auto i = 1; opened; ++i) {
    auto added = pause("s1", "r" + std::to_string(i), std::to_string(i));
    added.items = {said(std::to_string(i))};
    added.used.add("a", "m", {1, 0, 0, 0, 0});
    if (!(*opened)->append({added}) || write(progress, "x", 1) != 1)
      break;
  }
  _exit(1);
}

/// A process that does that until it is killed.
class pausing_process {
public:
  explicit pausing_process(const std::string& path) {
    int progress[2];
    REQUIRE(pipe(progress) == 0);
    child_ = fork();
    if (child_ == 0) {
      // With no reader left it ends by itself.
      close(progress[0]);
      pause_for_ever(path, progress[1]);
    }
    close(progress[1]);
    progress_ = progress[0];
  }
  ~pausing_process() {
    kill();
    close(progress_);
  }
  pausing_process(const pausing_process&) = delete;
  pausing_process& operator=(const pausing_process&) = delete;

  /// Waits for so many steps to be stored.
  void wait_for(int steps) {
    for (char byte; steps > 0; --steps)
      REQUIRE(read(progress_, &byte, 1) == 1);
  }

  /// Whether it lived until now.
  bool kill() {
    if (child_ < 0)
      return false;
    auto status = 0;
    ::kill(child_, SIGKILL);
    waitpid(std::exchange(child_, -1), &status, 0);
    return WIFSIGNALED(status);
  }

private:
  pid_t child_ = -1;
  int progress_ = -1;
};

/// How many steps a session shows, all parts of it the same number.
int steps_in(const session_record& record) {
  REQUIRE(record.paused.has_value());
  const auto steps = std::stoi(record.paused->state);
  CHECK(record.paused->run_id == "r" + std::to_string(steps));
  CHECK(record.items.size() == static_cast<std::size_t>(steps));
  CHECK(record.used.total().requests == static_cast<std::uint64_t>(steps));
  return steps;
}

} // namespace

TEST_CASE("processes that open a new or an old database at once and write to one session lose nothing") {
  const auto folder = temporary_folder{};
  if (GENERATE(false, true))
    make_version_1(folder / "s.db");
  constexpr auto appends = 25;
  auto writers = std::array<pid_t, 4>{};
  for (auto i = 0u; i < writers.size(); ++i)
    writers[i] = start_writer(folder / "s.db", std::string(1, static_cast<char>('a' + i)), appends);
  for (const auto writer : writers) {
    auto status = 0;
    REQUIRE(waitpid(writer, &status, 0) == writer);
    CHECK(status == 0);
  }
  const auto record = open(folder / "s.db")->load("shared").value();
  REQUIRE(record.has_value());
  CHECK(record->items.size() == writers.size() * appends);
  auto own = item_list{};
  for (const auto& entry : record->items)
    if (std::get<user_message>(entry).text.starts_with("a"))
      own.push_back(entry);
  REQUIRE(own.size() == appends);
  CHECK(own.front() == said("a0"));
  CHECK(own.back() == said("a24"));
}

TEST_CASE("a session is loaded as it was at one moment, while another process writes to it") {
  const auto folder = temporary_folder{};
  auto writer = pausing_process{folder / "s.db"};
  writer.wait_for(1);
  const auto store = open(folder / "s.db");
  auto last = 0;
  for (auto i = 0; i < 30; ++i) {
    const auto steps = steps_in(load(*store, "s1"));
    CHECK(steps >= last);
    last = steps;
    writer.wait_for(1);
  }
  CHECK(last > 1);
  CHECK(writer.kill());
}

TEST_CASE("a paused run that was stored survives the death of its process, whole") {
  const auto folder = temporary_folder{};
  auto writer = pausing_process{folder / "s.db"};
  writer.wait_for(20);
  REQUIRE(writer.kill());
  const auto store = open(folder / "s.db");
  const auto record = load(*store, "s1");
  // It may have got further than it said, but not half a step.
  CHECK(steps_in(record) >= 20);
  CHECK(store->session_of(record.paused->run_id).value() == "s1");
  CHECK_FALSE(store->session_of("r1").value());
}
