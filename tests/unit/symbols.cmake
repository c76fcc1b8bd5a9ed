# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/symbols, and the programs that they look at.
set(symbols_dir ${CMAKE_CURRENT_LIST_DIR}/symbols)
set(symbols_bin ${CMAKE_CURRENT_BINARY_DIR}/symbols_subjects)
file(MAKE_DIRECTORY ${symbols_bin})

# Built by the compiler directly: neither sanitizers nor the project's flags belong in them.
set(symbols_c ${symbols_dir}/c_subject.c)
set(symbols_cpp ${symbols_dir}/cpp_subject.cpp)
set(symbols_subjects)
function(symbols_subject name)
  add_custom_command(OUTPUT ${symbols_bin}/${name} ${ARGN} VERBATIM)
  set(symbols_subjects ${symbols_subjects} ${symbols_bin}/${name} PARENT_SCOPE)
endfunction()
symbols_subject(liblate.so DEPENDS ${symbols_dir}/late_library.c
  COMMAND ${CMAKE_C_COMPILER} -O2 -shared -fPIC -o ${symbols_bin}/liblate.so ${symbols_dir}/late_library.c)
symbols_subject(c_debug DEPENDS ${symbols_c}
  COMMAND ${CMAKE_C_COMPILER} -O2 -g -Wl,-rpath,${symbols_bin} -o ${symbols_bin}/c_debug ${symbols_c})
symbols_subject(c_fixed DEPENDS ${symbols_c}
  COMMAND ${CMAKE_C_COMPILER} -O2 -g -no-pie -fno-pie -o ${symbols_bin}/c_fixed ${symbols_c})
symbols_subject(c_plain DEPENDS ${symbols_c}
  COMMAND ${CMAKE_C_COMPILER} -O2 -g0 -o ${symbols_bin}/c_plain ${symbols_c})
symbols_subject(c_stripped DEPENDS ${symbols_bin}/c_plain
  COMMAND ${CMAKE_STRIP} -o ${symbols_bin}/c_stripped ${symbols_bin}/c_plain)
# One with a build id, found by either way, and one without, found by the checksum of the link.
foreach(id none sha1)
  symbols_subject(c_linked_${id} DEPENDS ${symbols_c}
    COMMAND ${CMAKE_C_COMPILER} -O2 -g -Wl,--build-id=${id} -o ${symbols_bin}/c_full_${id} ${symbols_c}
    COMMAND ${CMAKE_OBJCOPY} --only-keep-debug ${symbols_bin}/c_full_${id} ${symbols_bin}/c_linked_${id}.debug
    COMMAND ${CMAKE_OBJCOPY} --strip-all --add-gnu-debuglink=${symbols_bin}/c_linked_${id}.debug
            ${symbols_bin}/c_full_${id} ${symbols_bin}/c_linked_${id})
endforeach()
symbols_subject(cpp_debug DEPENDS ${symbols_cpp}
  COMMAND ${CMAKE_CXX_COMPILER} -std=c++17 -O2 -g -o ${symbols_bin}/cpp_debug ${symbols_cpp})
symbols_subject(cpp_plain DEPENDS ${symbols_cpp}
  COMMAND ${CMAKE_CXX_COMPILER} -std=c++17 -O2 -g0 -o ${symbols_bin}/cpp_plain ${symbols_cpp})

find_program(CONNLEAK_GO go PATHS /usr/local/go/bin)
if(CONNLEAK_GO)
  file(GLOB_RECURSE symbols_go CONFIGURE_DEPENDS ${symbols_dir}/go_subject/*)
  set(go_build ${CMAKE_COMMAND} -E env CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off GOTOOLCHAIN=local
               ${CONNLEAK_GO} build -C ${symbols_dir}/go_subject -buildvcs=false)
  symbols_subject(go_normal DEPENDS ${symbols_go} COMMAND ${go_build} -o ${symbols_bin}/go_normal .)
  symbols_subject(go_stripped DEPENDS ${symbols_go}
    COMMAND ${go_build} "-ldflags=-s -w" -o ${symbols_bin}/go_stripped .)
  symbols_subject(go_pie DEPENDS ${symbols_go}
    COMMAND ${go_build} -buildmode=pie "-ldflags=-s -w" -o ${symbols_bin}/go_pie .)
  symbols_subject(go_trimpath DEPENDS ${symbols_go}
    COMMAND ${go_build} -trimpath -o ${symbols_bin}/go_trimpath .)
endif()
add_custom_target(symbols_subjects DEPENDS ${symbols_subjects})

target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/symbols_application_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols_go_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols_hostile_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols_native_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols_parts_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbols/subject.cpp)
target_compile_definitions(unit_tests PRIVATE CONNLEAK_SYMBOLS_SUBJECTS="${symbols_bin}"
  $<$<BOOL:${CONNLEAK_GO}>:CONNLEAK_HAVE_GO>)
target_link_libraries(unit_tests PRIVATE connleak_symbols)
add_dependencies(unit_tests symbols_subjects)
