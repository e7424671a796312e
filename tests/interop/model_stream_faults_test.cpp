#include "tests/interop/support/aimock.hpp"
#include "tests/interop/support/household.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// How a stream breaks, and what comes of it.
struct fault {
  const char* name;
  errc code;
  const char* words;
};

const std::vector<fault> faults = {
    {"end", errc::model_stream_cut, "ended"},
    {"cut", errc::model_stream_cut, "the stream broke"},
    {"error", errc::model_failed, "it broke in mid-stream"},
    {"garbage", errc::model_failed, "JSON"},
    {"silent", errc::model_timeout, "the stream broke"},
};

const std::vector<wire_format> formats = {wire_format::chat_completions, wire_format::responses,
                                          wire_format::anthropic};

/// An agent for each fault and format, whose model has one retry. Its streams break "now/TEXT", once they
/// have sent that, or "told/TEXT", by `strike` after that.
class breaking_house {
public:
  explicit breaking_house(std::string when)
      : when_(std::move(when)), endpoint_(aimock::with_broken_streams({"formats"})), home_(options()) {}

  static std::string name_of(const fault& what, wire_format format) {
    return fmt::format("{}-{}", what.name, to_string(format));
  }

  std::future<watched_reply> ask(const std::string& name, bool streamed,
                                 std::function<void(const run_event&)> each = {}) {
    chat_request request;
    request.prompt = "tell a story";
    request.agent = name;
    request.session_id = fmt::format("{}-{}", name, streamed);
    request.streamed = streamed;
    return home_.watch(std::move(request), std::move(each));
  }
  void strike(const std::string& name) const { endpoint_.break_stream(name); }
  std::size_t requests(const std::string& name) const { return endpoint_.statuses(name).size(); }

private:
  runtime_options options() const {
    runtime_options options;
    for (const auto& what : faults)
      for (const auto format : formats) {
        agent_definition agent;
        agent.name = agent.model = name_of(what, format);
        auto model = endpoint_.model({format, fmt::format("/{}/{}", what.name, when_), agent.name});
        model.name = agent.name;
        auto& endpoint = std::get<config::endpoint_options>(model.provider);
        endpoint.retry.max_retries = 1;
        // Long enough for a busy machine where the endpoint is not silent.
        if (what.name == std::string("silent"))
          endpoint.timeout = 3s;
        options.config.agents.push_back(agent);
        options.config.models.push_back(model);
      }
    return options;
  }

  std::string when_;
  aimock endpoint_;
  household home_;
};

std::string text_of(const std::vector<run_event>& events) {
  std::string text;
  for (const auto& event : events)
    if (const auto* piece = std::get_if<text_streamed>(&event))
      text += piece->text;
  return text;
}

/// An agent that was asked.
struct asked {
  fault what;
  std::string name;
  std::future<watched_reply> answer;
  /// Kept when text was streamed.
  std::shared_ptr<std::promise<void>> shown = std::make_shared<std::promise<void>>();
};

/// Asks all agents at once.
std::vector<asked> ask_all(breaking_house& home) {
  std::vector<asked> all;
  for (const auto& what : faults)
    for (const auto format : formats) {
      asked one{what, breaking_house::name_of(what, format), {}};
      one.answer =
          home.ask(one.name, true, [shown = one.shown, seen = false](const run_event& event) mutable {
            if (!seen && std::holds_alternative<text_streamed>(event))
              shown->set_value();
            seen = seen || std::holds_alternative<text_streamed>(event);
          });
      all.push_back(std::move(one));
    }
  return all;
}

} // namespace

TEST_CASE("a stream that breaks before anything was passed on is tried again, and then fails the run") {
  // In the first event of each format.
  breaking_house home("now/test-model");
  for (auto& [what, name, outcome, shown] : ask_all(home)) {
    INFO(name);
    const auto answer = await(std::move(outcome));
    REQUIRE(answer.outcome.has_error());
    CHECK(answer.outcome.error().code == what.code);
    CHECK_THAT(answer.outcome.error().detail, Catch::Contains(what.words));
    CHECK_FALSE(answer.outcome.error().facts);
    CHECK(text_of(answer.events).empty());
    CHECK(home.requests(name) == 2);
  }
}

TEST_CASE("a stream that breaks once text was passed on fails the run without another try, and says so") {
  breaking_house home("told/Once");
  auto all = ask_all(home);
  for (const auto& each : all) {
    await(each.shown->get_future());
    home.strike(each.name);
  }
  for (auto& [what, name, outcome, shown] : all) {
    INFO(name);
    const auto answer = await(std::move(outcome));
    REQUIRE(answer.outcome.has_error());
    const auto& failed = answer.outcome.error();
    CHECK(failed.code == what.code);
    CHECK_THAT(failed.detail, Catch::Contains(what.words));
    REQUIRE(failed.facts);
    CHECK(*failed.facts == json{{"partly_shown", true}});
    CHECK(text_of(answer.events) == "Once upon a ");
    CHECK(home.requests(name) == 1);
  }
}

TEST_CASE("an endpoint whose streams break still answers those who do not stream") {
  breaking_house home("now/Once");
  for (const auto format : formats) {
    const auto name = breaking_house::name_of(faults.front(), format);
    INFO(name);
    CHECK_THAT(await(home.ask(name, false)).outcome.value().result, Catch::StartsWith("Once upon a time"));
  }
}
