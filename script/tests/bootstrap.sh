#!/usr/bin/env bash
# Tests what script/bootstrap and script/demo say on machines that lack something: no packages, no
# root, no sudo, no home directory, a clone of somebody else's. Fast, without a network; nothing is
# installed, as apt-get, sudo and id are stand-ins.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# expect <name> <0 or 1: does it succeed?> <what its output must have>... -- <command...>
expect() {
  local name=$1 wanted=$2 text status words=() word missing=""
  shift 2
  while [[ $1 != -- ]]; do
    words+=("$1")
    shift
  done
  shift
  text=$("$@" 2>&1) && status=0 || status=1
  for word in "${words[@]}"; do
    if [[ $word == !* && $text == *"${word#!}"* ]]; then missing+="; said: ${word#!}"; fi
    if [[ $word != !* && $text != *"$word"* ]]; then missing+="; not said: $word"; fi
  done
  if [[ $status -eq $wanted && -z $missing ]]; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    echo "FAIL  $name: exit status $status$missing"
    sed 's/^/      /' <<<"$text"
  fi
}

# A clone of its own, in a path with a blank: only what the scripts read.
clone="$work/a clone"
mkdir -p "$clone/script" "$work/home"
cp "$repo/script/bootstrap" "$repo/script/demo" "$repo/script/environment.sh" "$clone/script"
cp "$repo/Cargo.toml" "$clone"

# stand_in <directory> <command> <its program>
stand_in() {
  mkdir -p "$1"
  printf '#!/bin/bash\n%s\n' "$3" >"$1/$2"
  chmod +x "$1/$2"
}

# The machine before anything was installed: a shell and Debian's essential tools.
bare=$work/bare
mkdir -p "$bare"
for tool in bash cat chmod cut dirname env grep head mkdir mktemp rm sed sort tail touch tr; do
  ln -s "$(command -v $tool)" "$bare/$tool"
done
stand_in "$bare" id 'if [[ $1 == -un ]]; then echo somebody; else echo "${FAKE_UID:-1000}"; fi'
stand_in "$bare" apt-get 'echo "apt-get $*"; [[ ${FAKE_FAULT-} != "$1" ]]'
stand_in "$bare" apt-cache 'echo "  Candidate: ${FAKE_RUST:-(none)}"'
stand_in "$work/sudo" sudo 'echo "sudo $*"; [[ ${FAKE_FAULT-} != sudo ]] && "$@"'

# bootstrap <purpose> <variable=value>...: on the bare machine.
bootstrap() {
  env -i PATH="$bare" HOME="$work/home" "${@:2}" "$clone/script/bootstrap" "$1"
}

# ---- who installs ----------------------------------------------------------------------------------

line="apt-get install --no-install-recommends"
expect "no root, no sudo: the line for root" 1 \
  "only root can install this, and there is no sudo" "apt-get update
  $line " " cmake ninja-build " " libgrpc++-dev " "!apt-get install --yes" -- bootstrap demo
expect "no root, no sudo: the tests' line" 1 "$line " " libgtest-dev " " make " -- bootstrap test
expect "no root, no sudo: the report's line" 1 "$line " " python3-venv " -- bootstrap report
expect "no root, sudo refuses: the line for root" 1 \
  "sudo apt-get update failed" "$line " " cmake " -- \
  bootstrap demo PATH="$work/sudo:$bare" FAKE_FAULT=sudo
expect "no root, sudo: it is used" 1 \
  "sudo apt-get update" "sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes" \
  "installed, yet not found: " -- bootstrap demo PATH="$work/sudo:$bare"
expect "root: no sudo" 1 "apt-get install --yes" "!sudo" -- \
  bootstrap demo FAKE_UID=0 PATH="$work/sudo:$bare"
expect "root, no network" 1 "apt-get update failed" "$line " -- \
  bootstrap demo FAKE_UID=0 FAKE_FAULT=update
rm "$bare/apt-get"
expect "no apt-get" 1 "Missing: " " cmake " "cannot install this without apt-get" -- bootstrap demo
stand_in "$bare" apt-get 'echo "apt-get $*"'

# ---- which Rust ------------------------------------------------------------------------------------

expect "Rust of Debian 12" 1 " rustc-web cargo-web" " rustfmt-web rust-web-clippy" -- \
  bootstrap test FAKE_RUST=1.63.0+dfsg1-2
expect "Rust of Debian 13" 1 " rustc cargo" " rustfmt rust-clippy" "!-web" -- \
  bootstrap test FAKE_RUST=1.85.0+dfsg3-1
stand_in "$work/old-rust" cargo 'echo cargo 1.84.1'
stand_in "$work/old-rust" rustc 'echo rustc 1.84.1'
expect "an older Rust that is not Debian's" 1 \
  "$work/old-rust/cargo is no Rust" "rustup update stable" "!apt-get update" -- \
  bootstrap demo PATH="$work/old-rust:$bare"

# ---- where to write --------------------------------------------------------------------------------

# Root may write anywhere, so what cannot be written is below a file.
touch "$work/file"
expect "tests, HOME is not set" 1 "cannot write HOME, which is not set" "STEER_CACHE_DIR=" -- \
  env -i PATH="$bare" "$clone/script/bootstrap" test
expect "tests, HOME cannot be written" 1 "cannot write $work/file/.cargo" "STEER_CACHE_DIR=" -- \
  bootstrap test HOME="$work/file"
expect "tests, the cache cannot be written" 1 "cannot write $work/file/steer" "STEER_CACHE_DIR=" -- \
  bootstrap test XDG_CACHE_HOME="$work/file"
expect "tests, HOME is not made yet" 1 "$line " "!STEER_CACHE_DIR" -- \
  bootstrap test HOME="$work/home/new"
expect "tests, HOME is not set and places are named" 1 "$line " "!no place" -- \
  env -i PATH="$bare" CARGO_HOME="$work/home/a b" STEER_CACHE_DIR="$work/home/c d" \
  "$clone/script/bootstrap" test
touch "$clone/build"
expect "tests, a clone that cannot be written" 1 \
  "builds in $clone, which somebody cannot write" "cp -r '$clone'" -- bootstrap test

stand_in "$clone/script" bootstrap 'exit 0'
demo() { env PATH="$bare" "$@" "$clone/script/demo"; }
expect "demo, a clone that cannot be written" 1 \
  "cannot write $clone/build/demo" "STEER_DEMO_BUILD_DIR=" "!mkdir" -- demo
stand_in "$bare" cmake 'echo "cmake $*"; [[ $1 != --build ]]'
expect "demo, STEER_DEMO_BUILD_DIR is elsewhere" 1 \
  "-B $work/home/b c" "!cannot write" -- demo STEER_DEMO_BUILD_DIR="$work/home/b c"

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
