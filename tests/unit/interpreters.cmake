# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/interpreters; the scripts that they watch lie in interpreters/.
target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_python_parts_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters_python_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interpreters/script_process.cpp)
target_compile_definitions(unit_tests PRIVATE CONNLEAK_SCRIPTS="${CMAKE_CURRENT_LIST_DIR}/interpreters")
target_link_libraries(unit_tests PRIVATE connleak_interpreters)
