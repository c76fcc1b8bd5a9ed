# SPDX-License-Identifier: Apache-2.0
# Programs with goroutines, by every Go that is installed, beside those of symbols.cmake; their names in go_versions.
set(symbols_bin ${CMAKE_CURRENT_BINARY_DIR}/symbols_subjects)
file(MAKE_DIRECTORY ${symbols_bin})
find_program(CONNLEAK_GO go PATHS /usr/local/go/bin)
set(goroutines_dir ${CMAKE_CURRENT_LIST_DIR}/goroutines)
file(GLOB goroutines_sources CONFIGURE_DEPENDS ${goroutines_dir}/*)
set(goroutines_programs)
set(goroutines_names "")
# goroutines_program(GO NAME CGO_ENABLED option...)
function(goroutines_program go name cgo)
  add_custom_command(OUTPUT ${symbols_bin}/${name} DEPENDS ${goroutines_sources}
    COMMAND ${CMAKE_COMMAND} -E env CGO_ENABLED=${cgo} GOFLAGS=-mod=mod GOWORK=off GOTOOLCHAIN=local
            ${go} build -buildvcs=false ${ARGN} -o ${symbols_bin}/${name} .
    WORKING_DIRECTORY ${goroutines_dir} VERBATIM)
  set(goroutines_programs ${goroutines_programs} ${symbols_bin}/${name} PARENT_SCOPE)
  set(goroutines_names "${goroutines_names}${name}\n" PARENT_SCOPE)
endfunction()
if(CONNLEAK_GO)
  # C has thread-local variables of its own in those that end in -c.
  goroutines_program(${CONNLEAK_GO} go-exe 0)
  goroutines_program(${CONNLEAK_GO} go-stripped 0 "-ldflags=-s -w")
  goroutines_program(${CONNLEAK_GO} go-pie 0 -buildmode=pie)
  goroutines_program(${CONNLEAK_GO} go-exe-c 1)
  goroutines_program(${CONNLEAK_GO} go-pie-c 1 -buildmode=pie "-ldflags=-s -w")
endif()
# Debian's packages of other versions.
file(GLOB goroutines_others /usr/lib/go-*/bin/go)
foreach(go IN LISTS goroutines_others)
  string(REGEX REPLACE ".*/go-([^/]*)/bin/go" "go\\1" version ${go})
  goroutines_program(${go} ${version}-exe 0)
  goroutines_program(${go} ${version}-exe-c 1 "-ldflags=-s -w")
  goroutines_program(${go} ${version}-pie-c 1 -buildmode=pie "-ldflags=-s -w")
endforeach()
file(CONFIGURE OUTPUT ${symbols_bin}/go_versions CONTENT "${goroutines_names}")
add_custom_target(goroutines_programs DEPENDS ${goroutines_programs})
add_dependencies(unit_tests goroutines_programs)
