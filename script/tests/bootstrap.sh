#!/usr/bin/env bash
# Tests the messages of script/bootstrap and script/demo on machines that lack something: packages,
# root, sudo, a home directory, or a writable clone. Fast, and without a network. Installs nothing,
# because apt-get, sudo and id are fakes.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=expect.sh
. "$repo/script/tests/expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A clone with only the files that the scripts read. Its path contains a blank.
clone="$work/a clone"
mkdir -p "$clone/script" "$work/home"
cp "$repo/script/bootstrap" "$repo/script/demo" "$repo/script/environment.sh" "$clone/script"
cp "$repo/Cargo.toml" "$clone"

# fake <directory> <command> <program>: makes a fake command.
fake() {
  mkdir -p "$1"
  printf '#!/bin/bash\n%s\n' "$3" >"$1/$2"
  chmod +x "$1/$2"
}

# A machine without any packages: a shell and Debian's essential tools.
bare=$work/bare
mkdir -p "$bare"
for tool in bash cat chmod cut dirname env grep head mkdir mktemp rm sed sort tail touch tr; do
  ln -s "$(command -v $tool)" "$bare/$tool"
done
fake "$bare" id 'if [[ $1 == -un ]]; then echo somebody; else echo "${FAKE_UID:-1000}"; fi'
fake "$bare" apt-get 'echo "apt-get $*"; [[ ${FAKE_FAULT-} != "$1" ]]'
fake "$bare" apt-cache 'echo "  Candidate: ${FAKE_RUST:-(none)}"'
fake "$work/sudo" sudo 'echo "sudo $*"; [[ ${FAKE_FAULT-} != sudo ]] && "$@"'

# bootstrap <purpose> <variable=value>...: runs script/bootstrap on the bare machine.
bootstrap() {
  env -i PATH="$bare" HOME="$work/home" "${@:2}" "$clone/script/bootstrap" "$1"
}

# ---- who installs --------------------------------------------------------------------------------

line="apt-get install --no-install-recommends"
expect "no root, no sudo: the command for root" 1 \
  "only root can install packages, and there is no sudo" "apt-get update $line " \
  " cmake ninja-build " " libgrpc++-dev " "!apt-get install --yes" -- bootstrap demo
expect "no root, no sudo: the command for tests" 1 "$line " " libgtest-dev " " make " -- \
  bootstrap test
expect "no root, no sudo: the command for the report" 1 "$line " " python3-venv " -- \
  bootstrap report
expect "no root, sudo refuses: the command for root" 1 \
  "sudo apt-get update failed" "$line " " cmake " -- \
  bootstrap demo PATH="$work/sudo:$bare" FAKE_FAULT=sudo
expect "no root, sudo: it is used" 1 \
  "sudo apt-get update" "sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes" \
  "installed, but not found: " -- bootstrap demo PATH="$work/sudo:$bare"
expect "root: no sudo" 1 "apt-get install --yes" "!sudo" -- \
  bootstrap demo FAKE_UID=0 PATH="$work/sudo:$bare"
expect "root, no network" 1 "apt-get update failed" "$line " -- \
  bootstrap demo FAKE_UID=0 FAKE_FAULT=update
rm "$bare/apt-get"
expect "no apt-get" 1 "Missing: " " cmake " "there is no apt-get" -- bootstrap demo
fake "$bare" apt-get 'echo "apt-get $*"'

# ---- which Rust ----------------------------------------------------------------------------------

expect "Rust of Debian 12" 1 " rustc-web cargo-web" " rustfmt-web rust-web-clippy" -- \
  bootstrap test FAKE_RUST=1.63.0+dfsg1-2
expect "Rust of Debian 13" 1 " rustc cargo" " rustfmt rust-clippy" "!-web" -- \
  bootstrap test FAKE_RUST=1.85.0+dfsg3-1
fake "$work/old-rust" cargo 'echo cargo 1.84.1'
fake "$work/old-rust" rustc 'echo rustc 1.84.1'
expect "an older Rust that is not Debian's" 1 \
  "$work/old-rust/cargo is not a working Rust" "rustup update stable" "!apt-get update" -- \
  bootstrap demo PATH="$work/old-rust:$bare"

# ---- where to write ------------------------------------------------------------------------------

# Root can write to every directory, so these tests use paths below a file.
touch "$work/file"
expect "tests, HOME is not set" 1 "HOME is not set" "STEER_CACHE_DIR=" -- \
  env -i PATH="$bare" "$clone/script/bootstrap" test
expect "tests, HOME is not writable" 1 "cannot write to $work/file/.cargo" "STEER_CACHE_DIR=" -- \
  bootstrap test HOME="$work/file"
expect "tests, the cache is not writable" 1 "cannot write to $work/file/steer" \
  "STEER_CACHE_DIR=" -- bootstrap test XDG_CACHE_HOME="$work/file"
expect "tests, HOME does not exist yet" 1 "$line " "!STEER_CACHE_DIR" -- \
  bootstrap test HOME="$work/home/new"
expect "tests, HOME is not set, but the directories are" 1 "$line " "!no directory" -- \
  env -i PATH="$bare" CARGO_HOME="$work/home/a b" STEER_CACHE_DIR="$work/home/c d" \
  "$clone/script/bootstrap" test
touch "$clone/build"
expect "tests, the clone is not writable" 1 \
  "builds in $clone, but somebody cannot write there" "cp -r '$clone'" -- bootstrap test

fake "$clone/script" bootstrap 'exit 0'
demo() { env PATH="$bare" "$@" "$clone/script/demo"; }
expect "demo, the clone is not writable" 1 \
  "cannot write to $clone/build/demo" "STEER_DEMO_BUILD_DIR=" "!mkdir" -- demo
fake "$bare" cmake 'echo "cmake $*"; [[ $1 != --build ]]'
expect "demo, STEER_DEMO_BUILD_DIR is elsewhere" 1 \
  "-B $work/home/b c" "!cannot write" -- demo STEER_DEMO_BUILD_DIR="$work/home/b c"

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
