# The cache directory, which keeps downloads from one build to the next: gRPC's headers, and cargo's
# crates if cargo cannot write to its own home.
#
# Must not depend on: what is downloaded.
include_guard(GLOBAL)

set(STEER_CACHE_DIR "" CACHE PATH
    "Directory for downloads. Default: \$STEER_CACHE_DIR, \$XDG_CACHE_HOME/steer or ~/.cache/steer")

# Sets ${out} to whether this user can write to the directory or make it. Leaves no files.
function(_steer_can_write out dir)
  set(${out} FALSE PARENT_SCOPE)
  cmake_path(ABSOLUTE_PATH dir NORMALIZE)
  while(NOT EXISTS ${dir})
    cmake_path(GET dir PARENT_PATH dir)
  endwhile()
  if(IS_DIRECTORY ${dir})
    string(RANDOM LENGTH 12 suffix)
    set(probe ${dir}/.steer-${suffix})
    execute_process(COMMAND ${CMAKE_COMMAND} -E make_directory ${probe} RESULT_VARIABLE failed
                    OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
      file(REMOVE_RECURSE ${probe})
      set(${out} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

# steer_cache_dir(<out> [<wanted>])
#
# Sets ${out} to the cache directory: STEER_CACHE_DIR, or else the user's cache. If that is not
# writable, the cache is in the build tree; in a script, which has none, ${out} is empty. A cache
# that already contains <wanted> need not be writable.
function(steer_cache_dir out)
  if(STEER_CACHE_DIR)
    set(${out} ${STEER_CACHE_DIR} PARENT_SCOPE)
    return()
  elseif(NOT "$ENV{STEER_CACHE_DIR}" STREQUAL "")
    set(${out} $ENV{STEER_CACHE_DIR} PARENT_SCOPE)
    return()
  elseif(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(dir $ENV{XDG_CACHE_HOME}/steer)
  elseif(NOT "$ENV{HOME}" STREQUAL "")
    set(dir $ENV{HOME}/.cache/steer)
  endif()
  if(dir)
    _steer_can_write(usable ${dir})
    set(why "${dir} is not writable")
  else()
    set(usable FALSE)
    set(why "HOME is not set")
  endif()
  if(usable OR (ARGC GREATER 1 AND EXISTS "${dir}/${ARGV1}"))
    set(${out} ${dir} PARENT_SCOPE)
  elseif(CMAKE_SCRIPT_MODE_FILE)
    set(${out} "" PARENT_SCOPE)
  else()
    get_property(said GLOBAL PROPERTY STEER_CACHE_SAID)
    if(NOT said)
      message(STATUS "Steer: ${why}, so downloads are kept in this build tree. To share them "
                     "between builds, set -DSTEER_CACHE_DIR=<dir>")
      set_property(GLOBAL PROPERTY STEER_CACHE_SAID TRUE)
    endif()
    set(${out} ${CMAKE_BINARY_DIR}/steer-cache PARENT_SCOPE)
  endif()
endfunction()

# Sets ${out} to NAME=VALUE for cargo's environment: empty if cargo can write to its own home;
# otherwise CARGO_HOME in the cache.
function(steer_cargo_home out)
  set(${out} "" PARENT_SCOPE)
  if(NOT "$ENV{CARGO_HOME}" STREQUAL "")
    return()
  endif()
  if(NOT "$ENV{HOME}" STREQUAL "")
    _steer_can_write(usable $ENV{HOME}/.cargo)
    if(usable)
      return()
    endif()
  endif()
  steer_cache_dir(cache)
  if(cache)
    cmake_path(ABSOLUTE_PATH cache NORMALIZE)
    set(${out} CARGO_HOME=${cache}/cargo PARENT_SCOPE)
  endif()
endfunction()
