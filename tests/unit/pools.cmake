# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/pools, and the Go programs that they look at: one of each toolchain that is installed, as Go builds
# it and as packages have it, stripped.
set(pools_dir ${CMAKE_CURRENT_LIST_DIR}/pools)
set(pools_bin ${CMAKE_CURRENT_BINARY_DIR}/pools_subjects)
file(MAKE_DIRECTORY ${pools_bin})

find_program(CONNLEAK_GO go PATHS /usr/local/go/bin)
set(CONNLEAK_GO_TOOLCHAINS "" CACHE STRING "Paths of further go commands, to build the subjects of the unit tests with")
file(GLOB pools_gos /usr/local/go/bin/go /usr/lib/go-1.*/bin/go)
set(pools_subjects)
set(pools_seen)
foreach(go ${CONNLEAK_GO} ${pools_gos} ${CONNLEAK_GO_TOOLCHAINS})
  execute_process(COMMAND ${CMAKE_COMMAND} -E env GOTOOLCHAIN=local ${go} version OUTPUT_VARIABLE said ERROR_QUIET)
  if(NOT said MATCHES "go version go1\\.([0-9]+)[^ ]*")
    continue()
  endif()
  set(minor ${CMAKE_MATCH_1})
  if(minor LESS 19 OR minor IN_LIST pools_seen)
    continue()
  endif()
  list(APPEND pools_seen ${minor})
  set(pools_build ${CMAKE_COMMAND} -E env CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off GOTOOLCHAIN=local ${go} build)
  foreach(kind sql pgx)
    # pgx 5.7 wants this one, and its modules are fetched: without them its tests are skipped.
    if(kind STREQUAL pgx AND minor LESS 21)
      continue()
    endif()
    file(GLOB pools_sources CONFIGURE_DEPENDS ${pools_dir}/${kind}_subject/*)
    set(pools_plain ${pools_bin}/${kind}_go1.${minor}_plain)
    set(pools_stripped ${pools_bin}/${kind}_go1.${minor}_stripped)
    set(pools_or)
    if(kind STREQUAL pgx)
      set(pools_or || ${CMAKE_COMMAND} -E echo "pools: no program with pgx")
    endif()
    add_custom_command(OUTPUT ${pools_plain} ${pools_stripped} DEPENDS ${pools_sources}
      WORKING_DIRECTORY ${pools_dir}/${kind}_subject
      COMMAND ${pools_build} -o ${pools_plain} . ${pools_or}
      COMMAND ${pools_build} -trimpath "-ldflags=-s -w" -o ${pools_stripped} . ${pools_or})
    list(APPEND pools_subjects ${pools_plain} ${pools_stripped})
  endforeach()
endforeach()
add_custom_target(pools_subjects DEPENDS ${pools_subjects})

target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/pools_hostile_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pools_layouts_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pools_pgx_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pools_sql_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pools/subject.cpp)
target_include_directories(unit_tests PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(unit_tests PRIVATE CONNLEAK_POOL_SUBJECTS="${pools_bin}")
target_link_libraries(unit_tests PRIVATE connleak_pools)
add_dependencies(unit_tests pools_subjects)
