# Removes the files that the last `cmake --install` of a build tree installed, and then Steer's own
# directories that are empty. Respects DESTDIR, as the installation does.
#
#   cmake -DBUILD_DIRECTORY=<build tree> -P SteerUninstall.cmake
#
# Must not depend on: which files are installed.
set(manifest ${BUILD_DIRECTORY}/install_manifest.txt)
if(NOT EXISTS ${manifest})
  message(FATAL_ERROR "Steer: nothing was installed from this build tree (there is no "
                      "${manifest}).")
endif()
file(STRINGS ${manifest} files)
list(TRANSFORM files PREPEND "$ENV{DESTDIR}")
set(removed 0)
foreach(file IN LISTS files)
  if(EXISTS ${file} OR IS_SYMLINK ${file})
    file(REMOVE ${file})
    if(EXISTS ${file} OR IS_SYMLINK ${file})
      message(FATAL_ERROR "Steer: cannot remove ${file}.")
    endif()
    math(EXPR removed "${removed} + 1")
  endif()
  cmake_path(GET file PARENT_PATH directory)
  # Only directories named steer, and those below them: the others may not be Steer's.
  while(directory MATCHES "/steer(/|$)")
    list(APPEND directories ${directory})
    cmake_path(GET directory PARENT_PATH directory)
  endwhile()
endforeach()

list(REMOVE_DUPLICATES directories)
# Deepest directories first.
list(SORT directories ORDER DESCENDING)
foreach(directory IN LISTS directories)
  file(GLOB left ${directory}/*)
  if(IS_DIRECTORY ${directory} AND NOT left)
    file(REMOVE_RECURSE ${directory})
  endif()
endforeach()
message(STATUS "Steer: removed ${removed} files")
