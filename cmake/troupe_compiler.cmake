# One INTERFACE target carries warnings and sanitizers for all of Troupe's own code.
add_library(troupe_options INTERFACE)
target_compile_options(troupe_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
if(TROUPE_WERROR)
  target_compile_options(troupe_options INTERFACE -Werror)
endif()
if(TROUPE_SANITIZE)
  # UBSan's null check trips inside CAF's headers.
  target_compile_options(troupe_options INTERFACE -fsanitize=${TROUPE_SANITIZE} -fno-sanitize=null
                                                 -fno-omit-frame-pointer)
  target_link_options(troupe_options INTERFACE -fsanitize=${TROUPE_SANITIZE})
endif()

find_program(TROUPE_CCACHE ccache)
if(TROUPE_CCACHE)
  # Precompiled headers are cached only with these relaxations (ccache manual, "Precompiled headers").
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${TROUPE_CCACHE})
  target_compile_options(troupe_options INTERFACE -fpch-preprocess)
endif()
# Otherwise a JSON value converts to anything, also to `troupe::error`, and no `result<json>` can be made of it.
target_compile_definitions(troupe_options INTERFACE JSON_USE_IMPLICIT_CONVERSIONS=0)
