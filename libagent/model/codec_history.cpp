#include "libagent/model/codec_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace troupe {

std::vector<const tool_output*> match_outputs(const history_view& history) {
  struct open_call {
    std::size_t turn;
    std::size_t index;
  };
  auto answers = std::vector<const tool_output*>(history.size(), nullptr);
  auto open = std::unordered_map<std::string_view, std::vector<open_call>>{};
  auto turn = std::size_t{0};
  for (auto i = std::size_t{0}; i < history.size(); ++i) {
    if (const auto* made = std::get_if<tool_call>(&history[i])) {
      auto& waiting = open[made->call_id];
      std::erase_if(waiting, [&](const open_call& earlier) { return earlier.turn != turn; });
      waiting.push_back({turn, i});
    } else if (const auto* got = std::get_if<tool_output>(&history[i])) {
      ++turn;
      const auto waiting = open.find(got->call_id);
      if (waiting == open.end() || waiting->second.empty())
        continue;
      answers[waiting->second.front().index] = got;
      waiting->second.erase(waiting->second.begin());
    } else if (std::holds_alternative<user_message>(history[i])) {
      ++turn;
    }
  }
  return answers;
}

bool is_from_model(const item& value) noexcept {
  return std::holds_alternative<assistant_message>(value) || std::holds_alternative<tool_call>(value) ||
         std::holds_alternative<reasoning>(value);
}

const std::string* sole_text(const tool_output& output) noexcept {
  const auto* text = output.parts.size() == 1 ? std::get_if<text_content>(&output.parts.front()) : nullptr;
  return text ? &text->text : nullptr;
}

std::string data_url(const image_content& image) {
  return fmt::format("data:{};base64,{}", image.media_type, image.data);
}

bool is_offered(const shared_tools& tools, std::string_view name) noexcept {
  return tools &&
         std::any_of(tools->begin(), tools->end(), [&](const tool_spec& spec) { return spec.name == name; });
}

} // namespace troupe
