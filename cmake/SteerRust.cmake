# Finds Rust, for the engine and for users' pickers.
#
# Must not depend on: what is built.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerCache.cmake)

set(STEER_RUST_TARGET "" CACHE STRING
    "Rust's target triple, such as aarch64-unknown-linux-gnu. Default: the C compiler's target")
set(STEER_CARGO_TARGET_DIR "" CACHE PATH
    "Cargo's target directory; build trees may share one. Default: inside the build tree")

string(CONCAT _steer_rust_help
       "Debian 12: apt install cargo-web. Debian 13 and later: apt install cargo. Elsewhere: "
       "rustup, or any toolchain whose cargo is on PATH or given as -DSTEER_CARGO=<file>.")

# Finds cargo and a new enough rustc. All of Debian's packages install them under these names. Sets
# for the caller:
#   STEER_RUST_HOST    the triple of the machine that rustc runs on
#   STEER_RUST_TRIPLE  the triple to build for. Cargo always gets it by --target, so that neither
#                      CARGO_BUILD_TARGET nor [build] target of a cargo config changes what is
#                      built, or where
#   STEER_RUST_ENV     NAME=VALUE words for cargo's environment
function(_steer_find_rust source_dir)
  find_program(STEER_CARGO cargo PATHS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin
               DOC "Rust's cargo")
  if(NOT STEER_CARGO)
    message(FATAL_ERROR "Steer's engine is written in Rust, and cargo was not found.\n"
                        "${_steer_rust_help}")
  endif()
  cmake_path(GET STEER_CARGO PARENT_PATH bin)
  find_program(STEER_RUSTC rustc HINTS ${bin} DOC "Rust's compiler")
  if(NOT STEER_RUSTC)
    message(FATAL_ERROR "Steer found ${STEER_CARGO} but no rustc.\n${_steer_rust_help}")
  endif()

  file(STRINGS ${source_dir}/Cargo.toml line REGEX "^rust-version = ")
  string(REGEX MATCH "[0-9.]+" wanted "${line}")
  # Run in the source directory, because a rustup override there may choose another toolchain.
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
  set(host ${CMAKE_MATCH_1})
  _steer_rust_triple(triple ${host})
  set(for "")
  if(NOT triple STREQUAL host)
    set(for " for ${triple}")
  endif()
  message(STATUS "Steer: rustc ${found} (${STEER_RUSTC})${for}")
  _steer_rust_cross(env ${source_dir} ${host} ${triple})
  steer_cargo_home(home)
  set(STEER_RUST_HOST ${host} PARENT_SCOPE)
  set(STEER_RUST_TRIPLE ${triple} PARENT_SCOPE)
  set(STEER_RUST_ENV ${env} ${home} PARENT_SCOPE)
endfunction()

# Sets ${out} to Rust's triple of the machine that the C or C++ compiler builds for.
function(_steer_rust_triple out host)
  if(STEER_RUST_TARGET)
    set(${out} ${STEER_RUST_TARGET} PARENT_SCOPE)
    return()
  endif()
  set(${out} ${host} PARENT_SCOPE)
  foreach(language C CXX)
    if(CMAKE_${language}_COMPILER AND NOT compiler)
      set(compiler ${CMAKE_${language}_COMPILER})
      # Clang builds for many machines. A toolchain file chooses one of them.
      set(machine ${CMAKE_${language}_COMPILER_TARGET})
      if(NOT machine)
        separate_arguments(arguments UNIX_COMMAND "${CMAKE_${language}_COMPILER_ARG1}")
        execute_process(COMMAND ${compiler} ${arguments} -dumpmachine OUTPUT_VARIABLE machine
                        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      endif()
    endif()
  endforeach()

  # The compiler's name is aarch64-linux-gnu, or with a vendor aarch64-pc-linux-gnu.
  if(machine MATCHES "^([^-]+)-(.*-)?linux-([^-]+)$")
    set(machine ${CMAKE_MATCH_1})
    set(system linux-${CMAKE_MATCH_3})
  elseif(machine MATCHES "^([^-]+)-apple-darwin")
    set(machine ${CMAKE_MATCH_1})
    set(system darwin)
  elseif(NOT CMAKE_CROSSCOMPILING)
    return()
  else()
    message(FATAL_ERROR "Steer: this is a cross build, and Steer does not know Rust's name of the "
                        "machine \"${machine}\". Set it: -DSTEER_RUST_TARGET=<a line of `rustc "
                        "--print target-list`>.")
  endif()
  if(machine STREQUAL "x86_64" AND CMAKE_SIZEOF_VOID_P EQUAL 4) # -m32
    set(machine i686)
  elseif(machine MATCHES "^i[3-6]86$")
    set(machine i686)
  elseif(machine MATCHES "^arm" AND system STREQUAL "darwin")
    set(machine aarch64)
  elseif(machine STREQUAL "arm" AND system STREQUAL "linux-gnueabihf")
    set(machine armv7)
  elseif(machine STREQUAL "riscv64")
    set(machine riscv64gc)
  endif()
  # rustc's triple may name another vendor (x86_64-alpine-linux-musl). It is the same machine.
  if(host MATCHES "^${machine}-.*${system}$")
    return()
  endif()
  if(system STREQUAL "darwin")
    set(${out} ${machine}-apple-darwin PARENT_SCOPE)
  else()
    set(${out} ${machine}-unknown-${system} PARENT_SCOPE)
  endif()
endfunction()

# Prepares a cross build, which needs Rust's standard library for the target, and linkers for both
# machines, because build scripts and macros run on this one. Fails if one of them is missing; cargo
# itself would fail only when it links. Sets ${out} to NAME=VALUE words for cargo's environment.
function(_steer_rust_cross out source_dir host triple)
  set(${out} "" PARENT_SCOPE)
  if(triple STREQUAL host)
    return()
  endif()
  execute_process(COMMAND ${STEER_RUSTC} --print target-libdir --target ${triple}
                  WORKING_DIRECTORY ${source_dir} RESULT_VARIABLE failed
                  OUTPUT_VARIABLE dir ERROR_VARIABLE why
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    message(FATAL_ERROR "Steer: ${STEER_RUSTC} cannot build for ${triple}. To set another name: "
                        "-DSTEER_RUST_TARGET=<a line of `rustc --print target-list`>.\n${why}")
  endif()
  file(GLOB std ${dir}/libstd-*.rlib)
  if(NOT std)
    message(FATAL_ERROR
      "Steer: this build is for ${triple}, and ${STEER_RUSTC} has no standard library for it: "
      "there is no ${dir}/libstd-*.rlib. Install it:\n"
      "  - with rustup: rustup target add ${triple}\n"
      "  - with Debian's rustc: dpkg --add-architecture <architecture> and apt install "
      "libstd-rust-dev:<architecture>, for example arm64\n"
      "If the build is for another machine, set -DSTEER_RUST_TARGET=<name>.")
  endif()

  string(TOUPPER ${triple} name)
  string(REGEX REPLACE "[-.]" "_" name ${name})
  set(compiler ${CMAKE_C_COMPILER})
  set(option ${CMAKE_C_COMPILE_OPTIONS_TARGET}${CMAKE_C_COMPILER_TARGET})
  if(NOT compiler)
    set(compiler ${CMAKE_CXX_COMPILER})
    set(option ${CMAKE_CXX_COMPILE_OPTIONS_TARGET}${CMAKE_CXX_COMPILER_TARGET})
  endif()
  set(link ${CMAKE_SYSROOT})
  list(TRANSFORM link PREPEND --sysroot=)
  if(CMAKE_C_COMPILER_TARGET OR CMAKE_CXX_COMPILER_TARGET)
    list(APPEND link ${option})
  endif()
  set(env "")
  set(linker_option "")
  # A linker that the user has chosen takes precedence.
  if(NOT DEFINED ENV{CARGO_TARGET_${name}_LINKER} AND compiler)
    list(APPEND env CARGO_TARGET_${name}_LINKER=${compiler})
    set(linker_option -Clinker=${compiler})
  elseif(DEFINED ENV{CARGO_TARGET_${name}_LINKER})
    set(linker_option -Clinker=$ENV{CARGO_TARGET_${name}_LINKER})
  endif()
  list(TRANSFORM link PREPEND -Clink-arg=)
  if(link AND NOT DEFINED ENV{RUSTFLAGS})
    list(JOIN link " " flags)
    list(APPEND env "CARGO_TARGET_${name}_RUSTFLAGS=$ENV{CARGO_TARGET_${name}_RUSTFLAGS} ${flags}")
  endif()

  set(dir ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/steer-rust-cross)
  file(WRITE ${dir}/probe.rs
       "#[unsafe(no_mangle)]\npub extern \"C\" fn steer_probe() { println!() }\n")
  execute_process(COMMAND ${STEER_RUSTC} --edition 2024 --crate-type cdylib probe.rs -o host.so
                  WORKING_DIRECTORY ${dir} RESULT_VARIABLE failed OUTPUT_VARIABLE text
                  ERROR_VARIABLE text)
  if(failed)
    message(FATAL_ERROR "Steer: a cross build runs build scripts and macros on this machine, "
                        "${host}, and ${STEER_RUSTC} cannot link for it. Install a C compiler "
                        "`cc` for this machine (Debian: apt install gcc libc6-dev).\n${text}")
  endif()
  execute_process(COMMAND ${STEER_RUSTC} --edition 2024 --crate-type cdylib --target ${triple}
                          ${linker_option} ${link} probe.rs -o target.so
                  WORKING_DIRECTORY ${dir} RESULT_VARIABLE failed OUTPUT_VARIABLE text
                  ERROR_VARIABLE text)
  if(failed)
    message(FATAL_ERROR "Steer: ${STEER_RUSTC} cannot link for ${triple} with ${compiler}. To use "
                        "another linker, set CARGO_TARGET_${name}_LINKER=<file> in the "
                        "environment.\n${text}")
  endif()
  set(${out} ${env} PARENT_SCOPE)
endfunction()

# Sets ${out} to the libraries that Rust's standard library needs at the end of a static link, as
# plain names. Leaves out libc and libgcc: every link has them, and naming them would break a fully
# static link, for which there is no libgcc_s.a.
function(_steer_native_libs out)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/steer-native-libs)
  file(WRITE ${dir}/empty.rs "")
  execute_process(
    COMMAND ${STEER_RUSTC} --target ${STEER_RUST_TRIPLE} --crate-type staticlib
            --print native-static-libs empty.rs -o libempty.a
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
