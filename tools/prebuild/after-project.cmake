# What project() would set again.

# zig refuses -fPIE, which CMake gives to the objects of programs.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE "")

if(NOT SOFTMAX_TARGET MATCHES "^([^-]+)-macos\\.(.+)$")
  return()
endif()

# zig's own linker for macOS (0.12) exports all there is and strips nothing. LLVM's does, and signs what it writes, as
# arm64 wants; its strip signs again. main.mjs gives both: SOFTMAX_LD64, SOFTMAX_STRIP.
set(arch ${CMAKE_MATCH_1})
set(version ${CMAKE_MATCH_2})
if(arch STREQUAL "aarch64")
  set(arch arm64)
endif()
get_filename_component(zig_directory ${SOFTMAX_ZIG} DIRECTORY)
set(link "${SOFTMAX_LD64} -arch ${arch} -platform_version macos ${version} ${version} -bundle -o <TARGET>")
string(APPEND link " <OBJECTS> <LINK_LIBRARIES> ${zig_directory}/lib/libc/darwin/libSystem.tbd")
# -S: without the paths and times of the objects, of which the file's identity is made.
string(APPEND link " -S -undefined dynamic_lookup -dead_strip -exported_symbol _napi_register_module_v1")
string(APPEND link " -exported_symbol _node_api_module_get_api_version_v1")
set(CMAKE_CXX_CREATE_SHARED_MODULE "${link}" "${SOFTMAX_STRIP} -x <TARGET>")
