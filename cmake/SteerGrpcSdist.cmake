# Fetches gRPC's source package from PyPI with pip, checks it against a pinned hash, and keeps its
# headers in a cache outside the build tree. With a warm cache nothing is run and no network is used.
#
# Must not know: which headers are needed, or where in the package they are.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerCache.cmake)

set(STEER_GRPC_SDIST_SHA256 "" CACHE STRING
    "SHA-256 of grpcio-<version>.tar.gz, for a gRPC version that Steer's own table has not")

set(STEER_PIP_VENV "" CACHE PATH
    "A virtual environment with the tools that _steer_pip_download wants, if many packages are fetched")
mark_as_advanced(STEER_PIP_VENV)

# Puts the root of the headers into ${root_out}; or empty, and the reason into ${why_out}.
function(steer_grpc_sdist root_out why_out version)
  set(${root_out} "" PARENT_SCOPE)
  _steer_sdist_row(version hash ${version})
  if(NOT hash)
    set(${why_out} "no hash is known for that version; to trust one, -DSTEER_GRPC_SDIST_SHA256=<hash>"
        PARENT_SCOPE)
    return()
  endif()
  # The hash is in the name, so that another pin is another directory.
  string(SUBSTRING ${hash} 0 12 short)
  steer_cache_dir(cache grpc-sdists/${version}-${short})
  if(NOT cache)
    string(CONCAT why "there is no home directory to keep it in, or it cannot be written; "
                      "-DSTEER_CACHE_DIR=<dir> names a place")
    set(${why_out} ${why} PARENT_SCOPE)
    return()
  endif()

  set(kept ${cache}/grpc-sdists/${version}-${short})
  if(NOT IS_DIRECTORY ${kept})
    _steer_can_write(writable ${cache})
    if(NOT writable)
      set(${why_out} "${cache} cannot be written; -DSTEER_CACHE_DIR=<dir> names another place" PARENT_SCOPE)
      return()
    endif()
    message(STATUS "Steer: fetching gRPC ${version}'s source package for its headers")
    # All work is done in a directory of its own, and a rename publishes it: configurations that run
    # at the same time cannot see, or spoil, each other's half-made ones.
    string(RANDOM LENGTH 12 suffix)
    set(work ${cache}/tmp-${suffix})
    _steer_pip_download(why ${work} ${version} ${hash})
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

# The package for a gRPC version: its own, or the last one of its minor version, whose headers are the
# same. The hash is empty if there is none.
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

# Downloads grpcio-<version>.tar.gz into ${work}/sdist. pip is PyPI's own client, and knows the user's
# mirrors, proxies and certificates. To learn a source package's name and version pip runs its
# setup.py, hence the virtual environment with tools of the age of these packages: newer pips and
# setuptools have lost what the old ones need.
function(_steer_pip_download why_out work version hash)
  set(${why_out} "" PARENT_SCOPE)
  find_program(STEER_PYTHON python3 DOC "Python, to fetch gRPC's source package")
  if(NOT STEER_PYTHON)
    set(${why_out} "there is no python3 (Debian, Ubuntu: apt install python3-venv)" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${STEER_PYTHON} -c "import venv, ensurepip" RESULT_VARIABLE failed
                  OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    set(${why_out} "${STEER_PYTHON} has no venv module (Debian, Ubuntu: apt install python3-venv)"
        PARENT_SCOPE)
    return()
  endif()

  file(WRITE ${work}/requirements.txt "grpcio==${version} --hash=sha256:${hash}\n")
  set(venv ${work}/venv)
  set(steps venv tools download)
  if(STEER_PIP_VENV)
    set(venv ${STEER_PIP_VENV})
    set(steps download)
  endif()
  set(pip ${venv}/bin/python -m pip --quiet --disable-pip-version-check)
  foreach(step IN LISTS steps)
    if(step STREQUAL "venv")
      set(command ${STEER_PYTHON} -m venv ${venv})
    elseif(step STREQUAL "tools")
      set(command ${pip} install --upgrade "pip<24" "setuptools<81" wheel)
    else()
      set(command ${pip} download --no-deps --no-binary :all: --no-build-isolation --require-hashes
          --requirement ${work}/requirements.txt --dest ${work}/sdist)
    endif()
    execute_process(COMMAND ${command} WORKING_DIRECTORY ${work} TIMEOUT 600 RESULT_VARIABLE failed
                    OUTPUT_VARIABLE text ERROR_VARIABLE text)
    if(failed)
      list(JOIN command " " command)
      # The end of it says why; the beginning may be long.
      string(LENGTH "${text}" length)
      if(length GREATER 1500)
        math(EXPR start "${length} - 1500")
        string(SUBSTRING "${text}" ${start} -1 text)
        string(PREPEND text "[...]")
      endif()
      string(STRIP "${text}" text)
      set(${why_out} "failed (${failed}): ${command}\n${text}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Unpacks the headers alone, a fifth of the package, into ${work}/headers: the internal ones, and for
# script/matrix, which has no gRPC to compile against, the public ones and Abseil's.
function(_steer_extract_headers why_out work version)
  set(name grpcio-${version})
  file(MAKE_DIRECTORY ${work}/headers)
  # third_party/u*: upb and utf8_range. A pattern that finds nothing is an error, and not every version
  # has both.
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E tar xzf ${work}/sdist/${name}.tar.gz -- "${name}/src/core/*.h"
            "${name}/third_party/u*.h*" "${name}/third_party/u*.inc" "${name}/include/*.h"
            "${name}/third_party/abseil-cpp/absl/*.h" "${name}/third_party/abseil-cpp/absl/*.inc"
    WORKING_DIRECTORY ${work}/headers RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(failed)
    set(text "cannot unpack ${name}.tar.gz: ${text}")
  else()
    set(text "")
  endif()
  set(${why_out} "${text}" PARENT_SCOPE)
endfunction()
