# Finds Rust, for whatever is built with it: the engine, and users' pickers.
#
# Must not know: what is built.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerCache.cmake)

set(STEER_CARGO_TARGET_DIR "" CACHE PATH
    "Where cargo builds; several build trees may share one. Default: inside the build tree")

string(CONCAT _steer_rust_help
       "Debian 12: apt install cargo-web. Debian 13 and later: apt install cargo. Elsewhere: rustup, or "
       "any toolchain whose cargo is on PATH or given as -DSTEER_CARGO=<file>.")

# Finds cargo and a new enough rustc. Debian's packages, whatever their name, install both under
# their plain names. Sets, for the caller, STEER_RUST_HOST, the machine that rustc runs on, and
# STEER_RUST_ENV, NAME=VALUE words for cargo's environment.
function(_steer_find_rust source_dir)
  find_program(STEER_CARGO cargo PATHS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin
               DOC "Rust's cargo")
  if(NOT STEER_CARGO)
    message(FATAL_ERROR "Steer's engine is written in Rust, and there is no cargo.\n${_steer_rust_help}")
  endif()
  cmake_path(GET STEER_CARGO PARENT_PATH bin)
  find_program(STEER_RUSTC rustc HINTS ${bin} DOC "Rust's compiler")
  if(NOT STEER_RUSTC)
    message(FATAL_ERROR "Steer found ${STEER_CARGO} but no rustc.\n${_steer_rust_help}")
  endif()

  file(STRINGS ${source_dir}/Cargo.toml line REGEX "^rust-version = ")
  string(REGEX MATCH "[0-9.]+" wanted "${line}")
  # Asked in the source directory, where a rustup override would choose another toolchain.
  execute_process(COMMAND ${STEER_RUSTC} --version --verbose WORKING_DIRECTORY ${source_dir}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(failed OR NOT text MATCHES "release: ([0-9.]+)")
    message(FATAL_ERROR "Steer: ${STEER_RUSTC} does not run:\n${text}")
  endif()
  set(found ${CMAKE_MATCH_1})
  if(found VERSION_LESS wanted)
    message(FATAL_ERROR "Steer needs rustc ${wanted} or newer; ${STEER_RUSTC} is ${found}.\n"
                        "${_steer_rust_help}")
  endif()
  string(REGEX MATCH "host: ([^\n]+)" line "${text}")
  set(STEER_RUST_HOST ${CMAKE_MATCH_1} PARENT_SCOPE)
  steer_cargo_home(home)
  set(STEER_RUST_ENV ${home} PARENT_SCOPE)
  message(STATUS "Steer: rustc ${found} (${STEER_RUSTC})")
endfunction()

# The libraries that Rust's standard library wants at the end of a static link, as plain names. libc
# and libgcc come with every link, and naming them would break a fully static one (no libgcc_s.a).
function(_steer_native_libs out)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/steer-native-libs)
  file(WRITE ${dir}/empty.rs "")
  execute_process(
    COMMAND ${STEER_RUSTC} --crate-type staticlib --print native-static-libs empty.rs -o libempty.a
    WORKING_DIRECTORY ${dir} RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(failed OR NOT text MATCHES "native-static-libs: ([^\n]*)")
    message(FATAL_ERROR "Steer: ${STEER_RUSTC} cannot build an empty static library:\n${text}")
  endif()
  separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_1}")
  list(TRANSFORM flags REPLACE "^-l" "")
  list(REMOVE_ITEM flags c gcc_s)
  list(REMOVE_DUPLICATES flags)
  set(${out} ${flags} PARENT_SCOPE)
endfunction()
