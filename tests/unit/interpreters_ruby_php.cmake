# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/interpreters: PHP, Ruby, and what is shared by them; and of perf maps, which need node and java.
target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/interpreters/paused_script.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_php_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_ruby_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols_perf_map_test.cpp)
target_include_directories(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(unit_tests PRIVATE CONNLEAK_SCRIPT_SUBJECTS="${CMAKE_CURRENT_LIST_DIR}/interpreters")
target_link_libraries(unit_tests PRIVATE connleak_interpreters)
