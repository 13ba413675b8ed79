# Sanitizers for Steer's own builds: STEER_SANITIZE="address;undefined" instruments the C and C++ of
# this project, and for address the Rust engine too when its toolchain can. An application that
# sanitizes itself needs none of this: its own flags reach the shim anyway.
#
# Must not know: what is built with these flags.
include_guard(GLOBAL)

set(STEER_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize, as a list: address;undefined")

# Flags for every target that the calling directory makes from here on.
macro(steer_sanitize_cxx)
  if(STEER_SANITIZE)
    list(JOIN STEER_SANITIZE "," _steer_sanitizers)
    add_compile_options(-fsanitize=${_steer_sanitizers} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${_steer_sanitizers})
  endif()
endmacro()

# Puts the rustc flags that instrument the engine into ${out}; empty when there is nothing to do or
# the toolchain cannot. `rustc` is a command, given as a list.
#
# -Zsanitizer is a nightly flag; RUSTC_BOOTSTRAP=1 makes a stable rustc take it, and
# -Zexternal-clangrt leaves out Rust's own copy of the runtime, as the C++ compiler brings one. GCC's
# runtime and rustc's LLVM speak the same protocol, but nothing promises that they always will: so a
# known fault in Rust code must be found before the flags are used.
function(steer_sanitize_rust out rustc)
  set(${out} "" PARENT_SCOPE)
  if(NOT "address" IN_LIST STEER_SANITIZE)
    return()
  endif()
  set(flags -Zsanitizer=address -Zexternal-clangrt)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/steer-sanitize-rust)
  file(WRITE ${dir}/probe.rs [[
#![crate_type = "staticlib"]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_probe(p: *const u8, i: usize) -> u8 {
    unsafe { *p.add(i) }
}
]])
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env RUSTC_BOOTSTRAP=1 ${rustc} --edition 2024 -O ${flags} probe.rs -o
            libprobe.a
    WORKING_DIRECTORY ${dir} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE why)
  if(NOT failed)
    try_run(exit_code linked
      SOURCE_FROM_CONTENT probe.c [[
#include <stdlib.h>
unsigned char steer_probe(const unsigned char *p, size_t i);
int main(int argc, char **argv) {
  (void)argv;
  unsigned char *p = calloc(8, 1);
  return p ? steer_probe(p, 7 + (size_t)argc) : 1;
}
]]
      NO_CACHE LINK_OPTIONS -fsanitize=address
      LINK_LIBRARIES ${dir}/libprobe.a dl m pthread
      COMPILE_OUTPUT_VARIABLE why RUN_OUTPUT_VARIABLE report)
    if(linked AND report MATCHES "heap-buffer-overflow")
      message(STATUS "Steer: the engine is instrumented with AddressSanitizer")
      set(${out} ${flags} PARENT_SCOPE)
      return()
    endif()
    string(APPEND why "${report}")
  endif()
  message(WARNING "Steer: the engine is NOT instrumented with AddressSanitizer, only the C and C++ are: "
                  "this Rust toolchain and this C compiler do not find a known fault together.\n${why}")
endfunction()
