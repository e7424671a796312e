#include "libagent/run/takeovers.hpp"

#include "libagent/run/journal.hpp"

#include <catch2/catch.hpp>

#include <string_view>

using namespace troupe;

TEST_CASE("servers that ended in order before a run did are not counted among those that crashed") {
  struct example {
    /// s: a step, t: a takeover, h: a handover.
    std::string_view records;
    unsigned crashes;
  };
  const auto& [records, crashes] = GENERATE(values<example>({{"", 1},
                                                             {"s", 1},
                                                             {"sh", 0},
                                                             {"st", 2},
                                                             {"tt", 3},
                                                             {"sht", 1},
                                                             {"shth", 0},
                                                             {"shthth", 0},
                                                             {"shthtsht", 1},
                                                             {"sthtt", 3},
                                                             {"sthh", 1},
                                                             {"htttt", 4}}));
  CAPTURE(records);
  std::vector<json> all;
  for (const auto each : records)
    all.push_back(each == 't'   ? run::takeover_record()
                  : each == 'h' ? run::handover_record()
                                : json{{"set", json::object()}});
  CHECK(run::crashes(all) == crashes);
}
