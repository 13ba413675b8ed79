# shellcheck shell=bash
# Functions that the scripts of this directory share. They source this file after set -euo pipefail.
#
# All scripts end in one of three ways:
#   status 0   the result is the last line on stdout
#   status 75  something is not available, because a package is gone or there is no network. The
#              last line on stderr names the command that failed, and its status
#   status 1   any other failure
#
# Must not depend on: what is built.

cache=$(realpath -m "${STEER_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/steer}")
# Rustup installs Rust here.
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

# making <what> <name>: starts making <name> in the cache. Other scripts that make it wait. Its log
# is <name>.log.
making() {
  wanted=$1
  log=$cache/$2.log
  mkdir -p "${log%/*}"
  local descriptor
  exec {descriptor}>"$cache/$2.lock"
  flock "$descriptor"
  : >"$log"
}

say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# unavailable <why>: ends the script, because something is not available.
unavailable() {
  printf '%s\n' "$*" >&2
  exit 75
}

# obtain <command>...: runs a command whose failure means that something is not available.
obtain() {
  local status=0
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    tail -n 20 "$log" >&2
    unavailable "$wanted: $*: exit status $status"
  fi
}

# build <command>...: runs a command whose failure is a failure of the script.
build() {
  local status=0
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    tail -n 60 "$log" >&2
    say "$*: exit status $status; the complete log is $log"
    exit 1
  fi
}

# install_packages <package>...: installs the missing ones of these packages by apt.
install_packages() {
  local package missing=() as_root=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  # Without sudo, apt-get reports the missing rights.
  if ((EUID != 0)) && command -v sudo >/dev/null; then as_root=(sudo); fi
  # Two legs may install packages at the same time, and apt does not wait for another one.
  mkdir -p "$cache"
  local turn=(flock "$cache/apt.lock")
  obtain "${turn[@]}" "${as_root[@]}" apt-get update
  # --no-remove: never removes packages that are installed.
  obtain "${turn[@]}" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends --no-remove "${missing[@]}"
}

# work_directory: makes $work, a temporary directory. A rename publishes the result.
work_directory() {
  work=$(mktemp -d "$cache/tmp-XXXXXXXX")
  trap 'rm -rf "$work"' EXIT
}

# find_mirror: sets $mirror to the Debian mirror of this machine.
find_mirror() {
  # shellcheck disable=SC2016 # apt-get reads $(SITE).
  local ask=(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian')
  mirror=$("${ask[@]}" | head -n 1)
  if [[ -z $mirror ]]; then
    # apt knows the mirror only when it has its lists.
    obtain flock "$cache/apt.lock" apt-get update
    mirror=$("${ask[@]}" | head -n 1)
  fi
  [[ -n $mirror ]] || unavailable "no Debian mirror among apt's sources: exit status 1"
}

# prepare_chroot <chroot>: configures a new chroot.
prepare_chroot() {
  # A mirror may be a snapshot.
  echo 'Acquire::Check-Valid-Until "false";' >"$1/etc/apt/apt.conf.d/snapshot"
  # No services may start in the chroot.
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod +x "$1/usr/sbin/policy-rc.d"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$1/etc/hosts"
}
