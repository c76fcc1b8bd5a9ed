# SPDX-License-Identifier: Apache-2.0
# From .bpf.c files to one skeleton header. Needs clang 14 or newer with the bpf target, and bpftool.

find_program(CONNLEAK_BPF_CLANG
             NAMES clang clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14
             DOC "clang that compiles the kernel side" REQUIRED)
find_program(CONNLEAK_BPFTOOL NAMES bpftool PATHS /usr/sbin /usr/local/sbin DOC "bpftool" REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.4)

# bpf_skeleton(TARGET NAME name SOURCES file.bpf.c...): an interface target; whoever links it may include the struct
# NAME_bpf as
# "NAME.skel.h" and gets libbpf.
function(bpf_skeleton target)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES" ${ARGN})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    set(arch x86)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(arch arm64)
  else()
    message(FATAL_ERROR "The kernel side is written for x86-64 and arm64, not for ${CMAKE_SYSTEM_PROCESSOR}.")
  endif()
  set(libbpf_flags ${LIBBPF_INCLUDE_DIRS})
  list(TRANSFORM libbpf_flags PREPEND -I)
  set(objects)
  foreach(source IN LISTS ARG_SOURCES)
    get_filename_component(stem ${source} NAME_WLE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${stem}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CONNLEAK_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_${arch} -Wall -Wextra -Werror
              -Wno-unused-parameter -I${CMAKE_CURRENT_SOURCE_DIR} ${libbpf_flags} -MD -MF ${object}.d -MT ${object}
              -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
      DEPFILE ${object}.d
      COMMENT "Building BPF object ${stem}.o"
      COMMAND_EXPAND_LISTS VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(joined ${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}.joined.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}.skel.h)
  # By way of a temporary file: a cut header must never look up to date.
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${CONNLEAK_BPFTOOL} gen object ${joined} ${objects}
    COMMAND ${CONNLEAK_BPFTOOL} gen skeleton ${joined} name ${ARG_NAME}_bpf > ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${objects}
    COMMENT "Joining ${ARG_NAME}.skel.h"
    VERBATIM)
  add_custom_target(${target}_header DEPENDS ${skeleton})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_header)
  target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${target} INTERFACE PkgConfig::LIBBPF)
endfunction()
