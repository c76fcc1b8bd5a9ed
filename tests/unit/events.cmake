# SPDX-License-Identifier: Apache-2.0
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/events_decode_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/events_encode_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/events_recording_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/events_reorder_test.cpp
                                  ${CMAKE_CURRENT_LIST_DIR}/events_wire_test.cpp)
target_link_libraries(unit_tests PRIVATE connleak_events)
