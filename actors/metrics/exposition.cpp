#include "actors/metrics/exposition.hpp"

#include "libagent/core/version.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

namespace troupe {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::size_t or_zero(const std::optional<std::size_t>& value) {
  return value.value_or(0);
}

MetricFamily make_family(const char* name, const char* help, MetricType type) {
  MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

void add(MetricFamily& to, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (to.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

std::vector<MetricFamily> of_process(const process_usage& used) {
  std::vector<MetricFamily> all;
  const auto put = [&](const char* name, const char* help, MetricType type, double value) {
    add(all.emplace_back(make_family(name, help, type)), value);
  };
  put("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
      static_cast<double>(used.resident_bytes));
  put("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge,
      static_cast<double>(used.virtual_bytes));
  put("process_cpu_seconds_total", "Time on a CPU, in the kernel and outside.", MetricType::Counter,
      used.cpu_seconds);
  put("process_start_time_seconds", "When the process began, since the epoch.", MetricType::Gauge,
      used.began);
  put("process_threads", "Threads.", MetricType::Gauge, static_cast<double>(used.threads));
  put("process_open_fds", "File descriptors that are open.", MetricType::Gauge,
      static_cast<double>(used.open_files));
  put("process_max_fds", "File descriptors that may be open.", MetricType::Gauge,
      static_cast<double>(used.max_files));
  return all;
}

/// What is told of each part.
struct part_families {
  MetricFamily running = make_family(
      "troupe_part_running", "1 for a part that does its work, 0 for one that does not.", MetricType::Gauge);
  MetricFamily restarts =
      make_family("troupe_part_restarts_total", "How often a part was started again.", MetricType::Counter);
  MetricFamily mailbox =
      make_family("troupe_part_mailbox", "Messages that wait for a part.", MetricType::Gauge);
  MetricFamily in_flight =
      make_family("troupe_part_in_flight", "What a part has under way.", MetricType::Gauge);
  MetricFamily waiting =
      make_family("troupe_part_waiting", "What waits for its turn at a part.", MetricType::Gauge);
  MetricFamily breaker =
      make_family("troupe_breaker_state", "0: closed, 1: half-open, 2: open.", MetricType::Gauge);
  MetricFamily retries =
      make_family("troupe_model_retries_total", "Further tries of calls of a model.", MetricType::Counter);
  MetricFamily refusals =
      make_family("troupe_refusals_total", "What was refused, by the bound that it would have passed.",
                  MetricType::Counter);
  MetricFamily used = make_family("troupe_bound_used", "How much of a bound is taken.", MetricType::Gauge);
};

double level_of(breaker_state state) {
  return state == breaker_state::closed ? 0 : state == breaker_state::half_open ? 1 : 2;
}

void add_bounds(MetricFamily& used, const system_node& node) {
  const auto put = [&](const char* bound, std::size_t value, const std::string& name) {
    add(used, static_cast<double>(value), {{"bound", bound}, {"name", name}});
  };
  if (node.kind == "model" && node.waiting)
    put("model_queue", *node.waiting, node.name);
  else if (node.kind == "mcp_server")
    put("mcp_queue", or_zero(node.waiting), node.name);
  else if (node.kind == "sessions")
    put("runs", or_zero(node.in_flight), {});
  if (node.kind == "mcp_server")
    put("mcp_calls", or_zero(node.in_flight), node.name);
}

void add_refusals(MetricFamily& refusals, const system_node& node) {
  const auto put = [&](const char* bound, std::uint64_t value, const char* reason) {
    add(refusals, static_cast<double>(value), {{"bound", bound}, {"reason", reason}, {"name", node.name}});
  };
  if (node.kind == "mcp_server")
    put("mcp_queue", node.refused_full, "overloaded");
  if (node.kind != "model" || !node.breaker)
    return;
  put("model_queue", node.refused_full, "overloaded");
  put("breaker", node.refused_open, "model_unavailable");
}

void add_node(part_families& all, const system_node& node) {
  for (const auto& child : node.children)
    add_node(all, child);
  if (node.kind == "group" || node.kind == "root")
    return;
  const std::vector<ClientMetric::Label> labels{{"kind", node.kind}, {"name", node.name}};
  add(all.running, node.state == "running" || node.state == "ready" ? 1 : 0, labels);
  add(all.restarts, static_cast<double>(node.restarts), labels);
  if (node.mailbox)
    add(all.mailbox, static_cast<double>(*node.mailbox), labels);
  if (node.in_flight)
    add(all.in_flight, static_cast<double>(*node.in_flight), labels);
  if (node.waiting)
    add(all.waiting, static_cast<double>(*node.waiting), labels);
  if (node.breaker)
    add(all.breaker, level_of(node.breaker->state), labels);
  if (node.kind == "model" && node.breaker)
    add(all.retries, static_cast<double>(node.retries), {{"model", node.name}});
  add_bounds(all.used, node);
  add_refusals(all.refusals, node);
}

/// Those that are counted may be told of the same family elsewhere: a text has each but once.
void merge(std::vector<MetricFamily>& all, MetricFamily&& more) {
  if (more.metric.empty())
    return;
  const auto known =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == more.name; });
  if (known == all.end())
    all.push_back(std::move(more));
  else
    known->metric.insert(known->metric.end(), more.metric.begin(), more.metric.end());
}

/// Most ways to end are never taken.
void drop_unused_endings(MetricFamily& family) {
  if (family.type != MetricType::Counter)
    return;
  std::erase_if(family.metric, [](const ClientMetric& metric) {
    return metric.counter.value == 0 &&
           std::any_of(metric.label.begin(), metric.label.end(), [](const ClientMetric::Label& label) {
             return label.name == "ending" && label.value != "ok";
           });
  });
}

} // namespace

std::string exposition(const metrics& counted, const system_status* system, const process_usage& process) {
  auto all = counted.registry().Collect();
  for (auto& family : all)
    drop_unused_endings(family);
  part_families parts;
  add(parts.used, static_cast<double>(process.resident_bytes), {{"bound", "memory"}, {"name", ""}});
  if (system != nullptr)
    add_node(parts, system->root);
  for (auto* each : {&parts.running, &parts.restarts, &parts.mailbox, &parts.in_flight, &parts.waiting,
                     &parts.breaker, &parts.retries, &parts.refusals, &parts.used})
    merge(all, std::move(*each));
  for (auto& each : of_process(process))
    merge(all, std::move(each));
  auto build = make_family("troupe_build_info", "1, with the version as a label.", MetricType::Gauge);
  add(build, 1, {{"version", std::string(version)}});
  merge(all, std::move(build));
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, all);
  return std::move(text).str();
}

} // namespace troupe
