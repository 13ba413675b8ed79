# shellcheck shell=bash
# pypi_packages, for scripts that run with packages of PyPI. Sourced after environment.sh.
#
# Must not depend on: which packages these are.

# pypi_packages <clone> <name> <requirements> [<version>]: sets `packages` to the directory with the
# packages that a file of requirements pins, with their hashes. They are for this version of Python,
# such as 3.13; default: that of python3. The first call installs them into the cache. If they
# cannot be had, returns 1 and sets `why`.
# shellcheck disable=SC2034  # the scripts that source this use both variables
pypi_packages() {
  local cache version
  cache=$(cache_dir "$1") || {
    why="there is no directory for downloads (STEER_CACHE_DIR)"
    return 1
  }
  version=${4:-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')} || {
    why="there is no python3"
    return 1
  }
  packages=$cache/$2-$version-$(sha256sum "$3" | cut -c 1-12)
  # Scripts that run at the same time install the packages once.
  exec 8>"$packages.lock"
  flock 8
  [[ -d $packages ]] || _pypi_install "$packages" "$3" "$version" >&2 || {
    why="pip cannot install $3 for Python $version (see above)"
    return 1
  }
  exec 8>&-
}

# _pypi_install <directory> <requirements> <version>: installs the packages. A rename publishes the
# directory, so runs at the same time do not disturb each other.
_pypi_install() {
  local work status=0
  work=$(mktemp -d "${1%/*}/tmp-XXXXXX") || return
  python3 -m venv "$work/venv" &&
    "$work/venv/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps \
      --only-binary :all: --require-hashes --requirement "$2" --python-version "$3" \
      --target "$work/packages" &&
    { mv -T "$work/packages" "$1" 2>/dev/null || [[ -d $1 ]]; } || status=1
  rm -rf "$work"
  return "$status"
}
