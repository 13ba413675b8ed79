#!/usr/bin/env bash
# Checks that a library that links steer::grpc exports no symbol of Steer or Rust, is never
# unloaded, and searches no library in the current directory.
#
#   symbols.sh LIBRARY OTHER_BINARY...    LIBRARY is made of small.cc. For the other binaries, only
#                                         the search path is checked
set -euo pipefail
status=0
fail() {
  echo "FAIL  $1"
  status=1
}

# Without weak symbols: the library's inline code and the C++ library's templates are weak.
shown=$(nm -D --defined-only "$1" | awk '$2 !~ /[WVu]/ { print $3 }' | sort | xargs)
[[ $shown == small_register ]] || fail "$1 exports: $(head -c 500 <<<"$shown")"
rust=$(nm -D --defined-only "$1" | awk '{ print $3 }' |
  grep -cE '^_R|17h[0-9a-f]{16}E$|^steer_|^rust_' || true)
[[ $rust == 0 ]] || fail "$1 exports $rust symbols of the engine"
readelf --dynamic --wide "$1" | grep -q NODELETE || fail "$1 can be unloaded"
# The C library reserves too little static thread-local memory for two such libraries.
if readelf --dynamic --wide "$1" | grep -q STATIC_TLS; then
  fail "$1 wants static thread-local memory"
fi

for file in "$@"; do
  if readelf --dynamic --wide "$file" | grep -E 'R(UN)?PATH' | grep -qE '\[:|::|:\]|\[\]'; then
    fail "$file: $(readelf --dynamic --wide "$file" | grep -E 'R(UN)?PATH')"
  fi
done
exit "$status"
