# Finds Rust, and its sanitizer if STEER_SANITIZE is set. Run with cmake -P.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../SteerCargo.cmake)
_steer_find_rust(${CMAKE_CURRENT_LIST_DIR}/../..)
steer_sanitize_rust(flags cargo_arguments ${STEER_RUSTC})
message(STATUS "flags: ${flags}.")
message(STATUS "target: ${STEER_RUST_TRIPLE}.")
message(STATUS "environment: ${STEER_RUST_ENV}.")
