# SPDX-License-Identifier: Apache-2.0
# How every folder of userspace/ becomes a library.

add_library(connleak_flags INTERFACE)
target_compile_options(connleak_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Sees overlapping copies in std::string's operator+ that are not there (GCC bug 105329).
  target_compile_options(connleak_flags INTERFACE -Wno-restrict)
endif()
if(CONNLEAK_WERROR)
  target_compile_options(connleak_flags INTERFACE -Werror)
endif()
if(CONNLEAK_SANITIZE)
  target_compile_options(connleak_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=undefined)
  target_link_options(connleak_flags INTERFACE -fsanitize=address,undefined)
endif()
if(CONNLEAK_FUZZ)
  target_compile_options(connleak_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# connleak_library(NAME SOURCES file... [DEPENDS target...]): target connleak_NAME. Headers are included as
# "NAME/file.hpp" and visible only to targets that link it (each folder is copied nowhere: the include
# root is a directory of its own with one link per folder).
function(connleak_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  add_library(connleak_${name} STATIC ${ARG_SOURCES})
  target_include_directories(connleak_${name} PUBLIC ${root})
  target_link_libraries(connleak_${name} PUBLIC ${ARG_DEPENDS} PRIVATE connleak_flags)
endfunction()
