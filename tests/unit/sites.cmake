# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/sites, and the code that they look at. x86-64 only.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  return()
endif()
set(sites_dir ${CMAKE_CURRENT_LIST_DIR}/sites)
set(sites_bin ${CMAKE_CURRENT_BINARY_DIR}/sites_subjects)
file(MAKE_DIRECTORY ${sites_bin})
set(sites_subjects)
function(sites_subject name)
  add_custom_command(OUTPUT ${sites_bin}/${name} ${ARGN} VERBATIM)
  set(sites_subjects ${sites_subjects} ${sites_bin}/${name} PARENT_SCOPE)
endfunction()
set(sites_places ${sites_dir}/places_entries.S ${sites_dir}/places_calls.S)
sites_subject(places.so DEPENDS ${sites_places} ${sites_dir}/places.inc
  COMMAND ${CMAKE_C_COMPILER} -shared -nostdlib -Wl,-Bsymbolic -o ${sites_bin}/places.so ${sites_places})

find_program(CONNLEAK_GO go PATHS /usr/local/go/bin)
if(CONNLEAK_GO)
  file(GLOB_RECURSE sites_go CONFIGURE_DEPENDS ${sites_dir}/go_subject/*)
  sites_subject(go_sql DEPENDS ${sites_go}
    COMMAND ${CMAKE_COMMAND} -E env CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off GOTOOLCHAIN=local
            ${CONNLEAK_GO} build -C ${sites_dir}/go_subject -buildvcs=false -o ${sites_bin}/go_sql .)
endif()
add_custom_target(sites_subjects DEPENDS ${sites_subjects})
add_dependencies(unit_tests sites_subjects)

target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/sites_accessor_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/sites_calls_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/sites_entry_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/sites_kernel_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/sites_real_test.cpp
  ${sites_dir}/code_file.cpp)
target_compile_definitions(unit_tests PRIVATE CONNLEAK_SITES_SUBJECTS="${sites_bin}"
  $<$<BOOL:${CONNLEAK_GO}>:CONNLEAK_HAVE_GO>)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ELFUTILS REQUIRED IMPORTED_TARGET libelf libdw)
target_link_libraries(unit_tests PRIVATE connleak_sites PkgConfig::ELFUTILS ${CMAKE_DL_LIBS})
