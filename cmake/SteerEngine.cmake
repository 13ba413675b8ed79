# Makes two imported targets. steer::engine is the Rust library with its C header. steer::headers is
# only the headers, for plugins, which are loaded into programs that have the engine. The build tree
# and the installed package both use this file, so that they cannot differ.
#
# Must not depend on: cargo, gRPC.
include_guard(GLOBAL)

# Sets the link options of libraries that contain the engine. Such a library is never unloaded,
# because gRPC and other copies of Steer point to its code. It exports nothing of the engine,
# because other libraries or the program may have an engine of another release. A library that
# should export the functions of steer.h sets the property STEER_EXPORT_C_INTERFACE.
function(_steer_link_options)
  if(NOT CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
    return()
  endif()
  set(type $<TARGET_PROPERTY:TYPE>)
  set(is_library $<OR:$<STREQUAL:${type},SHARED_LIBRARY>,$<STREQUAL:${type},MODULE_LIBRARY>>)
  set(hides $<NOT:$<BOOL:$<TARGET_PROPERTY:STEER_EXPORT_C_INTERFACE>>>)
  target_link_options(steer::engine INTERFACE
    $<${is_library}:LINKER:-z,nodelete>
    $<$<AND:${is_library},${hides}>:LINKER:--exclude-libs,libsteer.a>)
endfunction()

# steer_import_engine(INCLUDE_DIR <dir> LIBRARY_DIR <dir> [DEBUG_LIBRARY_DIR <dir>]
#                     NATIVE_LIBS <name>...)
# BUILD_SHARED_LIBS chooses libsteer.so or libsteer.a. A static link needs NATIVE_LIBS.
function(steer_import_engine)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "INCLUDE_DIR;LIBRARY_DIR;DEBUG_LIBRARY_DIR"
                        "NATIVE_LIBS")
  if(BUILD_SHARED_LIBS)
    add_library(steer::engine SHARED IMPORTED GLOBAL)
    # build.rs sets the SONAME. In the same directory is a symbolic link of that name.
    set(file ${CMAKE_SHARED_LIBRARY_PREFIX}steer${CMAKE_SHARED_LIBRARY_SUFFIX})
    set_target_properties(steer::engine PROPERTIES IMPORTED_SONAME ${file}.1)
  else()
    add_library(steer::engine STATIC IMPORTED GLOBAL)
    set(file ${CMAKE_STATIC_LIBRARY_PREFIX}steer${CMAKE_STATIC_LIBRARY_SUFFIX})
    target_link_libraries(steer::engine INTERFACE ${arg_NATIVE_LIBS})
  endif()
  _steer_link_options()
  add_library(steer::headers INTERFACE IMPORTED GLOBAL)
  target_include_directories(steer::headers INTERFACE ${arg_INCLUDE_DIR})
  target_include_directories(steer::engine INTERFACE ${arg_INCLUDE_DIR})
  set_target_properties(steer::engine PROPERTIES IMPORTED_LOCATION ${arg_LIBRARY_DIR}/${file})
  if(arg_DEBUG_LIBRARY_DIR)
    set_target_properties(steer::engine PROPERTIES
                          IMPORTED_LOCATION_DEBUG ${arg_DEBUG_LIBRARY_DIR}/${file})
  endif()
endfunction()
