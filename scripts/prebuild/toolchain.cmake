# Cross-compiles with zig: clang, its libc++, and the C libraries of every target.
#   -DSOFTMAX_ZIG=path of zig -DSOFTMAX_TARGET=x86_64-linux-gnu.2.28
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SOFTMAX_ZIG SOFTMAX_TARGET)

string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR ${SOFTMAX_TARGET})
if(SOFTMAX_TARGET MATCHES "-windows-")
  set(CMAKE_SYSTEM_NAME Windows)
elseif(SOFTMAX_TARGET MATCHES "-macos")
  set(CMAKE_SYSTEM_NAME Darwin)
else()
  set(CMAKE_SYSTEM_NAME Linux)
endif()

set(CMAKE_CXX_COMPILER ${SOFTMAX_ZIG} c++ -target ${SOFTMAX_TARGET})
set(CMAKE_CXX_ARCHIVE_CREATE "\"${SOFTMAX_ZIG}\" ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "\"${SOFTMAX_ZIG}\" ar q <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "\"${SOFTMAX_ZIG}\" ranlib <TARGET>")
# zig refuses -fPIE, which CMake gives to the objects of programs.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE "")
# Threads are in the C library of every target.
set(CMAKE_HAVE_LIBC_PTHREAD TRUE)

if(SOFTMAX_TARGET MATCHES "^([^-]+)-macos\\.(.+)$")
  set(arch ${CMAKE_MATCH_1})
  set(version ${CMAKE_MATCH_2})
  if(arch STREQUAL "aarch64")
    set(arch arm64)
  endif()
  # This zig's linker for macOS exports all there is and strips nothing. LLVM's signs what it writes, as arm64 wants.
  find_program(SOFTMAX_LD64 NAMES ld64.lld ld64.lld-19 ld64.lld-16 ld64.lld-14 REQUIRED)
  find_program(SOFTMAX_STRIP NAMES llvm-strip llvm-strip-19 llvm-strip-16 llvm-strip-14 REQUIRED)
  get_filename_component(zig_directory ${SOFTMAX_ZIG} DIRECTORY)
  set(link "${SOFTMAX_LD64} -arch ${arch} -platform_version macos ${version} ${version} -bundle -o <TARGET>")
  string(APPEND link " <OBJECTS> <LINK_LIBRARIES> ${zig_directory}/lib/libc/darwin/libSystem.tbd")
  string(APPEND link " -undefined dynamic_lookup -dead_strip -exported_symbol _napi_register_module_v1")
  string(APPEND link " -exported_symbol _node_api_module_get_api_version_v1")
  set(CMAKE_CXX_CREATE_SHARED_MODULE "${link}" "${SOFTMAX_STRIP} -x <TARGET>")
endif()
