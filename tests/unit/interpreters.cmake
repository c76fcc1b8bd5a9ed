# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/interpreters, and of perf maps, which need node and java; what they watch lies in interpreters/.
target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/interpreters/altered_memory.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters/script_process.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_find_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_go_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_php_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_python_parts_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_python_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_ruby_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols_perf_map_test.cpp)
target_include_directories(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(unit_tests PRIVATE CONNLEAK_SCRIPTS="${CMAKE_CURRENT_LIST_DIR}/interpreters")
target_link_libraries(unit_tests PRIVATE connleak_interpreters)
include(${CMAKE_CURRENT_LIST_DIR}/interpreters/goroutines.cmake)
