#include "apps/hostwatch/cpu.hpp"
#include "apps/hostwatch/memory.hpp"
#include "apps/hostwatch/processes.hpp"
#include "apps/hostwatch/units.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::hostwatch;

TEST_CASE("sizes are shown in binary units with one decimal") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1024) == "1.0 KiB");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes((1u << 20) - 1) == "1.0 MiB");
  CHECK(human_bytes(16750372454) == "15.6 GiB");
  CHECK(human_bytes(UINT64_MAX) == "16.0 EiB");
}

TEST_CASE("CPU times are split into busy and idle") {
  const auto times = parse_cpu_times("cpu  100 10 50 800 40 5 5 10 7 7\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
  REQUIRE(times);
  CHECK(times->total == 1020);
  CHECK(times->busy == 180);
  CHECK_FALSE(parse_cpu_times(""));
  CHECK_FALSE(parse_cpu_times("cpu 1 2 3\n"));
  CHECK_FALSE(parse_cpu_times("intr 1 2 3 4 5 6 7 8 9 10\n"));
}

TEST_CASE("the busy share lies between 0 and 100 percent whatever the kernel counts") {
  CHECK(busy_percent({100, 1000}, {150, 1200}) == 25.0);
  CHECK(busy_percent({100, 1000}, {100, 1000}) == 0);
  CHECK(busy_percent({100, 1000}, {90, 1100}) == 0);
  CHECK(busy_percent({100, 1000}, {400, 1100}) == 100);
}

TEST_CASE("memory is told as texts and in bytes") {
  const auto figures =
      memory("MemTotal:       16384000 kB\nMemFree:         2048000 kB\n"
             "MemAvailable:   12288000 kB\nSwapTotal:       1024 kB\nSwapFree:        1000 kB\n");
  REQUIRE(figures.has_value());
  CHECK(figures->at("total") == "15.6 GiB");
  CHECK(figures->at("total_bytes") == 16384000ull * 1024);
  CHECK(figures->at("available") == "11.7 GiB");
  CHECK(figures->at("free_bytes") == 2048000ull * 1024);
  CHECK(figures->at("used_bytes") == 4096000ull * 1024);
  CHECK(figures->at("used_percent") == 25);
  CHECK(figures->at("swap_used") == "24.0 KiB");
}

TEST_CASE("memory without an estimate of what is available takes what is free, without any total nothing") {
  const auto figures = memory("MemTotal: 100 kB\nMemFree: 40 kB\n");
  REQUIRE(figures.has_value());
  CHECK(figures->at("available_bytes") == 40 * 1024);
  CHECK(figures->at("swap_total_bytes") == 0);
  CHECK_FALSE(memory("").has_value());
  CHECK_FALSE(memory("MemTotal:\nMemFree: x\n").has_value());
}

TEST_CASE("an entry of meminfo is found by its whole name") {
  CHECK(meminfo_bytes("MemFreeCma: 1 kB\nMemFree: 2 kB", "MemFree") == 2048);
  CHECK_FALSE(meminfo_bytes("MemFreeCma: 1 kB\n", "MemFree"));
}

TEST_CASE("a process may be called anything") {
  const auto process = parse_process("42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 30 12 0 0 20 0 1 0 555 "
                                     "1000000 64 18446744073709551615 1 1 0\n",
                                     4096);
  REQUIRE(process);
  CHECK(process->pid == 42);
  CHECK(process->name == "a) b (c");
  CHECK(process->cpu_ticks == 42);
  CHECK(process->start_ticks == 555);
  CHECK(process->memory_bytes == 64 * 4096);
  CHECK_FALSE(parse_process("", 4096));
  CHECK_FALSE(parse_process("42 (short) S 1 2 3", 4096));
  CHECK_FALSE(parse_process(")(", 4096));
}
