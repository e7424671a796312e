#include "apps/troupe/agent_file.hpp"

#include "apps/troupe/hidden_secrets.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/text.hpp"
#include "libagent/config/secrets.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace troupe::cli {

namespace {

constexpr auto default_file = "troupe.yaml";

constexpr auto no_file_text =
    R"(troupe: there is no ./troupe.yaml; name an agent file with -c FILE, or write one:

    models:
      default:
        provider: openai
        base_url: "https://api.openai.com/v1"
        api_key: "${OPENAI_API_KEY}"
        model: gpt-4.1-mini
    agents:
      - name: assistant
        instructions: You are a helpful assistant.
)";

bool is_missing(const std::string& name) {
  auto code = std::error_code{};
  return std::filesystem::status(name, code).type() == std::filesystem::file_type::not_found;
}

} // namespace

std::variant<config::configuration, no_configuration> load_agent_file(const std::string& name,
                                                                      findings* found) {
  if (name.empty() && is_missing(default_file)) {
    std::fputs(no_file_text, stderr);
    return no_configuration::no_file;
  }
  auto loaded = config::load(agent_file_name(name));
  for (const auto& warning : loaded.warnings)
    spdlog::warn(to_string(warning));
  for (const auto& wrong : loaded.errors)
    complain("{}\n", escape_controls(to_string(wrong)));
  if (found)
    *found = {loaded.errors, loaded.warnings};
  if (!loaded.errors.empty() || !loaded.value)
    return no_configuration::bad_file;
  hide_secrets(std::make_shared<const redactor>(config::collect_secrets(*loaded.value)));
  return std::move(*loaded.value);
}

std::string agent_file_name(const std::string& name) {
  return name.empty() ? default_file : name;
}

bool has_agent(const config::configuration& file, const std::string& name) {
  auto known = std::string{};
  for (const auto& agent : file.agents) {
    if (agent.name == name)
      return true;
    known += (known.empty() ? "" : ", ") + agent.name;
  }
  complain("troupe: there is no agent \"{}\"; the file has: {}\n", escape_controls(name),
           escape_controls(known));
  return false;
}

} // namespace troupe::cli
