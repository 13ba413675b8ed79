# Clang and LLVM's linker instead of GCC and GNU's: an initial cache (cmake -C). Warnings are
# errors.
#
# Must not depend on: what is built.
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
find_program(CMAKE_LINKER ld.lld REQUIRED)
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS -fuse-ld=lld CACHE STRING "")
endforeach()
set(CMAKE_COMPILE_WARNING_AS_ERROR ON CACHE BOOL "")
