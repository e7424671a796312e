#include "actors/http/chat_body.hpp"

#include "libagent/core/json.hpp"
#include "libagent/session/store.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <fmt/format.h>

#include <locale>
#include <string>

namespace troupe::http {

namespace {

constexpr std::string_view white_space = " \t\r\n\v\f";

/// Collects what is wrong with a body's fields, so that the client learns all of it at once.
class field_reader {
public:
  explicit field_reader(const json& body) : body_(body) {}

  std::string required(std::string_view name) {
    const auto* value = find(body_, name);
    if (value == nullptr) {
      wrong("'{}' is missing", name);
      return {};
    }
    return text(name, *value);
  }

  std::string optional(std::string_view name) {
    const auto* value = find(body_, name);
    return value == nullptr || value->is_null() ? std::string() : text(name, *value);
  }

  void check_session_id(const std::string& id) {
    if (!id.empty() && !is_session_id(id))
      wrong("'{}' must be 1 to 128 visible ASCII characters", "session_id");
  }

  const std::string& problems() const noexcept { return problems_; }

private:
  std::string text(std::string_view name, const json& value) {
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr)
      wrong("'{}' must be a string, not {}", name, value.type_name());
    else if (text->find_first_not_of(white_space) == std::string::npos)
      wrong("'{}' is empty", name);
    else
      return *text;
    return {};
  }

  template <class... Args>
  void wrong(fmt::format_string<Args...> format, Args&&... args) {
    if (!problems_.empty())
      problems_ += "; ";
    problems_ += fmt::format(format, std::forward<Args>(args)...);
  }

  const json& body_;
  std::string problems_;
};

} // namespace

bool is_json_media_type(std::string_view content_type) noexcept {
  auto type = content_type.substr(0, content_type.find(';'));
  const auto first = type.find_first_not_of(white_space);
  if (first == std::string_view::npos)
    return false;
  type = type.substr(first, type.find_last_not_of(white_space) - first + 1);
  const auto& plain = std::locale::classic();
  return boost::algorithm::iequals(type, "application/json", plain) ||
         (boost::algorithm::istarts_with(type, "application/", plain) &&
          boost::algorithm::iends_with(type, "+json", plain));
}

result<chat_request> decode_chat(std::string_view body, std::size_t max_depth) {
  if (body.find_first_not_of(white_space) == std::string_view::npos)
    return fail(errc::malformed, "the body is empty; it must be a JSON object");
  auto parsed = parse_json(body, max_depth);
  if (!parsed)
    return fail(parsed.error().code, fmt::format("the body is {}", parsed.error().detail));
  if (!parsed->is_object())
    return fail(errc::invalid_argument,
                fmt::format("the body must be an object, not {}", parsed->type_name()));
  field_reader fields(*parsed);
  chat_request request;
  request.prompt = fields.required("prompt");
  request.agent = fields.optional("agent");
  request.session_id = fields.optional("session_id");
  fields.check_session_id(request.session_id);
  if (!fields.problems().empty())
    return fail(errc::invalid_argument, fields.problems());
  return request;
}

} // namespace troupe::http
