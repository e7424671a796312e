#include "actors/metrics/measures.hpp"

#include "libagent/core/result.hpp"

namespace troupe {

namespace {

constexpr auto errors = static_cast<std::size_t>(errc::internal);

metrics::labels with(metrics::labels labels, const std::string& name, std::string value) {
  labels.insert_or_assign(name, std::move(value));
  return labels;
}

model_measures of_model(metrics& all, const std::string& name) {
  const metrics::labels labels{{"model", name}};
  const auto tokens = [&](const char* kind) {
    return all.count("troupe_model_tokens_total", "Tokens that models were paid for, by kind.",
                     with(labels, "kind", kind));
  };
  model_measures made;
  made.calls =
      endings(all, "troupe_model_calls_total", "Calls of models by runs, by how they ended.", labels);
  made.seconds = all.spread("troupe_model_call_duration_seconds",
                            "How long runs wait for a model, its queue and retries included.",
                            duration_buckets(), labels);
  made.input_tokens = tokens("input");
  made.cached_tokens = tokens("cached");
  made.output_tokens = tokens("output");
  made.reasoning_tokens = tokens("reasoning");
  return made;
}

tool_measures of_tools(metrics& all, const metrics::labels& labels) {
  const auto calls = [&](const char* ending) {
    return all.count("troupe_tool_calls_total", "Calls of tools by runs, by how they ended.",
                     with(labels, "ending", ending));
  };
  return {calls("ok"), calls("error"),
          all.spread("troupe_tool_call_duration_seconds", "How long runs wait for a tool.",
                     duration_buckets(), labels)};
}

} // namespace

endings::endings(metrics& all, const std::string& name, const std::string& help,
                 const metrics::labels& labels) {
  counters_[0] = all.count(name, help, with(labels, "ending", "ok"));
  for (std::size_t code = 1; code <= errors; ++code)
    counters_[code] =
        all.count(name, help, with(labels, "ending", std::string(to_string(static_cast<errc>(code)))));
}

void endings::count(std::optional<errc> code) const {
  counters_[code ? static_cast<std::size_t>(*code) % counters_.size() : 0].add();
}

void model_measures::used(const usage& tokens) const {
  input_tokens.add(static_cast<double>(tokens.input_tokens));
  cached_tokens.add(static_cast<double>(tokens.cached_tokens));
  output_tokens.add(static_cast<double>(tokens.output_tokens));
  reasoning_tokens.add(static_cast<double>(tokens.reasoning_tokens));
}

void tool_measures::ended(bool is_error, nanoseconds took) const {
  (is_error ? failed : succeeded).add();
  seconds.observe(in_seconds(took));
}

const model_measures* run_measures::model(std::string_view name) const {
  const auto found = models.find(name);
  return found == models.end() ? nullptr : &found->second;
}

std::shared_ptr<const run_measures> make_run_measures(metrics& all, const std::vector<std::string>& models,
                                                      const std::vector<std::string>& servers) {
  auto made = std::make_shared<run_measures>();
  for (const auto& name : models)
    made->models.emplace(name, of_model(all, name));
  for (const auto& name : servers)
    made->servers.emplace(name, of_tools(all, {{"source", "mcp_server"}, {"server", name}}));
  made->code = of_tools(all, {{"source", "code"}, {"server", ""}});
  made->agents = of_tools(all, {{"source", "agent"}, {"server", ""}});
  return made;
}

std::shared_ptr<const session_measures> make_session_measures(metrics& all) {
  auto made = std::make_shared<session_measures>();
  made->runs = endings(all, "troupe_runs_total", "Runs that are over or have paused, by how.", {});
  made->paused =
      all.count("troupe_runs_total", "Runs that are over or have paused, by how.", {{"ending", "paused"}});
  made->seconds =
      all.spread("troupe_run_duration_seconds",
                 "From a run's acceptance, or resumption, to its end or pause.", duration_buckets());
  made->refused_runs = count_refusals(all, "runs", "overloaded");
  made->refused_queue = count_refusals(all, "session_queue", "overloaded");
  made->refused_memory = count_refusals(all, "memory", "memory_short");
  made->refused_prompt = count_refusals(all, "prompt", "too_large");
  made->cut_histories =
      all.count("troupe_histories_cut_total", "Runs that began with less than their session's items.");
  made->queue = all.spread("troupe_session_queue_length", "Requests before one that comes to a session.",
                           {0, 1, 2, 4, 8, 16, 32, 64, 128, 256});
  return made;
}

store_measures make_store_measures(metrics& all) {
  return {all.spread("troupe_store_batch_size", "Additions written in one transaction.",
                     {1, 2, 4, 8, 16, 32, 64, 128, 256}),
          all.spread("troupe_store_write_duration_seconds", "How long one transaction takes, fsync included.",
                     duration_buckets()),
          all.count("troupe_store_failures_total", "Transactions that failed.")};
}

counter count_refusals(metrics& all, const std::string& bound, const std::string& reason) {
  return all.count("troupe_refusals_total", "What was refused, by the bound that it would have passed.",
                   {{"bound", bound}, {"reason", reason}, {"name", ""}});
}

void show_limit(metrics& all, const std::string& bound, double limit, const std::string& name) {
  all.level("troupe_bound_limit", "Where bounds are.", {{"bound", bound}, {"name", name}}).set(limit);
}

} // namespace troupe
