#!/usr/bin/env bash
# Whether a library that links steer::grpc shows nothing of Steer's or of Rust's, is never unloaded, and
# looks for no library in the current directory.
#
#   symbols.sh LIBRARY OTHER_BINARY...    LIBRARY is made of small.cc; of the others, only the last is asked
set -euo pipefail
status=0
fail() {
  echo "FAIL  $1"
  status=1
}

# Weak symbols are what its own code, and the C++ library's templates, are made into in every library.
shown=$(nm -D --defined-only "$1" | awk '$2 !~ /[WVu]/ { print $3 }' | sort | xargs)
[[ $shown == small_register ]] || fail "$1 shows: $(head -c 500 <<<"$shown")"
rust=$(nm -D --defined-only "$1" | awk '{ print $3 }' | grep -cE '^_R|17h[0-9a-f]{16}E$|^steer_|^rust_' || true)
[[ $rust == 0 ]] || fail "$1 shows $rust symbols of the engine's"
readelf --dynamic --wide "$1" | grep -q NODELETE || fail "$1 can be unloaded"
# What the C library holds ready for such libraries is too little for two of them.
if readelf --dynamic --wide "$1" | grep -q STATIC_TLS; then fail "$1 wants static thread-local memory"; fi

for file in "$@"; do
  if readelf --dynamic --wide "$file" | grep -E 'R(UN)?PATH' | grep -qE '\[:|::|:\]|\[\]'; then
    fail "$file: $(readelf --dynamic --wide "$file" | grep -E 'R(UN)?PATH')"
  fi
done
exit "$status"
