# SPDX-License-Identifier: Apache-2.0
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/views_layout_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/views_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_views)
target_compile_definitions(unit_tests PRIVATE
  CONNLEAK_GOLDEN_DIR="${CMAKE_CURRENT_LIST_DIR}/../replay/golden")
