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
# CMake identifies and tries the compiler without linking a program: for that zig would compile its C++ library first,
# for two minutes, and no binary of ours contains it.
set(CMAKE_CXX_COMPILER_ID_FLAGS_ALWAYS -c)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_ARCHIVE_CREATE "\"${SOFTMAX_ZIG}\" ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "\"${SOFTMAX_ZIG}\" ar q <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "\"${SOFTMAX_ZIG}\" ranlib <TARGET>")
# Threads are in the C library of every target.
set(CMAKE_HAVE_LIBC_PTHREAD TRUE)
set(CMAKE_PROJECT_INCLUDE ${CMAKE_CURRENT_LIST_DIR}/after-project.cmake)
