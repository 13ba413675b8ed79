# Sanitizers for Steer's own builds. STEER_SANITIZE="address;undefined" or "thread" instruments the
# C and C++ of this project; with address and thread also the Rust engine, if its toolchain can. An
# application that uses sanitizers does not need this: its own flags reach the shim.
#
# Must not depend on: what is built with these flags.
include_guard(GLOBAL)

set(STEER_SANITIZE "" CACHE STRING
    "Sanitizers for -fsanitize, as a list: address;undefined, or thread")

# Sets flags for every target that the calling directory makes after this.
macro(steer_sanitize_cxx)
  if(STEER_SANITIZE)
    list(JOIN STEER_SANITIZE "," _steer_sanitizers)
    add_compile_options(-fsanitize=${_steer_sanitizers} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${_steer_sanitizers})
  endif()
endmacro()

# Links what an engine needs that is instrumented with ThreadSanitizer. Call it after steer::engine
# is made.
function(steer_link_sanitizer_runtime)
  if("thread" IN_LIST STEER_SANITIZE)
    add_library(steer_tsan_memory OBJECT ${PROJECT_SOURCE_DIR}/cmake/tsan_memory.c)
    set_target_properties(steer_tsan_memory PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(steer::engine INTERFACE $<TARGET_OBJECTS:steer_tsan_memory>)
  endif()
endfunction()

# Sets ${out} to the rustc flags that instrument the engine, and ${out_cargo} to the arguments that
# cargo needs for them. Empty if there is nothing to do or the toolchain cannot. `rustc` is a
# command, as a list.
#
# -Zsanitizer is a nightly flag, which a stable rustc accepts with RUSTC_BOOTSTRAP=1.
# -Zexternal-clangrt leaves out Rust's own copy of the runtime, because the C++ compiler adds one.
# GCC's runtime and rustc's LLVM use the same protocol today, without a promise. So the flags are
# used only if they find a known fault in Rust code.
function(steer_sanitize_rust out out_cargo rustc)
  set(${out} "" PARENT_SCOPE)
  set(${out_cargo} "" PARENT_SCOPE)
  if("address" IN_LIST STEER_SANITIZE)
    _steer_finds_known_fault(found why "${rustc}" address "heap-buffer-overflow" [[
unsigned char steer_probe(unsigned char *p, size_t i);
int main(int argc, char **argv) {
  (void)argv;
  unsigned char *p = calloc(8, 1);
  return p ? steer_probe(p, 7 + (size_t)argc) : 1;
}
]])
    if(found)
      message(STATUS "Steer: the engine is instrumented with AddressSanitizer")
      set(${out} -Zsanitizer=address -Zexternal-clangrt PARENT_SCOPE)
      return()
    endif()
    message(WARNING "Steer: AddressSanitizer instruments only C and C++. The engine is NOT "
                    "instrumented, because this Rust toolchain and this C compiler together do "
                    "not find a known fault.\n${why}")
  elseif("thread" IN_LIST STEER_SANITIZE)
    # Rust's standard library must be instrumented too. Otherwise its synchronisation looks like
    # races.
    execute_process(COMMAND ${rustc} --print sysroot OUTPUT_VARIABLE sysroot
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT EXISTS ${sysroot}/lib/rustlib/src/rust/library/Cargo.lock)
      message(FATAL_ERROR "Steer: ThreadSanitizer needs the source of Rust's standard library. "
                          "Run: rustup toolchain install nightly --component rust-src")
    endif()
    _steer_finds_known_fault(found why "${rustc}" thread "data race" [[
#include <pthread.h>
unsigned char steer_probe(unsigned char *p, size_t i);
static void *other(void *p) { return (void *)(size_t)steer_probe(p, 0); }
int main(void) {
  pthread_t thread;
  unsigned char *p = calloc(8, 1);
  if (!p || pthread_create(&thread, 0, other, p)) return 1;
  steer_probe(p, 0);
  return pthread_join(thread, 0);
}
]])
    if(NOT found)
      message(FATAL_ERROR "Steer: ThreadSanitizer would miss races in the engine: this Rust "
                          "toolchain and this C compiler together do not find a known "
                          "race.\n${why}")
    endif()
    message(STATUS "Steer: the engine is instrumented with ThreadSanitizer")
    set(${out} -Zsanitizer=thread -Zexternal-clangrt PARENT_SCOPE)
    set(${out_cargo} -Zbuild-std=std,panic_unwind PARENT_SCOPE)
  endif()
endfunction()

# Sets ${out} to whether the sanitizer reports `report` for a program with a fault in Rust code.
function(_steer_finds_known_fault out out_why rustc sanitizer report program)
  set(${out} OFF PARENT_SCOPE)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/steer-sanitize-rust)
  set(flags -Zsanitizer=${sanitizer} -Zexternal-clangrt)
  if(sanitizer STREQUAL "thread")
    # Without this, rustc rejects the probe, whose standard library is not instrumented.
    list(APPEND flags -Cunsafe-allow-abi-mismatch=sanitizer)
  endif()
  file(WRITE ${dir}/probe.rs [[
#![crate_type = "staticlib"]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_probe(p: *mut u8, i: usize) -> u8 {
    unsafe { *p.add(i) += 1 }
    unsafe { *p.add(i) }
}
]])
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env RUSTC_BOOTSTRAP=1 ${rustc} --edition 2024 -O ${flags}
            probe.rs -o
            libprobe.a
    WORKING_DIRECTORY ${dir} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE why)
  if(NOT failed)
    try_run(exit_code linked
      SOURCE_FROM_CONTENT probe.c "#include <stdlib.h>\n${program}"
      NO_CACHE LINK_OPTIONS -fsanitize=${sanitizer}
      LINK_LIBRARIES ${dir}/libprobe.a dl m pthread
      COMPILE_OUTPUT_VARIABLE why RUN_OUTPUT_VARIABLE said)
    if(linked AND said MATCHES "${report}")
      set(${out} ON PARENT_SCOPE)
      return()
    endif()
    string(APPEND why "${said}")
  endif()
  set(${out_why} "${why}" PARENT_SCOPE)
endfunction()
