#pragma once

namespace troupe {

/// Troupe's version, as it names itself to users and peers. CMake refuses to configure if it is not the
/// project's.
inline constexpr const char* version = "0.1.0";

} // namespace troupe
