#!/usr/bin/env bash
# Builds the application in this directory in every way in which Steer can be had, and runs it: real
# calls over real servers in each case. One line per case; the log of a failed one is shown.
#
#   run.sh [directory]     where to work; default: a temporary one, deleted when all is well
#
# STEER_CARGO_TARGET_DIR names a cargo target directory to share; JOBS, how many compilers to run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
jobs=${JOBS:-$(nproc)}
temporary=
if [[ $# -gt 0 ]]; then
  mkdir -p "$1"
  work=$(cd "$1" && pwd)
else
  work=$(mktemp -d)
  temporary=$work
fi
engine=${STEER_CARGO_TARGET_DIR:-$work/cargo}
prefix=$work/prefix
passed=0
failed=0

# check <name> <command...>: one case. The command stops at its first failure.
check() {
  local name=$1 start=$SECONDS status
  shift
  set +e
  (
    set -e
    "$@"
  ) >"$work/log" 2>&1
  status=$?
  set -e
  if [[ $status -eq 0 ]]; then
    passed=$((passed + 1))
    printf 'ok    %-60s %4d s\n' "$name" $((SECONDS - start))
  else
    failed=$((failed + 1))
    printf 'FAIL  %-60s %4d s\n' "$name" $((SECONDS - start))
    sed 's/^/      /' "$work/log"
  fi
}

# consumer <generator> <build type> <cmake arguments...>: configured, built and run from nothing. As a
# unity build, unless told otherwise: gRPC's internal headers take long to read.
consumer() {
  local generator=$1 type=$2 dir=$work/consumer
  shift 2
  rm -rf "$dir"
  cmake -S "$here" -B "$dir" -G "$generator" -DCMAKE_BUILD_TYPE="$type" --no-warn-unused-cli \
    -DSTEER_CARGO_TARGET_DIR="$engine" -DCMAKE_UNITY_BUILD=ON "$@"
  cmake --build "$dir" -j"$jobs"
  run_programs "$dir"
}

run_programs() {
  local program
  for program in client unaware_client c_interface; do
    "$1/$program"
    # Libraries are to be looked for by name: a path would bind the program to this machine.
    if readelf -d "$1/$program" | grep 'NEEDED.*/'; then return 1; fi
  done
}

# The tree that `consumer` left, once more: cargo runs, and finds that nothing is to be made.
nothing_to_do() {
  local text
  text=$(cmake --build "$work/consumer" -j"$jobs")
  echo "$text"
  if grep -E 'Linking|Building C' <<<"$text"; then return 1; fi
}

# Two configurations in one build tree, where the compiler's flags are known only when building.
multi_config() {
  local dir=$work/multi_config config
  rm -rf "$dir"
  cmake -S "$here" -B "$dir" -G "Ninja Multi-Config" -DCMAKE_UNITY_BUILD=ON "$@"
  for config in Debug Release; do
    cmake --build "$dir" --config "$config" -j"$jobs"
    run_programs "$dir/$config"
  done
}

install_steer() {
  rm -rf "$prefix"
  cmake -S "$source_dir" -B "$work/steer" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DSTEER_CARGO_TARGET_DIR="$engine" -DSTEER_BUILD_EXAMPLES=OFF -DSTEER_BUILD_TESTS=OFF \
    -DSTEER_BUILD_BENCH=OFF
  cmake --build "$work/steer" -j"$jobs"
  cmake --install "$work/steer" --prefix "$prefix"
  # A tree that can be moved names no place of its build.
  if grep -rI -e "$work" -e "$source_dir" "$prefix" --include='*.cmake' --include='*.pc'; then
    return 1
  fi
}

# The installed library under a program that was built without Steer, and fails without it.
preload() {
  if "$work/consumer/plain_client"; then return 1; fi
  # By its name, as LD_PRELOAD takes no path with blanks. Through a shell, which inherits the
  # preloaded library and has no gRPC.
  LD_LIBRARY_PATH=$(echo "$prefix"/lib/steer/grpc-*) LD_PRELOAD=libsteer-grpc-autoregister.so \
    sh -c '"$1"; exit $?' sh "$work/consumer/plain_client"
}

# For the C interface no gRPC is looked for.
engine_only() {
  local dir=$work/engine_only
  rm -rf "$dir"
  mkdir "$dir"
  cat >"$dir/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(engine_only LANGUAGES C)
find_package(steer REQUIRED COMPONENTS engine)
add_executable(c_interface $here/c_interface.c)
target_link_libraries(c_interface steer::engine)
END
  PKG_CONFIG_LIBDIR=$dir cmake -S "$dir" -B "$dir/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  cmake --build "$dir/build"
  "$dir/build/c_interface"
}

# pkg_config_c <output> <what pkg-config and cc are told>...: the C program without CMake.
pkg_config_c() {
  local out=$work/$1 text flags
  shift
  text=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "${@/#-static/--static}" --cflags --libs steer)
  # It prints words for a shell: blanks in paths are escaped.
  eval "flags=($text)"
  cc "$@" -std=c11 -Wall -Wextra -Wpedantic -Werror "$here/c_interface.c" -o "$out" "${flags[@]}"
  readelf -d "$out"
}

pkg_config_shared() {
  pkg_config_c c_shared | grep 'NEEDED.*libsteer'
  LD_LIBRARY_PATH=$prefix/lib "$work/c_shared"
}

pkg_config_static() {
  if pkg_config_c c_static -static | grep NEEDED; then return 1; fi
  "$work/c_static"
}

check "the CMake modules by themselves" "$source_dir/cmake/tests/run.sh"
from_source=(-DSTEER_DIRECTORY="$source_dir")
check "add_subdirectory, Debug" \
  consumer Ninja Debug -DSTEER_FROM=subdirectory -DCMAKE_UNITY_BUILD=OFF "${from_source[@]}"
check "  built again, nothing to do" nothing_to_do
check "add_subdirectory, Release, Makefiles, libsteer.so" \
  consumer "Unix Makefiles" Release -DSTEER_FROM=subdirectory -DBUILD_SHARED_LIBS=ON \
  "${from_source[@]}"
check "FetchContent, RelWithDebInfo, gRPC by pkg-config" \
  consumer Ninja RelWithDebInfo -DSTEER_FROM=fetchcontent -DGRPC_FROM=pkgconfig "${from_source[@]}"
check "cmake --install" install_steer
for type in Release Debug RelWithDebInfo ""; do
  check "find_package, ${type:-no build type}" \
    consumer Ninja "$type" -DCMAKE_PREFIX_PATH="$prefix"
done
check "find_package, Release, libgrpc_unsecure" \
  consumer Ninja Release -DCMAKE_PREFIX_PATH="$prefix" -DGRPC_LIBRARY=grpc++_unsecure
mkdir -p "$work/moved"
rm -rf "$work/moved/prefix"
mv "$prefix" "$work/moved/prefix"
prefix=$work/moved/prefix
check "find_package from a moved prefix, Release, libsteer.so" \
  consumer Ninja Release -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=ON
check "  the installed library preloaded" preload
check "find_package, Ninja Multi-Config, Debug and Release" \
  multi_config -DCMAKE_PREFIX_PATH="$prefix"
check "find_package COMPONENTS engine, C alone" engine_only
check "pkg-config, shared" pkg_config_shared
check "pkg-config, static" pkg_config_static

echo "$passed passed, $failed failed"
if [[ $failed -gt 0 ]]; then
  echo "the build trees are in $work"
  exit 1
fi
if [[ -n $temporary ]]; then
  rm -rf "$temporary"
fi
