# SPDX-License-Identifier: Apache-2.0
# The command line knows no kernel, but its library links the probes.
if(TARGET connleak_app)
  target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/app_capture_modes_test.cpp
                                    ${CMAKE_CURRENT_LIST_DIR}/app_command_line_test.cpp)
  target_link_libraries(unit_tests PRIVATE connleak_app)
endif()
