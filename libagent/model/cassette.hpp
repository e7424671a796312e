#pragma once

#include "libagent/core/redactor.hpp"
#include "libagent/model/model.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Recorded exchanges with models, of any provider: JSON Lines, one exchange each,
/// `{"troupe_cassette":1,"model":NAME,"request":{...},"response":{...}}`, or for a call that failed
/// `"error":{"code", "detail"}` in place of the response. `request` is as `to_json` makes it; `response` has
/// `output` (items), `usage` and `finish_reason`.
namespace troupe {

/// `{"agent","instructions","items","tools":[{"name","description","input_schema"}],"settings","output":{"name",
/// "schema","strict"}}`, `items` being past and fresh ones as one list. Settings that are absent are left
/// out, and so is `output` if any text will do.
json to_json(const model_request& request);

/// One line of a cassette, without the line break and without secrets.
std::string cassette_line(std::string_view model, const model_request& request,
                          const result<model_response>& response, const redactor& hides);

/// Answers requests from a recording. Not thread-safe.
class cassette {
public:
  /// Reads a recording; empty lines are passed over. `hides` knows the secrets of now, and is never null: a
  /// request is compared as it would have been recorded. Errors name the line: `malformed` for what is not
  /// JSON, `invalid_argument` for an exchange of another version or one with a member missing or wrong.
  static result<cassette> parse(std::string_view text, redactor_ptr hides = nothing_to_hide());

  /// What was recorded for an equal request, a recorded error included. A request that was recorded several
  /// times is answered in the order of the recording, and then with the last answer again and again. Error
  /// `not_recorded` for a request that was not recorded tells where it differs from the most similar one.
  result<model_response> answer(const model_request& asked);

  /// How many exchanges were recorded.
  std::size_t size() const noexcept { return exchanges_.size(); }

private:
  struct exchange {
    json request;
    result<model_response> response;
  };
  /// The exchanges of one request.
  struct series {
    std::vector<std::size_t> exchanges;
    std::size_t next = 0;
  };

  error not_recorded(const json& asked) const;

  redactor_ptr hides_;
  std::vector<exchange> exchanges_;
  /// By the request's JSON text, redacted.
  std::unordered_map<std::string, series> by_request_;
};

} // namespace troupe
