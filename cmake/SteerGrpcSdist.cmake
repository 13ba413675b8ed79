# Fetches gRPC's source package from pip's package index, checks it against a pinned hash, and keeps
# its headers in a cache outside the build tree. CMake downloads the package itself if it can read
# the index; otherwise pip does. With a warm cache, nothing is run and no network is used.
#
# Must not depend on: which headers are needed, or where in the package they are.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerCache.cmake)

set(STEER_GRPC_SDIST_SHA256 "" CACHE STRING
    "SHA-256 of grpcio-<version>.tar.gz, for a gRPC version that is not in grpc-sdists.txt")

set(STEER_PIP_VENV "" CACHE PATH
    "A virtual environment with the tools of pip-tools.txt, to fetch many packages")
mark_as_advanced(STEER_PIP_VENV)

# Minor versions of gRPC that were never published as a source package.
set(_steer_without_sdist 1.52 1.77 1.79)

# Sets ${root_out} to the root of the headers. On failure it is empty, and ${why_out} is the reason.
function(steer_grpc_sdist root_out why_out version)
  set(${root_out} "" PARENT_SCOPE)
  _steer_sdist_row(version hash ${version})
  if(NOT hash)
    _steer_why_no_row(why ${version})
    set(${why_out} "${why}" PARENT_SCOPE)
    return()
  endif()
  # The name contains the hash, so another pinned hash is another directory.
  string(SUBSTRING ${hash} 0 12 short)
  steer_cache_dir(cache grpc-sdists/${version}-${short})
  if(NOT cache)
    string(CONCAT why "there is no writable home directory for the cache; set "
                      "-DSTEER_CACHE_DIR=<dir>")
    set(${why_out} ${why} PARENT_SCOPE)
    return()
  endif()

  set(kept ${cache}/grpc-sdists/${version}-${short})
  if(NOT IS_DIRECTORY ${kept})
    _steer_can_write(writable ${cache})
    if(NOT writable)
      set(${why_out} "${cache} is not writable; set -DSTEER_CACHE_DIR=<dir>" PARENT_SCOPE)
      return()
    endif()
    message(STATUS "Steer: fetching gRPC ${version}'s source package for its headers")
    # Works in a temporary directory, and publishes it by a rename, so that configurations which run
    # at the same time cannot disturb each other.
    string(RANDOM LENGTH 12 suffix)
    set(work ${cache}/tmp-${suffix})
    _steer_download(why ${work} ${version} ${hash})
    if(NOT why)
      _steer_extract_headers(why ${work} ${version})
    endif()
    if(NOT why)
      file(MAKE_DIRECTORY ${cache}/grpc-sdists)
      file(RENAME ${work}/headers/grpcio-${version} ${kept} RESULT failed)
      if(failed AND NOT IS_DIRECTORY ${kept})
        set(why "cannot make ${kept}: ${failed}")
      endif()
    endif()
    file(REMOVE_RECURSE ${work})
    if(why)
      set(${why_out} "${why}" PARENT_SCOPE)
      return()
    endif()
  endif()
  set(${root_out} ${kept} PARENT_SCOPE)
endfunction()

# Finds the package for a gRPC version: the same version, or the last one of its minor version,
# whose headers are the same. The hash is empty if there is none.
function(_steer_sdist_row version_out hash_out version)
  set(${version_out} ${version} PARENT_SCOPE)
  set(${hash_out} "${STEER_GRPC_SDIST_SHA256}" PARENT_SCOPE)
  if(STEER_GRPC_SDIST_SHA256)
    return()
  endif()
  string(REGEX MATCH "^[0-9]+[.][0-9]+" minor ${version})
  string(REPLACE "." "[.]" minor "${minor}")
  file(STRINGS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/grpc-sdists.txt rows REGEX "^${minor}[. ]")
  foreach(row IN LISTS rows)
    separate_arguments(row UNIX_COMMAND "${row}")
    list(POP_FRONT row row_version hash)
    set(${version_out} ${row_version} PARENT_SCOPE)
    set(${hash_out} ${hash} PARENT_SCOPE)
    if(row_version STREQUAL version)
      return()
    endif()
  endforeach()
endfunction()

# Sets ${why_out} to the reason why there is no package for a gRPC version.
function(_steer_why_no_row why_out version)
  string(REGEX MATCH "^[0-9]+[.][0-9]+" minor ${version})
  if(minor IN_LIST _steer_without_sdist)
    string(CONCAT why "gRPC ${minor} was never published as a source package. Get its source from "
                      "its repository, at the tag of your version, and set STEER_GRPC_SOURCE_DIR")
  else()
    string(CONCAT why "Steer knows no hash for this version; to trust one, set "
                      "-DSTEER_GRPC_SDIST_SHA256=<hash>")
  endif()
  set(${why_out} "${why}" PARENT_SCOPE)
endfunction()

# Sets the outputs to the oldest and the newest minor version that the shim supports.
function(steer_grpc_range oldest_out newest_out)
  file(STRINGS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/grpc-sdists.txt rows REGEX "^[0-9]")
  list(GET rows 0 oldest)
  list(GET rows -1 newest)
  foreach(name oldest newest)
    string(REGEX MATCH "^[0-9]+[.][0-9]+" minor ${${name}})
    set(${${name}_out} ${minor} PARENT_SCOPE)
  endforeach()
endfunction()

# Downloads grpcio-<version>.tar.gz into ${work}/sdist: by CMake from pip's package index, or else
# by pip. If both fail, ${why_out} has both reasons.
function(_steer_download why_out work version hash)
  _steer_find_pip(pip no_pip ${work})
  _steer_index_download(why ${work} ${version} ${hash} "${pip}")
  if(why)
    set(by_cmake "${why}")
    if(pip)
      _steer_pip_download(no_pip ${work} ${version} ${hash})
      if(NOT no_pip)
        set(${why_out} "" PARENT_SCOPE)
        return()
      endif()
    endif()
    set(why "\n     by CMake's file(DOWNLOAD): ${by_cmake}\n     by pip: ${no_pip}")
  endif()
  set(${why_out} "${why}" PARENT_SCOPE)
endfunction()

# Sets ${out} to a pip command: that of the system's Python, or of a new virtual environment. If
# there is none, ${out} is empty and ${why_out} is the reason.
function(_steer_find_pip out why_out work)
  set(${out} "" PARENT_SCOPE)
  if(STEER_PIP_VENV)
    set(${out} ${STEER_PIP_VENV}/bin/python -m pip PARENT_SCOPE)
    return()
  endif()
  string(CONCAT help "Debian, Ubuntu: apt install python3-venv. With PIP_INDEX_URL=<a package "
                     "index> in the environment, no Python is needed")
  find_program(STEER_PYTHON python3 DOC "Python, to fetch gRPC's source package")
  if(NOT STEER_PYTHON)
    set(${why_out} "there is no python3 (${help})" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${STEER_PYTHON} -m pip --version RESULT_VARIABLE failed
                  OUTPUT_QUIET ERROR_QUIET)
  if(NOT failed)
    set(${out} ${STEER_PYTHON} -m pip PARENT_SCOPE)
    return()
  endif()
  _steer_make_venv(failed ${work})
  if(failed)
    set(${why_out} "${failed} (${help})" PARENT_SCOPE)
    return()
  endif()
  set(${out} ${work}/venv/bin/python -m pip PARENT_SCOPE)
endfunction()

# Makes the virtual environment ${work}/venv, once.
function(_steer_make_venv why_out work)
  set(${why_out} "" PARENT_SCOPE)
  if(EXISTS ${work}/venv/bin/python)
    return()
  endif()
  execute_process(COMMAND ${STEER_PYTHON} -c "import venv, ensurepip" RESULT_VARIABLE failed
                  OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    set(${why_out} "${STEER_PYTHON} has no venv module" PARENT_SCOPE)
    return()
  endif()
  file(MAKE_DIRECTORY ${work})
  _steer_run(why ${work} ${STEER_PYTHON} -m venv ${work}/venv)
  set(${why_out} "${why}" PARENT_SCOPE)
endfunction()

# Runs a command. If it fails, ${why_out} is the command with the end of its output.
function(_steer_run why_out work)
  set(${why_out} "" PARENT_SCOPE)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} TIMEOUT 600 RESULT_VARIABLE failed
                  OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(failed)
    list(JOIN ARGN " " command)
    # The reason is at the end of the output.
    string(LENGTH "${text}" length)
    if(length GREATER 1500)
      math(EXPR start "${length} - 1500")
      string(SUBSTRING "${text}" ${start} -1 text)
      string(PREPEND text "[...]")
    endif()
    string(STRIP "${text}" text)
    set(${why_out} "failed (${failed}): ${command}\n${text}" PARENT_SCOPE)
  endif()
endfunction()

# Sets ${out} to a setting of pip, from the environment or from `settings`, the text of its
# configuration; otherwise empty.
function(_steer_pip_setting out settings name)
  string(TOUPPER PIP_${name} variable)
  string(REPLACE "-" "_" variable ${variable})
  set(value "$ENV{${variable}}")
  foreach(section download global)
    if(value STREQUAL "" AND "\n${settings}" MATCHES "\n${section}[.]${name}='([^'\n]*)'")
      set(value "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  set(${out} "${value}" PARENT_SCOPE)
endfunction()

# Sets ${index_out} to pip's package index: from PIP_INDEX_URL, from pip's configuration, or pip's
# default, which its help shows. Empty if it is unknown or must not be used; then ${why_out} is the
# reason.
function(_steer_package_index index_out cainfo_out why_out pip)
  set(settings "")
  if(pip)
    execute_process(COMMAND ${pip} config list OUTPUT_VARIABLE settings ERROR_QUIET)
  endif()
  _steer_pip_setting(index "${settings}" index-url)
  _steer_pip_setting(cainfo "${settings}" cert)
  _steer_pip_setting(no_index "${settings}" no-index)
  set(why "PIP_INDEX_URL is not set, and pip does not tell which package index it uses")
  if(no_index AND NOT no_index STREQUAL "0")
    set(index "")
    set(why "pip is configured to use no package index (no-index)")
  elseif(pip AND NOT index)
    # A wide terminal, so that the default is on one line.
    execute_process(COMMAND ${CMAKE_COMMAND} -E env COLUMNS=1000 ${pip} download --help
                    OUTPUT_VARIABLE help ERROR_QUIET)
    if(help MATCHES "--index-url <url>[^(\n]*[(]default ([^ )\n]+)[)]")
      set(index ${CMAKE_MATCH_1})
    endif()
  endif()
  string(REGEX REPLACE "/+$" "" index "${index}")
  set(${index_out} "${index}" PARENT_SCOPE)
  set(${cainfo_out} "${cainfo}" PARENT_SCOPE)
  set(${why_out} "${why}" PARENT_SCOPE)
endfunction()

# Downloads the package without pip: finds its address in the page of the index, which is HTML or
# JSON, and lets CMake check the hash. Runs no setup.py and needs no Python tools.
function(_steer_index_download why_out work version hash pip)
  _steer_package_index(index cainfo why "${pip}")
  if(NOT index)
    set(${why_out} "${why}" PARENT_SCOPE)
    return()
  endif()
  set(page ${index}/grpcio/)
  set(name grpcio-${version}.tar.gz)
  # Messages must not show a password.
  string(REGEX REPLACE "//[^/@]*@" "//" shown ${page})
  set(download ${CMAKE_COMMAND} -DCAINFO=${cainfo})
  set(script -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/SteerDownload.cmake)
  file(MAKE_DIRECTORY ${work}/sdist)
  set(accept "Accept: application/vnd.pypi.simple.v1+json, text/html")
  _steer_fetch(why ${work} ${page} index.html -DHEADER=${accept})
  if(why)
    set(${why_out} "${shown}: ${why}" PARENT_SCOPE)
    return()
  endif()

  file(READ ${work}/index.html text)
  string(FIND "${text}" "/${name}" end)
  if(end EQUAL -1)
    set(${why_out} "${shown} has no ${name}" PARENT_SCOPE)
    return()
  endif()
  # The text before it, back to the quotation mark.
  math(EXPR begin "${end} - 1000")
  if(begin LESS 0)
    set(begin 0)
  endif()
  math(EXPR length "${end} - ${begin}")
  string(SUBSTRING "${text}" ${begin} ${length} link)
  string(REGEX REPLACE "^.*[\"']" "" link "${link}")
  if(link MATCHES "^/")
    string(REGEX MATCH "^[a-z]+://[^/]*" site ${page})
    string(PREPEND link ${site})
  elseif(NOT link MATCHES "^[a-z]+://")
    string(PREPEND link ${page})
  endif()
  _steer_fetch(why ${work} ${link}/${name} sdist/${name} -DSHA256=${hash})
  if(why)
    set(why "${name} of ${shown}: ${why}")
  endif()
  set(${why_out} "${why}" PARENT_SCOPE)
endfunction()

# Fetches ${url} to ${work}/${file}, in the scope of _steer_index_download.
macro(_steer_fetch why_out work url file)
  execute_process(COMMAND ${download} -DURL=${url} -DFILE=${work}/${file} ${ARGN} ${script}
                  RESULT_VARIABLE failed ERROR_VARIABLE text OUTPUT_QUIET)
  set(${why_out} "")
  if(failed)
    # Remove CMake's "CMake Error at ..." around the reason.
    string(REGEX REPLACE "^.*[(](message|file)[)]:" "" text "${text}")
    string(REGEX REPLACE "[ \n]+" " " text "${text}")
    string(STRIP "${text}" ${why_out})
  endif()
endmacro()

# Downloads the package by pip, which knows the user's proxies, certificates and other indexes.
function(_steer_pip_download why_out work version hash)
  set(${why_out} "" PARENT_SCOPE)
  set(venv ${STEER_PIP_VENV})
  set(options --quiet --disable-pip-version-check)
  if(NOT venv)
    set(venv ${work}/venv)
    _steer_make_venv(why ${work})
    if(NOT why)
      _steer_run(why ${work} ${venv}/bin/python -m pip ${options} install --require-hashes
                 --only-binary :all: --requirement ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/pip-tools.txt)
    endif()
    if(why)
      set(${why_out} "${why}" PARENT_SCOPE)
      return()
    endif()
  endif()
  file(WRITE ${work}/requirements.txt "grpcio==${version} --hash=sha256:${hash}\n")
  _steer_run(why ${work} ${venv}/bin/python -m pip ${options} download --no-deps --no-binary :all:
             --no-build-isolation --require-hashes --requirement ${work}/requirements.txt
             --dest ${work}/sdist)
  set(${why_out} "${why}" PARENT_SCOPE)
endfunction()

# Unpacks only the headers, a fifth of the package, into ${work}/headers: the internal ones, and for
# script/matrix, which compiles without an installed gRPC, the public ones and Abseil's.
function(_steer_extract_headers why_out work version)
  set(name grpcio-${version})
  file(MAKE_DIRECTORY ${work}/headers)
  # third_party/u* matches upb and utf8_range. A pattern that matches nothing is an error, and not
  # every version has both.
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E tar xzf ${work}/sdist/${name}.tar.gz -- "${name}/src/core/*.h"
            "${name}/third_party/u*.h*" "${name}/third_party/u*.inc" "${name}/include/*.h"
            "${name}/third_party/abseil-cpp/absl/*.h" "${name}/third_party/abseil-cpp/absl/*.inc"
    WORKING_DIRECTORY ${work}/headers RESULT_VARIABLE failed OUTPUT_VARIABLE text
    ERROR_VARIABLE text)
  if(failed)
    set(text "cannot unpack ${name}.tar.gz: ${text}")
  else()
    set(text "")
  endif()
  set(${why_out} "${text}" PARENT_SCOPE)
endfunction()
