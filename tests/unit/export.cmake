# SPDX-License-Identifier: Apache-2.0
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/export_baseline_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/export_json_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/export_text_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_export)

# The report held to its schema by a program that shares no code with the writer.
add_executable(export_sample ${CMAKE_CURRENT_LIST_DIR}/export_sample.cpp)
target_link_libraries(export_sample PRIVATE connleak_export connleak_views connleak_flags)
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  foreach(sample typical everything hostile empty)
    add_test(NAME schema_${sample}
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/../check/schema_check.py
                     ${CMAKE_CURRENT_LIST_DIR}/../../userspace/export/report.schema.json
                     $<TARGET_FILE:export_sample> ${sample} json)
  endforeach()
  add_test(NAME schema_check_refuses
           COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/../check/schema_check.py --self-test)
endif()
