# SPDX-License-Identifier: Apache-2.0
# The kernel side's readers of protocols, compiled for the host.
add_library(protocol_readers OBJECT ${CMAKE_CURRENT_LIST_DIR}/protocols/conversation.c)
target_include_directories(protocol_readers PRIVATE ${CMAKE_CURRENT_LIST_DIR}/protocols ${PROJECT_SOURCE_DIR}/bpf)
target_compile_options(protocol_readers PRIVATE -std=gnu11 -Wall -Wno-unknown-pragmas -Wno-unused-parameter)
target_sources(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/protocols_test.cpp $<TARGET_OBJECTS:protocol_readers>)
target_include_directories(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR}/protocols)
target_link_libraries(unit_tests PRIVATE connleak_events)
