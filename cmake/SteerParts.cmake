# Leaves out the parts of Steer's own build whose packages are missing, so that a clone builds and
# installs with the packages that the machine has.
#
# Must not depend on: the content of a part.
include_guard(GLOBAL)

# The Debian package of each CMake package that a part may need.
set(_steer_debian_benchmark libbenchmark-dev)
set(_steer_debian_gRPC libgrpc++-dev)
set(_steer_debian_GTest "libgtest-dev libgmock-dev")
set(_steer_debian_openssl openssl)
set(_steer_debian_Protobuf "libprotobuf-dev protobuf-compiler protobuf-compiler-grpc")
set(_steer_debian_Python3 python3)

function(_steer_have_package out package)
  if(package STREQUAL "openssl")
    find_program(STEER_OPENSSL openssl)
    set(found ${STEER_OPENSSL})
  elseif(package STREQUAL "Protobuf")
    find_package(Protobuf QUIET)
    set(found ${Protobuf_FOUND})
    if(NOT Protobuf_PROTOC_EXECUTABLE OR NOT TARGET gRPC::grpc_cpp_plugin)
      set(found FALSE)
    endif()
  elseif(package STREQUAL "Python3")
    find_package(Python3 QUIET COMPONENTS Interpreter)
    set(found ${Python3_FOUND})
  else()
    find_package(${package} CONFIG QUIET)
    set(found ${${package}_FOUND})
    if(package STREQUAL "GTest" AND NOT TARGET GTest::gmock)
      set(found FALSE)
    endif()
  endif()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# steer_have_packages(<out> <what> <package>...) sets <out> to whether all packages are found. If
# not, it says which one is missing, and that <what> is left out.
function(steer_have_packages out what)
  set(${out} ON PARENT_SCOPE)
  foreach(package IN LISTS ARGN)
    _steer_have_package(have ${package})
    if(NOT have)
      string(CONCAT words "Steer: ${what} is left out: ${package} is missing (Debian, Ubuntu: apt "
                          "install ${_steer_debian_${package}})")
      if(STEER_REQUIRE_PARTS)
        message(FATAL_ERROR "${words}, and STEER_REQUIRE_PARTS is ON.")
      endif()
      message(STATUS "${words}")
      set(${out} OFF PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# steer_add_part(<wanted> <directory> [<package>...]) adds a directory, unless a package that it
# needs is missing.
function(steer_add_part wanted directory)
  if(wanted AND EXISTS ${PROJECT_SOURCE_DIR}/${directory}/CMakeLists.txt)
    steer_have_packages(have ${directory} ${ARGN})
    if(have)
      add_subdirectory(${directory})
    endif()
  endif()
endfunction()
