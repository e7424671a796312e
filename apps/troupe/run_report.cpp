#include "apps/troupe/run_report.hpp"

#include "apps/troupe/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::cli {

namespace {

/// What answers and records have in common.
template <class Run>
json shared_parts(const Run& run) {
  auto value = json{
      {"run_id", run.run_id}, {"session_id", run.session_id},        {"status", to_string(run.status)},
      {"agent", run.agent},   {"items", troupe::to_json(run.items)}, {"usage", troupe::to_json(run.used)}};
  if (run.status == run_status::completed)
    value["result"] = run.structured ? *run.structured : json(run.result);
  if (run.status == run_status::paused)
    value["interruptions"] = troupe::to_json(run.interruptions);
  if (run.cost)
    value["usage"]["cost"] = *run.cost;
  return value;
}

std::string in_words(const usage& used) {
  return fmt::format("{} request{}, {} input tokens ({} cached), {} output tokens ({} reasoning), {} in all",
                     used.requests, used.requests == 1 ? "" : "s", used.input_tokens, used.cached_tokens,
                     used.output_tokens, used.reasoning_tokens, used.total_tokens());
}

} // namespace

json to_json(const chat_reply& reply) {
  return shared_parts(reply);
}

json to_json(const run_record& run) {
  auto value = shared_parts(run);
  if (run.agent.empty())
    value["agent"] = nullptr;
  if (run.failure)
    value["error"] = to_json(*run.failure);
  return value;
}

json to_json(const error& reason) {
  auto value = reason.facts && reason.facts->is_object() ? *reason.facts : json::object();
  value["code"] = to_string(reason.code);
  value["message"] = reason.detail;
  return value;
}

std::string text_of(const chat_reply& reply) {
  return reply.structured ? dump_json(*reply.structured) : reply.result;
}

std::string interruption_lines(const std::string& run_id, const std::vector<interruption>& open) {
  auto lines = std::string{};
  for (const auto& each : open) {
    auto value = troupe::to_json(each);
    value["run_id"] = run_id;
    lines += value.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
  }
  return lines;
}

std::string resume_command(const std::string& config, const std::string& run_id) {
  const auto file = config.empty() ? std::string{} : "-c " + in_shell(config) + " ";
  return "troupe run " + file + "--resume " + run_id;
}

std::string run_in_the_way(const error& reason) {
  const auto* id =
      reason.code == errc::conflict && reason.facts ? find_string(*reason.facts, "run_id") : nullptr;
  return id ? *id : std::string{};
}

std::string no_answer_line(const std::string& config, const std::string& run_id, const error& reason,
                           const run_record* now) {
  if (now && now->status == run_status::running)
    return fmt::format(
        "troupe: the run {} is not over yet, and not waited for any longer; it goes on for as long as "
        "this program does, and then with: {}\n",
        run_id, resume_command(config, run_id));
  return fmt::format("troupe: the run {} has ended: {}: {}\n", run_id, to_string(reason.code),
                     printable(reason.detail));
}

std::string how_to_go_on(const std::string& config, const std::string& run_id,
                         const std::vector<interruption>& open) {
  const auto count = [&open](auto fits) { return std::count_if(open.begin(), open.end(), fits); };
  const auto doubts = count([](const auto& each) { return each.what == interruption::kind::in_doubt; });
  auto command = resume_command(config, run_id);
  if (doubts < static_cast<std::ptrdiff_t>(open.size()))
    command += " --approve all";
  if (doubts > 0)
    command += " and, for each call in doubt, --repeat ID, --result ID=TEXT or --fail ID";
  return command;
}

std::string usage_lines(const usage_report& used, std::optional<double> cost) {
  auto lines =
      fmt::format("usage: {}{}\n", in_words(used.total()), cost ? fmt::format(", cost {:.6g}", *cost) : "");
  auto models = std::map<std::string, usage>{};
  for (const auto& share : used.shares())
    models[share.model] += share.used;
  if (models.size() > 1)
    for (const auto& [name, sum] : models)
      lines += fmt::format("usage: {}: {}\n", one_line(name, 64), in_words(sum));
  return lines;
}

} // namespace troupe::cli
