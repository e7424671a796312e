#include "libagent/core/json.hpp"
#include "libagent/mcp/client_session.hpp"
#include "libagent/mcp/server_session.hpp"
#include "tests/fuzz/target.hpp"

#include <set>

namespace troupe::fuzz {

namespace {

void check_line(const std::string& line) {
  expect(line.find('\n') == std::string::npos, "a message is one line");
  expect(parse_json(line, 1024).has_value(), "a message is JSON");
}

/// A client whose server writes the input; it has a call made before each line once that can be.
class client {
public:
  void play(std::string_view input) {
    take(session_.start());
    for (const auto line : lines_of(input)) {
      act();
      take(session_.on_line(line));
    }
    take(session_.on_closed("the input is over"));
    expect(session_.calls_in_flight() == 0 && (open_.empty() || is_broken_), "each call comes to an end");
  }

private:
  void act() {
    if (!session_.is_ready() || is_broken_)
      return;
    open_.insert(++last_key_);
    take(session_.call_tool(last_key_, "echo", json::object({{"n", last_key_}})));
    if (last_key_ % 5 == 0 && open_.erase(last_key_ - 2) == 1)
      take(session_.cancel(last_key_ - 2, "not needed"));
    if (last_key_ % 7 == 0)
      take(session_.ping(1'000 + last_key_));
    if (last_key_ % 11 == 0)
      take(session_.give_up_listing(last_key_ / 11, "too slow"));
  }

  void take(const mcp::effects& todo) {
    for (const auto& each : todo) {
      expect(!is_broken_, "nothing comes of a broken session");
      if (const auto* sent = std::get_if<mcp::send_line>(&each))
        check_line(sent->line);
      else if (const auto* done = std::get_if<mcp::call_finished>(&each))
        expect(open_.erase(done->key) == 1, "a call ends once");
      else if (const auto* progress = std::get_if<mcp::call_progress>(&each))
        expect(open_.contains(progress->key), "only what is under way makes progress");
      is_broken_ |= std::holds_alternative<mcp::broken>(each);
    }
  }

  mcp::client_session session_{{}};
  mcp::call_key last_key_ = 0;
  std::set<mcp::call_key> open_;
  bool is_broken_ = false;
};

mcp::served_tool echo() {
  mcp::served_tool made;
  made.spec.name = "echo";
  made.spec.input =
      json_schema::compile(
          {{"type", "object"}, {"properties", {{"text", {{"type", "string"}}}}}, {"required", {"text"}}})
          .value();
  made.run = [](const json& arguments) { return tool_result::text(arguments.at("text").get<std::string>()); };
  return made;
}

} // namespace

void json_rpc(std::string_view input) {
  client().play(input);
  // Compiling a schema takes longer than all else.
  static const std::vector<mcp::served_tool> tools{echo()};
  mcp::server_session server({"s", "1", ""}, tools);
  for (const auto line : lines_of(input))
    for (const auto& answer : server.on_line(line))
      check_line(answer);
}

} // namespace troupe::fuzz
