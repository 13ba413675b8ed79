#!/usr/bin/env bash
# Builds the application in this directory in every way to get Steer, and runs it, with real calls
# to real servers. Prints one line per case, and the log of a failed one.
#
#   run.sh [directory]     the work directory; default: a temporary one, deleted if all cases pass
#
# STEER_CARGO_TARGET_DIR: a cargo target directory to share. JOBS: the number of compilers to run.
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

# check <name> <command...>: runs one case. The command stops at its first failure.
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
  if [[ $status -eq 75 ]]; then
    printf 'SKIP  %-60s %s\n' "$name" "$(tail -n 1 "$work/log")"
  elif [[ $status -eq 0 ]]; then
    passed=$((passed + 1))
    printf 'ok    %-60s %4d s\n' "$name" $((SECONDS - start))
  else
    failed=$((failed + 1))
    printf 'FAIL  %-60s %4d s\n' "$name" $((SECONDS - start))
    sed 's/^/      /' "$work/log"
  fi
}

# consumer <generator> <build type> <cmake arguments...>: configures, builds and runs in a new
# directory. By default a unity build, because gRPC's internal headers take long to parse.
consumer() {
  local generator=$1 type=$2 dir=$work/consumer
  shift 2
  rm -rf "$dir"
  cmake -S "$here" -B "$dir" -G "$generator" -DCMAKE_BUILD_TYPE="$type" --no-warn-unused-cli \
    -DSTEER_CARGO_TARGET_DIR="$engine" -DCMAKE_UNITY_BUILD=ON "$@"
  cmake --build "$dir" -j"$jobs"
  run_programs "$dir"
}

# env_consumer <NAME=VALUE> <arguments of consumer>...
env_consumer() {
  export "${1?}"
  shift
  consumer "$@"
}

run_programs() {
  local program
  for program in client unaware_client c_interface; do
    "$1/$program"
    # Libraries must be named without a path, which would bind the program to this machine.
    if readelf -d "$1/$program" | grep 'NEEDED.*/'; then return 1; fi
  done
}

# Builds the tree of `consumer` again. Cargo runs, and finds that everything is up to date.
nothing_to_do() {
  local text
  text=$(cmake --build "$work/consumer" -j"$jobs")
  echo "$text"
  if grep -E 'Linking|Building C' <<<"$text"; then return 1; fi
}

# Two configurations in one build tree. The compiler's flags are known only when building.
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
    -DSTEER_BUILD_BENCH=OFF -DSTEER_BUILD_REAL_CALLS=OFF
  cmake --build "$work/steer" -j"$jobs"
  cmake --install "$work/steer" --prefix "$prefix"
  # A tree that can be moved contains no path of its build.
  if grep -rI -e "$work" -e "$source_dir" "$prefix" --include='*.cmake' --include='*.pc'; then
    return 1
  fi
}

# Preloads the installed library under a program that was built without Steer, and fails without it.
preload() {
  if "$work/consumer/plain_client"; then return 1; fi
  # By its name, because LD_PRELOAD accepts no path with blanks. Through a shell, which loads the
  # library too, and has no gRPC.
  LD_LIBRARY_PATH=$(echo "$prefix"/lib/steer/grpc-*) LD_PRELOAD=libsteer-grpc-autoregister.so \
    sh -c '"$1"; exit $?' sh "$work/consumer/plain_client"
}

# The installed programs run. steer-sim lists its scenarios, and runs one.
programs() {
  "$prefix/bin/steer-top" --version
  "$prefix/bin/steer-sim" --version
  "$prefix/bin/steer-sim" list | grep '^one_slow$'
  "$prefix/bin/steer-sim" run all_alike --policy steer_round_robin
}

# Checks the messages about the parts that are left out. Without a generator and a build type, as a
# user calls cmake in a new clone.
with_what_there_is() {
  local text part status=0
  # The next case leaves STEER_REQUIRE_PARTS in the cache of this tree.
  rm -rf "$work/default"
  text=$(without_libraries) || status=$?
  echo "$text"
  ((status == 0))
  for part in "tests/grpc is left out: GTest" "tests/plugins/grpc is left out: GTest" \
    "bench is left out: benchmark" "every test in Python is left out: Python3" \
    "tests/docs is left out: Python3"; do
    grep -F "$part is missing" <<<"$text"
  done
}

# without_libraries <cmake arguments...>: configures a clone as on a machine without some libraries.
without_libraries() {
  cmake -S "$source_dir" -B "$work/default" -DSTEER_CARGO_TARGET_DIR="$engine" \
    -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_benchmark=ON \
    -DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON "$@" 2>&1
}

all_parts_wanted() {
  local text
  if text=$(without_libraries -DSTEER_REQUIRE_PARTS=ON); then return 1; fi
  echo "$text"
  tr -s ' \n' ' ' <<<"$text" | grep "left out: .*, and STEER_REQUIRE_PARTS is ON"
}

# Uninstalling removes the installed files, and only these.
uninstall() {
  local dir=$work/uninstall left
  rm -rf "$dir"
  mkdir -p "$dir/lib/pkgconfig" "$dir/include/steer"
  touch "$dir/lib/pkgconfig/other.pc" "$dir/include/steer/other.h"
  cmake --install "$work/steer" --prefix "$dir"
  cmake --build "$work/steer" --target uninstall
  left=$(cd "$dir" && find . -type f -o -type l | sort | xargs)
  echo "left: $left"
  [[ $left == "./include/steer/other.h ./lib/pkgconfig/other.pc" ]]
  # Steer's own directories are removed, too.
  [[ ! -e $dir/share/steer && ! -e $dir/lib/cmake/steer ]]
  # With DESTDIR, and again when nothing is left.
  DESTDIR=$work/uninstall-root cmake --install "$work/steer" --prefix "$dir"
  DESTDIR=$work/uninstall-root cmake --build "$work/steer" --target uninstall
  [[ -z $(find "$work/uninstall-root" -type f) ]]
  cmake --build "$work/steer" --target uninstall | grep "removed 0 files"
}

# project <directory> <languages> <lines of CMake>: makes a small project.
project() {
  rm -rf "$1"
  mkdir "$1"
  printf 'cmake_minimum_required(VERSION 3.25)\nproject(small LANGUAGES %s)\n%s\n' "$2" "$3" \
    >"$1/CMakeLists.txt"
}

# A project in C needs no C++ compiler and no gRPC.
c_project() {
  local dir=$work/c_project
  project "$dir" C "find_package(steer REQUIRED $*)
add_executable(c_interface \"$here/c_interface.c\")
target_link_libraries(c_interface steer::engine)
add_library(by_name MODULE \"$source_dir/examples/by-name/by_name.c\")
target_link_libraries(by_name steer::headers)"
  PKG_CONFIG_LIBDIR=$dir CXX=/nonexistent cmake -S "$dir" -B "$dir/build" -G Ninja \
    -DCMAKE_PREFIX_PATH="$prefix"
  cmake --build "$dir/build"
  "$dir/build/c_interface"
}

# plugins_alone <line>: a project that builds only plugins compiles neither shim nor engine. The
# line gets Steer.
plugins_alone() {
  local dir=$work/plugins_alone text
  project "$dir" "C CXX" "find_package(gRPC CONFIG REQUIRED)
$1
add_library(by_name MODULE \"$source_dir/examples/by-name/by_name.c\")
target_link_libraries(by_name steer::headers)"
  cmake -S "$dir" -B "$dir/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  text=$(cmake --build "$dir/build" -v)
  echo "$text"
  grep by_name.c.o <<<"$text"
  if grep -E "cpp-shim|cargo" <<<"$text"; then return 1; fi
}

# Builds a copy of the source with vendored crates, headers in the cache, and no network.
offline() {
  local dir=$work/offline network=(unshare --map-root-user --net)
  rm -rf "$dir"
  mkdir -p "$dir/steer"
  "${network[@]}" true || network=(unshare --net)
  if ! "${network[@]}" true; then
    echo "this machine does not allow network namespaces"
    return 75
  fi
  cd "$source_dir"
  git ls-files -z | xargs -0 cp --parents -t "$dir/steer"
  cd "$dir/steer"
  mkdir .cargo
  cargo vendor --locked vendor >.cargo/config.toml
  # An empty home for cargo. No compiler cache, which may be a server in the network.
  env -u RUSTC_WRAPPER -u CARGO_BUILD_RUSTC_WRAPPER CARGO_HOME="$dir/cargo-home" \
    STEER_DIRECTORY="$dir/steer" "${network[@]}" bash -euo pipefail -c '
      if (exec 3<>/dev/tcp/192.0.2.1/80) 2>/dev/null; then exit 1; fi
      cmake -S "$1" -B "$2/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DSTEER_FROM=subdirectory \
        -DSTEER_DIRECTORY="$STEER_DIRECTORY" -DCMAKE_UNITY_BUILD=ON
      cmake --build "$2/build" -j "$3"
      "$2/build/c_interface"' _ "$here" "$dir" "$jobs"
}

# For the C interface, CMake does not look for gRPC.
engine_only() {
  local dir=$work/engine_only
  rm -rf "$dir"
  mkdir "$dir"
  cat >"$dir/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(engine_only LANGUAGES C)
find_package(steer REQUIRED COMPONENTS engine)
add_executable(c_interface "$here/c_interface.c")
target_link_libraries(c_interface steer::engine)
END
  PKG_CONFIG_LIBDIR=$dir cmake -S "$dir" -B "$dir/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  cmake --build "$dir/build"
  "$dir/build/c_interface"
}

# pkg_config_c <output> <options of pkg-config and cc>...: builds the C program without CMake.
pkg_config_c() {
  local out=$work/$1 text flags
  shift
  text=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "${@/#-static/--static}" --cflags \
    --libs steer)
  # pkg-config prints words for a shell, with escaped blanks.
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

check "the CMake modules alone" "$source_dir/cmake/tests/run.sh"
from_source=(-DSTEER_DIRECTORY="$source_dir")
check "add_subdirectory, Debug" \
  consumer Ninja Debug -DSTEER_FROM=subdirectory -DCMAKE_UNITY_BUILD=OFF "${from_source[@]}"
check "  built again, nothing to do" nothing_to_do
check "add_subdirectory, Release, Makefiles, libsteer.so" \
  consumer "Unix Makefiles" Release -DSTEER_FROM=subdirectory -DBUILD_SHARED_LIBS=ON \
  "${from_source[@]}"
# CARGO_BUILD_TARGET names another machine, which must have no effect: the C compiler's target
# counts.
check "FetchContent, RelWithDebInfo, gRPC by pkg-config, CARGO_BUILD_TARGET" \
  env_consumer CARGO_BUILD_TARGET=riscv64gc-unknown-linux-gnu Ninja RelWithDebInfo \
  -DSTEER_FROM=fetchcontent -DGRPC_FROM=pkgconfig "${from_source[@]}"
check "add_subdirectory, vendored crates, no network" offline
check "cmake in a clone without GTest, benchmark and Python" with_what_there_is
check "  all parts wanted" all_parts_wanted
check "cmake --install" install_steer
check "  uninstall" uninstall
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
check "  the installed programs" programs
check "find_package, Ninja Multi-Config, Debug and Release" \
  multi_config -DCMAKE_PREFIX_PATH="$prefix"
check "find_package COMPONENTS engine, C alone" engine_only
check "find_package COMPONENTS engine headers, C alone" c_project COMPONENTS engine headers
check "find_package, C alone" c_project
check "find_package, plugins alone" plugins_alone "find_package(steer REQUIRED)"
check "find_package COMPONENTS headers, plugins alone" \
  plugins_alone "find_package(steer REQUIRED COMPONENTS headers)"
check "add_subdirectory, plugins alone" plugins_alone "add_subdirectory(\"$source_dir\" steer)"
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
