#include "actors/http/chat_body.hpp"
#include "actors/http/run_body.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/session/store.hpp"
#include "tests/fuzz/target.hpp"

namespace troupe::fuzz {

void http_bodies(std::string_view input) {
  constexpr auto depth = config::defaults::max_json_depth;
  const auto chat = http::decode_chat(input, depth);
  if (chat) {
    expect(!chat->prompt.empty(), "a prompt is never empty");
    expect(chat->session_id.empty() || is_session_id(chat->session_id), "a session's id is one");
    expect(!chat->within || chat->within->count() > 0, "a deadline is to come");
    expect(!(chat->background && chat->ends_with_client), "nobody waits for a run in the background");
  } else {
    expect(!chat.error().detail.empty(), "what is wrong is said");
    expect(is_utf8(chat.error().detail), "what is wrong is said in UTF-8");
  }
  if (const auto resumed = http::decode_resume(input, depth); !resumed)
    expect(is_utf8(resumed.error().detail), "what is wrong is said in UTF-8");
  if (const auto cancelled = http::decode_cancel(input, depth); !cancelled)
    expect(is_utf8(cancelled.error().detail), "what is wrong is said in UTF-8");
}

} // namespace troupe::fuzz
