# SPDX-License-Identifier: Apache-2.0
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/detect_abandoned_result_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_boosters_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_dead_owner_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_closed_by_collector_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_never_used_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_pool_per_request_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_open_transaction_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_leak_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_lost_lease_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_healthy_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_half_closed_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_retraction_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_saturated_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_starved_requests_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_wrong_process_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_parts_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/detect_places_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_detect)
