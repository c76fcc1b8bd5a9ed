# SPDX-License-Identifier: Apache-2.0
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/base_text_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/base_glob_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/base_stack_hash_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/base_atomic_file_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_base)
