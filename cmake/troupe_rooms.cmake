# A room is one folder of a library, compiled as an object library, so that its tests need only build it
# and the rooms it stands on.
#
# troupe_room(<library> <room> SOURCES ... [LINKS ...])
#   Makes the object library <library>_<room> from the current folder and adds it to <library>.
function(troupe_room library room)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  set(target ${library}_${room})
  add_library(${target} OBJECT ${arg_SOURCES})
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PUBLIC ${${library}_LINKS} ${arg_LINKS} PRIVATE troupe_options)
  target_precompile_headers(${target} PRIVATE ${${library}_PRECOMPILED})
  target_sources(${library} PRIVATE $<TARGET_OBJECTS:${target}>)
endfunction()

# troupe_test(<name> SOURCES ... LINKS ... [LABELS ...])
#   Makes a Catch2 program; each of its test cases becomes a CTest test named "<name>: <case>".
#   LINKS may name rooms (their objects are linked) and libraries.
function(troupe_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} test_main troupe_options)
  catch_discover_tests(${name} TEST_PREFIX "${name}: " DISCOVERY_MODE PRE_TEST
                       PROPERTIES TIMEOUT 120 LABELS "${arg_LABELS}")
endfunction()
