# SPDX-License-Identifier: Apache-2.0
# Tests of userspace/unwind, and the programs whose stacks they take.
set(unwind_dir ${CMAKE_CURRENT_LIST_DIR}/unwind)
set(unwind_bin ${CMAKE_CURRENT_BINARY_DIR}/unwind_subjects)
file(MAKE_DIRECTORY ${unwind_bin})

target_sources(unit_tests PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/unwind_rules_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/unwind_table_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/unwind_test.cpp
  ${unwind_dir}/stopped.cpp)
target_compile_definitions(unit_tests PRIVATE CONNLEAK_UNWIND_SUBJECTS="${unwind_bin}")
find_package(PkgConfig REQUIRED)
pkg_check_modules(ELFUTILS REQUIRED IMPORTED_TARGET libelf libdw)
# libdw reads the same tables: the reference.
target_link_libraries(unit_tests PRIVATE connleak_unwind PkgConfig::ELFUTILS)

# Registers are captured of x86-64 only. Built by the compiler directly, as programs are: without frame pointers.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  return()
endif()
set(unwind_c ${unwind_dir}/c_subject.c)
set(unwind_cpp ${unwind_dir}/cpp_subject.cpp)
set(unwind_subjects)
function(unwind_subject name source)
  add_custom_command(OUTPUT ${unwind_bin}/${name} DEPENDS ${source} ${ARGN} VERBATIM)
  set(unwind_subjects ${unwind_subjects} ${unwind_bin}/${name} PARENT_SCOPE)
endfunction()
function(unwind_c_subject name)
  unwind_subject(${name} ${unwind_c} COMMAND ${CMAKE_C_COMPILER} -O2 -fomit-frame-pointer -pthread ${ARGN}
                 -o ${unwind_bin}/${name} ${unwind_c} -ldl)
  set(unwind_subjects ${unwind_subjects} PARENT_SCOPE)
endfunction()
unwind_subject(library.so ${unwind_dir}/library.c
  COMMAND ${CMAKE_C_COMPILER} -O2 -fomit-frame-pointer -shared -fPIC -Wl,-z,lazy -o ${unwind_bin}/library.so
          ${unwind_dir}/library.c)
unwind_c_subject(c_pie -fPIE -pie -Wl,-z,lazy)
unwind_c_subject(c_fixed -fno-pie -no-pie -Wl,-z,now)
unwind_c_subject(c_pointers -fno-omit-frame-pointer)
unwind_c_subject(c_unsorted -Wl,--no-eh-frame-hdr)
unwind_subject(c_stripped ${unwind_bin}/c_pie
  COMMAND ${CMAKE_STRIP} -o ${unwind_bin}/c_stripped ${unwind_bin}/c_pie)
unwind_subject(cpp ${unwind_cpp}
  COMMAND ${CMAKE_CXX_COMPILER} -std=c++17 -O2 -g -fomit-frame-pointer -o ${unwind_bin}/cpp ${unwind_cpp})
add_custom_target(unwind_subjects DEPENDS ${unwind_subjects})
add_dependencies(unit_tests unwind_subjects)
