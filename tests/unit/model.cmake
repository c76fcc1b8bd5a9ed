# SPDX-License-Identifier: Apache-2.0
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/model_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/model_culprit_rules_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_model connleak_detect)
