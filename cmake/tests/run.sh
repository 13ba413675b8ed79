#!/usr/bin/env bash
# Tests Steer's CMake modules: how they find gRPC, its headers, its NDEBUG and Rust, and above all
# their error messages. Fast, and without a network. With --online, also tests the real pip.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../script/tests/expect.sh
. "$here/../../script/tests/expect.sh"
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [[ -z $server ]] || kill "$server"' EXIT
# The user's package index, for the tests of the real pip.
real_index=${PIP_INDEX_URL-}
unset PIP_INDEX_URL PIP_NO_INDEX
cmake=$(command -v cmake)

# ---- NDEBUG --------------------------------------------------------------------------------------

stub() {
  local name=$1
  shift
  c++ -shared -fPIC "$@" "$here/stub.cc" -o "$work/lib$name.so"
}
stub with -DWITH_NDEBUG
stub without -DWITHOUT_NDEBUG
stub both -DWITH_NDEBUG -DWITHOUT_NDEBUG
stub neither

# All tests share one build tree, because an answer must not outlive the library that it is about.
grpc() {
  "$cmake" -S "$here/grpc" -B "$work/grpc" -G Ninja -DCMAKE_BUILD_TYPE=Release -DKIND=imported \
    -DSTEER_GRPC_NDEBUG= -DOWN_NDEBUG= "$@" && "$cmake" --build "$work/grpc"
}

for version in 1.51.1 1.83.0; do
  expect "NDEBUG, gRPC $version with it" 0 "was built with NDEBUG" "flag: -DNDEBUG." -- \
    grpc -DVERSION=$version -DLIBRARY="$work/libwith.so" -DEXPECT=1
  expect "NDEBUG, gRPC $version without it" 0 "was built without NDEBUG" "flag: -UNDEBUG." -- \
    grpc -DVERSION=$version -DLIBRARY="$work/libwithout.so" -DEXPECT=0
  expect "NDEBUG, gRPC $version, both probes link" 1 \
    "cannot tell whether gRPC $version" "both probes link" "-DSTEER_GRPC_NDEBUG=OFF" -- \
    grpc -DVERSION=$version -DLIBRARY="$work/libboth.so" -DEXPECT=0
  expect "NDEBUG, gRPC $version, neither links" 1 \
    "cannot tell whether gRPC $version" "neither of the two probes links" \
    "-DSTEER_GRPC_NDEBUG=ON" "undefined reference" -- \
    grpc -DVERSION=$version -DLIBRARY="$work/libneither.so" -DEXPECT=0
done
expect "NDEBUG, STEER_GRPC_NDEBUG=ON" 0 "flag: -DNDEBUG." "as set by STEER_GRPC_NDEBUG" -- \
  grpc -DVERSION=1.51.1 -DLIBRARY="$work/libneither.so" -DSTEER_GRPC_NDEBUG=ON -DEXPECT=1
expect "NDEBUG, STEER_GRPC_NDEBUG=OFF" 0 "flag: -UNDEBUG." -- \
  grpc -DVERSION=1.51.1 -DLIBRARY="$work/libneither.so" -DSTEER_GRPC_NDEBUG=OFF -DEXPECT=0
expect "NDEBUG, gRPC built here, Release" 0 "is part of this build" -- \
  grpc -DKIND=built_here -DVERSION=1.56.2 -DEXPECT=1
expect "NDEBUG, gRPC built here, Debug" 0 "is part of this build" -- \
  grpc -DKIND=built_here -DVERSION=1.56.2 -DCMAKE_BUILD_TYPE=Debug -DEXPECT=0
expect "NDEBUG, gRPC built here, its own definition" 0 "is part of this build" -- \
  grpc -DKIND=built_here -DVERSION=1.56.2 -DCMAKE_BUILD_TYPE=Debug -DOWN_NDEBUG=definition \
  -DEXPECT=1
expect "NDEBUG, gRPC built here, its own option" 0 "is part of this build" -- \
  grpc -DKIND=built_here -DVERSION=1.56.2 -DOWN_NDEBUG=option -DEXPECT=0

# ---- finding gRPC --------------------------------------------------------------------------------

expect "gRPC built here" 0 "target: grpc++ version: 1.56.2 built here: $here/grpc." -- \
  grpc -DKIND=built_here -DVERSION=1.56.2 -DEXPECT=1
expect "gRPC of a development version" 0 "version: 1.74.0 built here" -- \
  grpc -DKIND=built_here -DVERSION=1.74.0-dev -DEXPECT=1
expect "gRPC that hides its version" 1 "cannot tell the version of gRPC" \
  "-DSTEER_GRPC_VERSION=" -- \
  grpc -DVERSION= -DLIBRARY="$work/libwith.so" -DCMAKE_DISABLE_FIND_PACKAGE_gRPC=ON -DEXPECT=1
expect "no gRPC" 1 "found no gRPC" "find_package(gRPC CONFIG)" "pkg-config grpc++" \
  "COMPONENTS engine" -- env PKG_CONFIG_LIBDIR="$work" "$cmake" -S "$here/grpc" -B "$work/none" \
  -G Ninja -DKIND=none -DEXPECT=0

# ---- the internal headers ------------------------------------------------------------------------

# tree <directory> <version>: makes a source tree of this gRPC, with the files that the modules
# read.
tree() {
  local dir=$1 version=$2 place
  case $version in
    1.46.*) place=src/core/ext/filters/client_channel ;;
    1.83.*) place=src/core/load_balancing ;;
    *) place=src/core/lib/load_balancing ;;
  esac
  mkdir -p "$dir/$place" "$dir/src/python/grpcio" "$dir/third_party/upb" "$dir/include/grpc" \
    "$dir/third_party/abseil-cpp/absl/base"
  echo "// gRPC $version" >"$dir/$place/lb_policy.h"
  echo "#define UPB" >"$dir/third_party/upb/port_def.inc"
  echo "// upb" >"$dir/third_party/upb/upb.h"
  echo "// public" >"$dir/include/grpc/grpc.h"
  echo "// absl" | tee "$dir/third_party/abseil-cpp/absl/base/config.h" \
    >"$dir/third_party/abseil-cpp/absl/base/config.inc"
  echo "int x;" >"$dir/$place/lb_policy.cc"
  echo "VERSION = '$version'" >"$dir/src/python/grpcio/grpc_version.py"
}
for version in 1.46.5 1.51.1 1.83.0; do tree "$work/tree/$version" $version; done
tar -C "$work/tree" --transform 's/^1.51.1/grpcio-1.51.1/' -czf "$work/grpcio-1.51.1.tar.gz" 1.51.1

# headers <version> <cmake arguments...>: finds headers, by default with an empty cache.
headers() {
  local version=$1
  shift
  "$cmake" -DVERSION="$version" -DSTEER_CACHE_DIR="$work/empty-cache" "$@" -P "$here/headers.cmake"
}
fake=(-DSTEER_PYTHON="$here/fake_python")
export FAKE_SDIST=$work/grpcio-1.51.1.tar.gz

for version in 1.46.5 1.51.1; do
  expect "headers, STEER_GRPC_SOURCE_DIR, $version" 0 "dirs: $work/tree/$version." -- \
    headers $version -DSTEER_GRPC_SOURCE_DIR="$work/tree/$version"
done
root=$work/tree/1.83.0
generated="$root/src/core/ext/upb-gen $root/src/core/ext/upbdefs-gen"
expect "headers, STEER_GRPC_SOURCE_DIR, 1.83.0: also generated ones" 0 \
  "dirs: $root $generated $root/third_party/upb $root/third_party/utf8_range." \
  -- headers 1.83.0 -DSTEER_GRPC_SOURCE_DIR="$root"
expect "headers, another patch level of the same minor version" 0 "dirs: $work/tree/1.51.1." -- \
  headers 1.51.0 -DSTEER_GRPC_SOURCE_DIR="$work/tree/1.51.1"
expect "headers, STEER_GRPC_SOURCE_DIR is not gRPC" 1 "is not a source tree of gRPC 1.51.1" \
  "lb_policy.h" -- headers 1.51.1 -DSTEER_GRPC_SOURCE_DIR="$work"
expect "headers, STEER_GRPC_SOURCE_DIR is another gRPC" 1 "is gRPC 1.51, but" "gRPC is 1.56.2" -- \
  headers 1.56.2 -DSTEER_GRPC_SOURCE_DIR="$work/tree/1.51.1"
expect "headers, of a gRPC built here" 0 "dirs: $work/tree/1.51.1." -- \
  headers 1.51.1 -DBUILT_HERE="$work/tree/1.51.1"
expect "headers, STEER_GRPC_SOURCE_DIR goes first" 0 "dirs: $work/tree/1.51.1." -- \
  headers 1.51.1 -DBUILT_HERE="$work/tree/1.83.0" -DSTEER_GRPC_SOURCE_DIR="$work/tree/1.51.1"
for version in 1.52.1 1.77.0 1.79.3; do
  expect "headers, of a gRPC without a source package, $version" 1 \
    "1. -DSTEER_GRPC_SOURCE_DIR=" "2. the source of a gRPC in the same build" \
    "3. the source package grpcio==$version" "${version%.*} was never published" "at the tag" -- \
    headers $version -DSTEER_PYTHON=/nonexistent
done
tree "$work/tree/1.52.1" 1.52.1
expect "headers, of such a gRPC, STEER_GRPC_SOURCE_DIR" 0 "dirs: $work/tree/1.52.1." -- \
  headers 1.52.1 -DSTEER_GRPC_SOURCE_DIR="$work/tree/1.52.1"
expect "headers, of a gRPC that is too old" 1 "supports gRPC 1.46 to 1.85" "is 1.44.0" \
  "Use a newer gRPC" "COMPONENTS engine" -- \
  headers 1.44.0 -DSTEER_GRPC_SOURCE_DIR="$work/tree/1.46.5"
expect "headers, of a gRPC that is too new" 1 "supports gRPC 1.46 to 1.85" "is 1.86.0" \
  "Use a newer Steer" "-DSTEER_GRPC_SOURCE_DIR=" -- headers 1.86.0
tree "$work/tree/1.83.7" 1.83.7
sed -i 's/1.83.7/1.86.0/' "$work/tree/1.83.7/src/python/grpcio/grpc_version.py"
expect "headers, of one that is too new, STEER_GRPC_SOURCE_DIR" 0 "is not tested" "dirs: " -- \
  headers 1.86.0 -DSTEER_GRPC_SOURCE_DIR="$work/tree/1.83.7"

expect "fetch" 0 "fetching gRPC 1.51.1" "dirs: $work/cache/grpc-sdists/1.51.1-" -- \
  headers 1.51.1 -DSTEER_CACHE_DIR="$work/cache" "${fake[@]}"
expect "fetch, only headers are kept" 0 "4 .h 2 .inc" -- bash -c \
  "cd '$work/cache' && find . -type f | sed 's/.*\././' | sort | uniq -c"
expect "fetch, the cache is warm: nothing is run" 0 "dirs: $work/cache/grpc-sdists/1.51.1-" -- \
  headers 1.51.1 -DSTEER_CACHE_DIR="$work/cache" -DSTEER_PYTHON=/nonexistent
tar -C "$work/tree" --transform 's/^1.51.1/grpcio-1.51.3/' -czf "$work/grpcio-1.51.3.tar.gz" 1.51.1
expect "fetch, a patch level without a row: the last one of its minor version" 0 \
  "dirs: $work/cache/grpc-sdists/1.51.3-" -- \
  env FAKE_SDIST="$work/grpcio-1.51.3.tar.gz" "$cmake" -DVERSION=1.51.0 \
  -DSTEER_CACHE_DIR="$work/cache" "${fake[@]}" -P "$here/headers.cmake"
expect "fetch, another hash is another package" 1 "fake fault: download" -- \
  env FAKE_FAULT=download "$cmake" -DVERSION=1.51.1 -DSTEER_CACHE_DIR="$work/cache" "${fake[@]}" \
  -DSTEER_GRPC_SDIST_SHA256=0123456789abcdef -P "$here/headers.cmake"
expect "fetch, cache in XDG_CACHE_HOME" 0 "dirs: $work/xdg/steer/grpc-sdists/1.51.1-" -- \
  env XDG_CACHE_HOME="$work/xdg" "$cmake" -DVERSION=1.51.1 "${fake[@]}" -P "$here/headers.cmake"
expect "fetch, cache in the home directory" 0 "dirs: $work/home/.cache/steer/grpc-sdists/" -- \
  env -u XDG_CACHE_HOME HOME="$work/home" "$cmake" -DVERSION=1.51.1 "${fake[@]}" \
  -P "$here/headers.cmake"
expect "fetch, no home directory" 1 "there is no writable home directory" "-DSTEER_CACHE_DIR=" -- \
  env -u XDG_CACHE_HOME -u HOME "$cmake" -DVERSION=1.51.1 "${fake[@]}" -P "$here/headers.cmake"
expect "fetch, the home directory is not writable" 1 "no writable home directory" \
  "-DSTEER_CACHE_DIR=" -- \
  env -u XDG_CACHE_HOME HOME="$work/grpcio-1.51.1.tar.gz" "$cmake" -DVERSION=1.51.1 "${fake[@]}" \
  -P "$here/headers.cmake"
expect "fetch, STEER_CACHE_DIR is not writable" 1 "is not writable" "-DSTEER_CACHE_DIR=" -- \
  headers 1.51.1 -DSTEER_CACHE_DIR="$work/grpcio-1.51.1.tar.gz/steer" "${fake[@]}"
expect "fetch, cache in the environment's STEER_CACHE_DIR" 0 \
  "dirs: $work/named/grpc-sdists/1.51.1-" -- \
  env -u HOME STEER_CACHE_DIR="$work/named" "$cmake" -DVERSION=1.51.1 "${fake[@]}" \
  -P "$here/headers.cmake"

# In a build tree, which contains the cache if the user has none.
cache() {
  rm -rf "$work/tree of a build"
  env -u XDG_CACHE_HOME -u CARGO_HOME -u STEER_CACHE_DIR "$@" "$cmake" -S "$here/cache" \
    -B "$work/tree of a build"
}
own="$work/tree of a build/steer-cache"
expect "cache, HOME is not set" 0 \
  "HOME is not set" "-DSTEER_CACHE_DIR=" "cache: $own. cargo: CARGO_HOME=$own/cargo." -- \
  cache -u HOME
expect "cache, HOME is not writable" 0 \
  "is not writable" "-DSTEER_CACHE_DIR=" "cache: $own. cargo: CARGO_HOME=$own/cargo." -- \
  cache HOME="$work/grpcio-1.51.1.tar.gz"
expect "cache, HOME does not exist yet" 0 "cache: $work/not yet/.cache/steer. cargo: ." -- \
  cache HOME="$work/not yet"
expect "cache, CARGO_HOME is set" 0 "cache: $own. cargo: ." -- cache -u HOME CARGO_HOME="$work"
expect "cache, STEER_CACHE_DIR is set" 0 "cache: $work/c d. cargo: CARGO_HOME=$work/c d/cargo." -- \
  cache -u HOME STEER_CACHE_DIR="$work/c d"

expect "fetch, no python3" 1 "there is no python3" "apt install python3-venv" "PIP_INDEX_URL=" -- \
  env PATH="$work/nothing" "$cmake" -DVERSION=1.51.1 -DSTEER_CACHE_DIR="$work/empty-cache" \
  -P "$here/headers.cmake"
expect "fetch, python3 without venv" 1 "has no venv module" "apt install python3-venv" -- \
  env FAKE_FAULT=venv "$cmake" -DVERSION=1.51.1 -DSTEER_CACHE_DIR="$work/empty-cache" "${fake[@]}" \
  -P "$here/headers.cmake"
expect "fetch, pip fails" 1 "1. -DSTEER_GRPC_SOURCE_DIR=" "pip-tools.txt" "fake fault: tools" -- \
  env FAKE_FAULT=tools "$cmake" -DVERSION=1.51.1 -DSTEER_CACHE_DIR="$work/empty-cache" \
  "${fake[@]}" \
  -P "$here/headers.cmake"
echo "no archive" >"$work/grpcio-1.83.0.tar.gz"
expect "fetch, a broken archive" 1 "cannot unpack grpcio-1.83.0.tar.gz" -- \
  env FAKE_SDIST="$work/grpcio-1.83.0.tar.gz" "$cmake" -DVERSION=1.83.0 \
  -DSTEER_GRPC_SDIST_SHA256=0123456789abcdef -DSTEER_CACHE_DIR="$work/empty-cache" "${fake[@]}" \
  -P "$here/headers.cmake"

# ---- a package index -----------------------------------------------------------------------------

# Pages in HTML and JSON, with absolute addresses, addresses from the root, and relative ones.
site=$work/site
mkdir -p "$site"/{whole,root,relative,json,empty}/grpcio "$site/packages"
cp "$FAKE_SDIST" "$site/packages"
cat >"$work/server.py" <<'END'
import functools, http.server, sys

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_port, flush=True)
server.serve_forever()
END
coproc SERVER { exec python3 "$work/server.py" "$site" 2>/dev/null; }
server=$SERVER_PID
read -r port <&"${SERVER[0]}"
index=http://127.0.0.1:$port
page() {
  {
    printf '<!DOCTYPE html>\n'
    printf '<a href="%s">grpcio-1.51.0.tar.gz</a>\n' "${2/1.51.1/1.51.0}"
    printf '<a href="%s#sha256=0">grpcio-1.51.1.tar.gz</a>\n' "$2"
  } >"$site/$1/grpcio/index.html"
}
page whole "$index/packages/grpcio-1.51.1.tar.gz"
page root /packages/grpcio-1.51.1.tar.gz
page relative ../../packages/grpcio-1.51.1.tar.gz
printf '{"files":[{"filename":"a","url":"%s/a"},{"filename":"grpcio-1.51.1.tar.gz","url":"%s"}]}' \
  "$index/packages" "$index/packages/grpcio-1.51.1.tar.gz" >"$site/json/grpcio/index.html"
echo "<!DOCTYPE html>" >"$site/empty/grpcio/index.html"
fake_hash=$(sha256sum "$FAKE_SDIST" | cut -d ' ' -f 1)

# from_index <cmake arguments...>: finds headers, with an empty cache.
from_index() {
  rm -rf "$work/index-cache"
  headers 1.51.1 -DSTEER_CACHE_DIR="$work/index-cache" -DSTEER_GRPC_SDIST_SHA256="$fake_hash" "$@"
}
kept="dirs: $work/index-cache/grpc-sdists/1.51.1-${fake_hash:0:12}."
# These tests must not use pip.
export FAKE_FAULT=download
for kind in whole root relative json; do
  PIP_INDEX_URL=$index/$kind/ \
    expect "index, without Python, addresses: $kind" 0 "$kept" -- from_index -DSTEER_PYTHON=
done
FAKE_PIP_CONFIG="global.index-url='$index/whole'" \
  expect "index, of pip's configuration" 0 "$kept" -- from_index "${fake[@]}"
FAKE_PIP_CONFIG="download.index-url='$index/whole'
global.index-url='$index/empty'" \
  expect "index, of pip's configuration for downloads" 0 "$kept" -- from_index "${fake[@]}"
FAKE_PIP_DEFAULT=$index/whole expect "index, pip's own" 0 "$kept" -- from_index "${fake[@]}"
FAKE_PIP_CONFIG="global.no-index='true'" FAKE_PIP_DEFAULT=$index/whole \
  expect "index, none is to be used" 1 "(no-index)" "by pip: failed" "fake fault: download" -- \
  from_index "${fake[@]}"
PIP_INDEX_URL=$index/empty \
  expect "index, without the package: both are named" 1 \
  "by CMake's file(DOWNLOAD): $index/empty/grpcio/ has no grpcio-1.51.1.tar.gz" \
  "by pip: failed" "fake fault: download" -- from_index "${fake[@]}"
PIP_INDEX_URL=$index/nothing \
  expect "index, no such page" 1 "HTTP response code" "fake fault: download" -- \
  from_index "${fake[@]}"
PIP_INDEX_URL=$index/whole \
  expect "index, a package of another hash" 1 "grpcio-1.51.1.tar.gz of $index/whole/grpcio/" \
  "HASH" \
  "fake fault: download" -- from_index "${fake[@]}" -DSTEER_GRPC_SDIST_SHA256="$(printf '%064d' 0)"
PIP_INDEX_URL=http://user:secret@127.0.0.1:$port/empty \
  expect "index, a password is not shown" 1 \
  "DOWNLOAD): http://127.0.0.1:$port/empty/grpcio/ has no" \
  "by pip: there is no python3" -- from_index -DSTEER_PYTHON=
unset FAKE_FAULT
PIP_INDEX_URL=$index/empty \
  expect "index, without the package: pip has it" 0 "$kept" -- from_index "${fake[@]}"

several_at_once() {
  local pids=() pid
  for _ in 1 2 3 4; do
    headers 1.51.1 -DSTEER_CACHE_DIR="$work/shared-cache" "${fake[@]}" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || return 1; done
  ls "$work/shared-cache" "$work/shared-cache/grpc-sdists"
}
expect "fetch, four at once" 0 "shared-cache: grpc-sdists" "grpc-sdists: 1.51.1-e6dfc2b6567b" -- \
  several_at_once
expect "fetch, failures leave no files" 0 "" -- \
  bash -c "! ls '$work/empty-cache' '$work/shared-cache' | grep tmp-"

# ---- Rust ----------------------------------------------------------------------------------------

# Runs in $work, because the script writes its probe into the current directory.
rust() {
  (cd "$work" && "$cmake" -DSTEER_CARGO=/bin/true -DSTEER_RUSTC="$here/fake_rustc" "$@" \
    -P "$here/rust.cmake")
}
expect "Rust, none" 1 "cargo was not found" "apt install cargo-web" -- \
  env PATH="$work/nothing" HOME="$work" CARGO_HOME="$work" "$cmake" -P "$here/rust.cmake"
export FAKE_RELEASE=1.84.1
expect "Rust, too old" 1 "needs rustc 1.85 or newer" "fake_rustc is 1.84.1" -- rust
export FAKE_RELEASE=1.85.0
expect "Rust, just new enough" 0 "rustc 1.85.0" "flags: ." -- rust
expect "Rust, that cannot sanitize" 0 "NOT instrumented" "fake fault" "flags: ." -- \
  rust "-DSTEER_SANITIZE=address;undefined"

# The target is the C compiler's, and its standard library must exist.
for pair in aarch64-linux-gnu:aarch64-unknown-linux-gnu \
  arm-linux-gnueabihf:armv7-unknown-linux-gnueabihf \
  riscv64-linux-gnu:riscv64gc-unknown-linux-gnu i586-linux-gnu:i686-unknown-linux-gnu \
  aarch64-none-linux-gnu:aarch64-unknown-linux-gnu x86_64-linux-musl:x86_64-unknown-linux-musl \
  arm64-apple-darwin23.1.0:aarch64-apple-darwin; do
  FAKE_MACHINE=${pair%:*} \
    expect "Rust, for ${pair%:*}" 1 "rustc 1.85.0 ($here/fake_rustc) for ${pair#*:} " \
    "has no standard library for it" "rustup target add ${pair#*:}" "libstd-rust-dev" -- \
    rust -DCMAKE_C_COMPILER="$here/fake_rustc"
done
for pair in x86_64-linux-gnu:x86_64-unknown-linux-gnu x86_64-pc-linux-gnu:x86_64-unknown-linux-gnu \
  x86_64-alpine-linux-musl:x86_64-alpine-linux-musl \
  riscv64-linux-gnu:riscv64gc-unknown-linux-gnu; do
  FAKE_MACHINE=${pair%:*} FAKE_HOST=${pair#*:} \
    expect "Rust, on ${pair#*:} for ${pair%:*}" 0 "flags: ." "target: ${pair#*:}." -- \
    rust -DCMAKE_C_COMPILER="$here/fake_rustc"
done
FAKE_HOST=x86_64-unknown-linux-gnu FAKE_MACHINE=x86_64-linux-gnu \
  expect "Rust, with -m32" 1 "for i686-unknown-linux-gnu" -- \
  rust -DCMAKE_C_COMPILER="$here/fake_rustc" -DCMAKE_SIZEOF_VOID_P=4
FAKE_MACHINE=x86_64-linux-gnu \
  expect "Rust, Clang's target" 1 "for aarch64-unknown-linux-gnu" -- \
  rust -DCMAKE_C_COMPILER="$here/fake_rustc" -DCMAKE_C_COMPILER_TARGET=aarch64-linux-gnu
FAKE_MACHINE=aarch64-linux-gnu \
  expect "Rust, STEER_RUST_TARGET takes precedence" 1 "for aarch64-unknown-linux-musl" -- \
  rust -DCMAKE_C_COMPILER="$here/fake_rustc" -DSTEER_RUST_TARGET=aarch64-unknown-linux-musl
FAKE_MACHINE=quux \
  expect "Rust, a cross build for an unknown machine" 1 'name of the machine "quux"' \
  "-DSTEER_RUST_TARGET=" -- \
  rust -DCMAKE_C_COMPILER="$here/fake_rustc" -DCMAKE_CROSSCOMPILING=ON
mkdir -p "$work/std/lib"
touch "$work/std/lib/libstd-0.rlib"
FAKE_MACHINE=aarch64-linux-gnu FAKE_LIBDIR=$work/std/lib FAKE_LINKS=host \
  expect "Rust, a cross build without a linker" 1 "cannot link for aarch64-unknown-linux-gnu with" \
  "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=<file>" "fake fault: no linker" -- \
  rust -DCMAKE_C_COMPILER="$here/fake_rustc"
FAKE_MACHINE=aarch64-linux-gnu FAKE_LIBDIR=$work/std/lib \
  expect "Rust, a cross build without a compiler for this machine" 1 "cannot link for it" \
  "apt install gcc libc6-dev" -- rust -DCMAKE_C_COMPILER="$here/fake_rustc"
FAKE_MACHINE=aarch64-linux-gnu FAKE_LIBDIR=$work/std/lib FAKE_LINKS="host target" \
  expect "Rust, a cross build" 0 "target: aarch64-unknown-linux-gnu." \
  "environment: CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$here/fake_rustc." -- \
  rust -DCMAKE_C_COMPILER="$here/fake_rustc"

# ---- users' pickers in Rust ----------------------------------------------------------------------

# crate <directory> <name> <more lines of Cargo.toml>: makes a crate, which is never built.
crate() {
  mkdir -p "$1/src"
  printf '[package]\nname = "%s"\nversion = "0.1.0"\n%b[workspace]\n' "$2" "$3" >"$1/Cargo.toml"
  touch "$1/src/lib.rs"
}
with_sdk='[dependencies]\nsteer-sdk = "0.1"\n'
crate "$work/crates/one" a-picker "$with_sdk"
crate "$work/crates/two" a-picker "$with_sdk"
crate "$work/crates/other" other ""
crate "$work/crates/program" program "$with_sdk"
mv "$work/crates/program/src/lib.rs" "$work/crates/program/src/main.rs"

picker() {
  rm -rf "$work/picker"
  "$cmake" -S "$here/rust_picker" -B "$work/picker" -G Ninja -DNAME=mine "$@"
}
expect "picker in Rust, linked" 0 -- picker -DCRATE="$work/crates/one"
expect "picker in Rust, loaded" 0 -- picker -DCRATE="$work/crates/one" -DKIND=MODULE
expect "picker in Rust, both" 0 -- \
  picker -DCRATE="$work/crates/one" -DKIND=MODULE -DOTHER="$work/crates/one"
expect "picker in Rust, twice" 0 -- picker -DCRATE="$work/crates/one" -DOTHER="$work/crates/one"
expect "picker in Rust, no crate" 1 "steer_add_rust_picker(mine)" \
  "there is no $work/crates/Cargo.toml" -- picker -DCRATE="$work/crates"
expect "picker in Rust, without steer-sdk" 1 "does not depend on steer-sdk" -- \
  picker -DCRATE="$work/crates/other"
expect "picker in Rust, without a library" 1 "has no library" "src/lib.rs" -- \
  picker -DCRATE="$work/crates/program"
expect "picker in Rust, two of one name" 1 \
  "the libraries of $work/crates/two and $work/crates/one have the same name, a_picker" -- \
  picker -DCRATE="$work/crates/two" -DOTHER="$work/crates/one"
expect "picker in Rust, an unknown argument" 1 "unknown argument STATIC" -- \
  picker -DCRATE="$work/crates/one" -DKIND=STATIC
expect "picker in Rust, no ELF" 1 "only on ELF systems" "Use MODULE" -- \
  picker -DCRATE="$work/crates/one" -DCMAKE_EXECUTABLE_FORMAT=MACHO

if [[ ${1:-} == --online ]]; then
  if [[ -n $real_index ]]; then export PIP_INDEX_URL=$real_index; fi
  expect "pip, no index" 1 "No matching distribution found" -- \
    env PIP_NO_INDEX=1 "$cmake" -DVERSION=1.51.1 -DSTEER_CACHE_DIR="$work/empty-cache" \
    -P "$here/headers.cmake"
  expect "pip, wrong hash" 1 "THESE PACKAGES DO NOT MATCH THE HASHES" -- \
    headers 1.51.1 -DSTEER_GRPC_SDIST_SHA256="$(printf '%064d' 0)"
  expect "the real thing" 0 "dirs: $work/online/grpc-sdists/1.51.1-" -- \
    headers 1.51.1 -DSTEER_CACHE_DIR="$work/online"
fi

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
