# Makes steer::grpc, the C++ shim between gRPC and the engine. The application's build compiles it
# from source against the application's gRPC, because gRPC's internal interface has no stable ABI. A
# build tree of Steer and an installed Steer both use this file.
#
# Must not depend on: where gRPC, its headers or the engine come from.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerFindGrpc.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SteerGrpcHeaders.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SteerGrpcNdebug.cmake)

# steer_add_shim(SOURCE_DIR <dir> INCLUDE_DIR <dir>) needs steer::engine, and makes these targets:
#   steer::grpc              for applications to link
#   steer_grpc_internals     the flags for gRPC's internal headers, for Steer's own tests
#   steer-grpc               a shared library with shim and engine; registers itself when loaded
#   steer-grpc-autoregister  a shared library that loads steer-grpc, to be linked or preloaded
# It sets STEER_GRPC_RELEASE to gRPC's version.
function(steer_add_shim)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_DIR;INCLUDE_DIR" "")
  if(NOT CMAKE_CXX_COMPILER_LOADED)
    message(FATAL_ERROR "steer::grpc is C++. Enable the language CXX in your project before Steer.")
  endif()
  set(own_build OFF)
  if(PROJECT_NAME STREQUAL "steer" AND PROJECT_IS_TOP_LEVEL)
    set(own_build ON)
  endif()
  steer_find_grpc()
  _steer_add_internals()

  # Objects instead of an archive, so that the order on the link line does not matter. They use
  # gRPC's target only for compiling. So the application alone decides between libgrpc and
  # libgrpc_unsecure; with both in one process, each would have its own registry.
  set(sources register.cc copies.cc running_grpc.cc stats.cc policy.cc alarm.cc
    take_over.cc)
  list(TRANSFORM sources PREPEND ${arg_SOURCE_DIR}/)
  # Not part of a unity build, because the stress test replaces this file.
  set_source_files_properties(${arg_SOURCE_DIR}/alarm.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_library(steer_shim OBJECT ${sources})
  target_include_directories(steer_shim PUBLIC ${arg_INCLUDE_DIR})
  target_link_libraries(steer_shim PRIVATE steer_grpc_internals ${STEER_GRPC_TARGET} steer::engine)
  target_compile_features(steer_shim PUBLIC cxx_std_17)
  # UBSan would look at RTTI of gRPC's xDS classes, which the library without TLS lacks.
  target_compile_options(steer_shim PRIVATE -fno-sanitize=vptr)
  set_property(SOURCE ${arg_SOURCE_DIR}/running_grpc.cc APPEND PROPERTY
               COMPILE_DEFINITIONS STEER_GRPC_RELEASE="${STEER_GRPC_RELEASE}")
  set_target_properties(steer_shim PROPERTIES POSITION_INDEPENDENT_CODE ON
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)

  add_library(steer_grpc INTERFACE)
  add_library(steer::grpc ALIAS steer_grpc)
  target_include_directories(steer_grpc INTERFACE ${arg_INCLUDE_DIR})
  target_compile_features(steer_grpc INTERFACE cxx_std_17)
  target_link_libraries(steer_grpc INTERFACE $<TARGET_OBJECTS:steer_shim> steer::engine)
  # Needed for a unity build with Makefiles. Otherwise CMake knows this dependency.
  add_dependencies(steer_grpc steer_shim)
  # The shim uses dladdr and dlopen, to keep its library from being unloaded.
  target_link_libraries(steer_grpc INTERFACE ${CMAKE_DL_LIBS})

  _steer_add_autoregister()
  if(NOT own_build)
    # The application's warning flags are meant for its own code.
    target_compile_options(steer_shim PRIVATE -w)
    target_compile_options(steer-grpc PRIVATE -w)
    # A project that links none of these, such as a plugin, does not compile them.
    set_target_properties(steer_shim steer-grpc steer-grpc-autoregister PROPERTIES
                          EXCLUDE_FROM_ALL ON)
  endif()
  set(STEER_GRPC_RELEASE ${STEER_GRPC_RELEASE} PARENT_SCOPE)
endfunction()

# Runs in the scope of steer_add_shim, and uses its variables for gRPC.
macro(_steer_add_internals)
  steer_grpc_internal_headers(header_dirs ${STEER_GRPC_RELEASE} "${STEER_GRPC_BUILT_HERE}")
  steer_grpc_ndebug_option(ndebug_option ${STEER_GRPC_TARGET} ${STEER_GRPC_RELEASE}
                           "${STEER_GRPC_BUILT_HERE}")
  add_library(steer_grpc_internals INTERFACE)
  target_include_directories(steer_grpc_internals SYSTEM INTERFACE
    ${header_dirs} $<TARGET_PROPERTY:${STEER_GRPC_TARGET},INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_options(steer_grpc_internals INTERFACE ${ndebug_option})
endmacro()

function(_steer_add_autoregister)
  set(elf ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/elf)
  add_library(steer-grpc MODULE ${elf}/autoregister.cc)
  target_link_libraries(steer-grpc PRIVATE steer::grpc)
  set_target_properties(steer-grpc PROPERTIES PREFIX lib
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${elf}/steer-grpc.map)
  # Its version script decides what it exports.
  set_target_properties(steer-grpc PROPERTIES STEER_EXPORT_C_INTERFACE ON)
  # The process that loads it provides gRPC's symbols, so they are undefined here. The version
  # script hides all other symbols, because some of them are in libgrpc too.
  target_link_options(steer-grpc PRIVATE LINKER:-z,undefs
                      LINKER:--version-script=${elf}/steer-grpc.map)

  add_library(steer-grpc-autoregister SHARED ${elf}/preload.cc)
  set_target_properties(steer-grpc-autoregister PROPERTIES
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(steer-grpc-autoregister PRIVATE ${CMAKE_DL_LIBS})
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" minor ${STEER_GRPC_RELEASE})
  target_compile_definitions(steer-grpc-autoregister PRIVATE STEER_GRPC_MINOR="${minor}")
  # Never unloaded, as steer-grpc, which it loads and which registers with gRPC.
  target_link_options(steer-grpc-autoregister PRIVATE LINKER:-z,nodelete)
  add_dependencies(steer-grpc-autoregister steer-grpc)

  # Makes a program load the library even if the program refers to nothing in it.
  add_library(steer_autoregister_anchor OBJECT ${elf}/autoregister_anchor.cc)
  set_target_properties(steer_autoregister_anchor PROPERTIES POSITION_INDEPENDENT_CODE ON
                        EXCLUDE_FROM_ALL ON)
  target_link_libraries(steer-grpc-autoregister
                        INTERFACE $<TARGET_OBJECTS:steer_autoregister_anchor>)
  add_dependencies(steer-grpc-autoregister steer_autoregister_anchor)
endfunction()
