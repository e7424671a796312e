#include "libagent/model/chat_completions.hpp"
#include "libagent/model/chat_completions_answer.hpp"

namespace troupe::chat_completions {

namespace {

result<const json*> find_choice(const json& answer) {
  if (!answer.is_object())
    return bad_answer("is not a JSON object");
  if (const auto* reason = find_value(answer, "error"))
    return reported_error(*reason);
  const auto* choices = find_value(answer, "choices");
  if (!choices || !choices->is_array())
    return bad_answer("has no list of choices");
  if (choices->empty() || !choices->front().is_object())
    return bad_answer("has no choice to read");
  const auto& choice = choices->front();
  if (const auto* reason = find_value(choice, "error"))
    return reported_error(*reason);
  return &choice;
}

} // namespace

result<model_response> decode(std::string_view body) {
  const auto answer = parse_json(body);
  if (!answer)
    return bad_answer("cannot be read: " + answer.error().detail);
  const auto choice = find_choice(*answer);
  if (!choice)
    return choice.error();
  const auto* message = find_value(**choice, "message");
  if (!message)
    return bad_answer("has a choice without a message");
  auto builder = answer_builder{};
  if (auto added = builder.add_message(*message); !added)
    return added.error();
  builder.add_usage(*answer);
  builder.add_finish_reason(**choice);
  return std::move(builder).finish();
}

} // namespace troupe::chat_completions
