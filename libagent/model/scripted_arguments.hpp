#pragma once

#include "libagent/core/json_schema.hpp"
#include "libagent/model/scripted_template.hpp"

namespace troupe::scripted {

/// The arguments of a call as JSON text, templates filled in. What comes out of a template in a top-level
/// property becomes an integer, a number or a boolean where the tool's schema asks for one and the text is
/// one. Error `model_failed` as for `render`.
result<std::string> render_arguments(const json& templates, const json_schema& schema,
                                     const bindings& values);

} // namespace troupe::scripted
