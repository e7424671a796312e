#include "libagent/config/blocks.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/headers.hpp"
#include "libagent/config/http_url.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

constexpr milliseconds some_time{1};

void read_url(map_reader& hook, hook_options& into, std::size_t number) {
  const auto from = hook.need("url", "url: http://127.0.0.1:9000/hook");
  if (!from || !hook.set("url", into.url, read_name))
    return;
  const auto problem = problem_of_url(into.url, {"http://127.0.0.1:9000/hook", {}, true});
  if (!problem.empty())
    from->fail(problem);
  // What a variable gives, and parameters, may be keys.
  into.name =
      from->value.substituted ? fmt::format("hook {}", number) : into.url.substr(0, into.url.find('?'));
}

std::optional<std::vector<std::string>> read_points(const field& from) {
  const auto list = read_list(from, "[before_tool, after_run]");
  if (!list)
    return std::nullopt;
  if (list->empty())
    from.fail("is an empty list; leave it off for all points");
  std::vector<std::string> points;
  for (const auto& each : *list)
    if (const auto word = read_word(each, hook_points()))
      points.push_back(hook_points()[*word]);
  return points;
}

hook_options read_hook(const field& from, std::size_t number, const std::string& path) {
  auto read = hook_options{};
  auto hook = map_reader{from, from.what};
  if (!hook.is_map())
    return read;
  read_url(hook, read, number);
  hook.set("name", read.name, read_name);
  read.points = hook_points();
  hook.set("on", read.points, read_points);
  hook.set("agents", read.agents, read_names, path + "/agents");
  hook.set("headers", read.headers, read_headers);
  hook.set("timeout", read.timeout, read_duration, some_time);
  std::size_t on_failure = 1;
  hook.set("on_failure", on_failure, read_word, std::vector<std::string>{"open", "closed"});
  read.fails_open = on_failure == 0;
  hook.finish();
  return read;
}

} // namespace

const std::vector<std::string>& hook_points() {
  static const std::vector<std::string> points = {"before_run",     "after_run",    "before_model",
                                                  "after_model",    "before_tool",  "after_tool",
                                                  "before_handoff", "after_handoff"};
  return points;
}

void read_hooks(const field& from, std::vector<hook_options>& into) {
  const auto list = read_list(from, "[{url: 'http://127.0.0.1:9000/hook'}]");
  if (!list)
    return;
  for (const auto& one : *list) {
    const auto number = into.size() + 1;
    const auto path = fmt::format("hooks/{}", into.size());
    one.mark(path);
    into.push_back(read_hook({one.ctx, one.value, fmt::format("hook {}", number), one.key_at}, number, path));
  }
}

} // namespace troupe::config
