#include "libagent/config/config.hpp"
#include "tests/fuzz/target.hpp"

namespace troupe::fuzz {

void config_file(std::string_view input) {
  const auto env = [](const std::string& name) {
    return name == "KEY" ? std::optional<std::string>("s3cret: [\"") : std::nullopt;
  };
  const auto loaded = config::parse(std::string(input), "/etc/troupe/agents.yaml", env);
  expect(loaded.value.has_value() == loaded.errors.empty(), "a file is used, or it is said what is wrong");
  for (const auto* all : {&loaded.errors, &loaded.warnings})
    for (const auto& each : *all) {
      expect(!each.message.empty(), "what is wrong is said");
      expect(is_utf8(each.message), "what is wrong is said in UTF-8");
    }
  if (loaded.value)
    expect(config::check(*loaded.value).empty(), "what is read is whole");
}

} // namespace troupe::fuzz
