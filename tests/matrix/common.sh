# What the scripts of this directory share; sourced by them. Before that they set -euo pipefail.
#
# They all end in one of three ways: with status 0 and the answer as the last line on stdout; with
# status 75 if something cannot be had (a package is gone, there is no network), and the last line on
# stderr says what and with which status the command failed; with status 1 for any other failure.
#
# Must not know: what is built.

cache=$(realpath -m "${STEER_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/steer}")
# Where rustup puts Rust.
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

# making <what> <name>: from here on <name> is made in the cache, by one script at a time; others wait.
# Its log is beside it.
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

# unavailable <why>: ends the script, as what it is to make cannot be had.
unavailable() {
  printf '%s\n' "$*" >&2
  exit 75
}

# obtain <command>...: a command whose failure means that something cannot be had.
obtain() {
  local status=0
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    tail -n 20 "$log" >&2
    unavailable "$wanted: $*: exit status $status"
  fi
}

# build <command>...: a command whose failure is a failure.
build() {
  local status=0
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    tail -n 60 "$log" >&2
    say "$*: exit status $status; all of it is in $log"
    exit 1
  fi
}

# install_packages <package>...: installs by apt what is missing of these.
install_packages() {
  local package missing=() as_root=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  # Without sudo too: then apt-get says that it may not.
  if ((EUID != 0)) && command -v sudo >/dev/null; then as_root=(sudo); fi
  obtain "${as_root[@]}" apt-get update
  # Nothing that somebody installed gives way to this.
  obtain "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends --no-remove "${missing[@]}"
}

# work_directory: makes $work, where things are made before a rename publishes them.
work_directory() {
  work=$(mktemp -d "$cache/tmp-XXXXXXXX")
  trap 'rm -rf "$work"' EXIT
}

# find_mirror: puts the address of the Debian mirror that this machine uses into $mirror.
find_mirror() {
  local ask=(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian')
  mirror=$("${ask[@]}" | head -n 1)
  if [[ -z $mirror ]]; then
    # It is known only once its lists are there.
    obtain apt-get update
    mirror=$("${ask[@]}" | head -n 1)
  fi
  [[ -n $mirror ]] || unavailable "no Debian mirror among apt's sources: exit status 1"
}

# prepare_chroot <chroot>: settings of a new one.
prepare_chroot() {
  # A mirror may be a snapshot.
  echo 'Acquire::Check-Valid-Until "false";' >"$1/etc/apt/apt.conf.d/snapshot"
  # No service is to start in here.
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod +x "$1/usr/sbin/policy-rc.d"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$1/etc/hosts"
}
