#pragma once

#include "libagent/core/item.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

/// What the decoders of answers have in common.
namespace troupe {

/// Error `model_failed`: "the model's answer <why>".
error bad_answer(std::string_view why);

/// The error for an answer, a choice or an event that says `reason` went wrong, with its message.
error reported_error(const json& reason);

/// Error `model_stream_cut`.
error stream_cut();

/// `object[key]` if the object is one and the value is there and not null, else null.
const json* find_value(const json& object, std::string_view key);

/// `object[key]` if it is a text that is not empty, else null.
const std::string* find_text(const json& object, std::string_view key);

/// `object[key]` if it is a count, else 0. The object may be null.
std::uint64_t read_count(const json* object, std::string_view key);

/// The text of a `content`: a text itself, or the texts and refusals of a list of parts joined.
result<std::string> read_content(const json& given);

/// What a call's `arguments` add to its text: a text itself, other values as JSON, nothing for null.
std::string read_arguments(const json* given);

/// Arguments as a call has them in the end. Some endpoints write nothing at all where a tool takes none.
std::string whole_arguments(std::string text);

/// Why an answer without text and calls is no answer, by the endpoint's word for its end; nothing if the
/// model just chose to be silent.
std::optional<error> explain_silence(std::string_view finish_reason);

} // namespace troupe
