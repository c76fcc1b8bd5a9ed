# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/drivers, on the files of sites.cmake and the system's libraries. x86-64 only.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  return()
endif()
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/drivers_plan_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_drivers)
