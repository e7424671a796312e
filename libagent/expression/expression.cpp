#include "libagent/expression/expression.hpp"

#include "libagent/expression/syntax.hpp"

#include <fmt/format.h>

namespace troupe {

struct expression::compiled {
  std::string text;
  expressions::syntax parsed;
};

expression::expression(std::shared_ptr<const compiled> impl) : impl_(std::move(impl)) {}

result<expression> expression::compile(std::string_view text) {
  auto parsed = expressions::parse(text);
  if (!parsed)
    return parsed.error();
  return expression(std::make_shared<const compiled>(compiled{std::string(text), std::move(*parsed)}));
}

const std::string& expression::text() const noexcept {
  return impl_->text;
}

const std::vector<std::string>& expression::roots() const noexcept {
  return impl_->parsed.roots;
}

result<json> expression::evaluate(const json& scope) const {
  return expressions::evaluate(impl_->parsed.root, scope);
}

result<bool> expression::test(const json& scope) const {
  const auto value = evaluate(scope);
  if (!value)
    return value.error();
  if (value->is_null())
    return false;
  if (!value->is_boolean())
    return fail(
        errc::invalid_argument,
        fmt::format("the condition is neither true nor false but a value of type {}", value->type_name()));
  return value->get<bool>();
}

} // namespace troupe
