# Builds the engine from its Rust source with cargo and makes steer::engine of it. Cargo alone
# decides what is out of date, so it runs in every build; that takes a fraction of a second when
# nothing has changed.
#
# Must not know: gRPC, the shim, the install tree.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerEngine.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SteerRust.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SteerSanitize.cmake)

set(STEER_ENGINE_LIBRARY "" CACHE FILEPATH
    "A libsteer.so or libsteer.a that was built before, to be linked as it is; then nothing here needs Rust")

# Makes steer::engine of a library that somebody else has built.
macro(_steer_take_engine source_dir)
  if(NOT EXISTS ${STEER_ENGINE_LIBRARY})
    message(FATAL_ERROR "Steer: STEER_ENGINE_LIBRARY=${STEER_ENGINE_LIBRARY} does not exist.")
  endif()
  if(STEER_INSTALL)
    message(FATAL_ERROR "Steer: STEER_ENGINE_LIBRARY is for builds that install nothing: -DSTEER_INSTALL=OFF.")
  endif()
  cmake_path(GET STEER_ENGINE_LIBRARY PARENT_PATH dir)
  cmake_path(GET STEER_ENGINE_LIBRARY FILENAME name)
  if(BUILD_SHARED_LIBS AND name STREQUAL "libsteer.so")
    # Programs look for it by its SONAME, which may not lie beside it.
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/engine)
    file(MAKE_DIRECTORY ${dir})
    file(CREATE_LINK ${STEER_ENGINE_LIBRARY} ${dir}/libsteer.so SYMBOLIC)
    file(CREATE_LINK libsteer.so ${dir}/libsteer.so.1 SYMBOLIC)
  endif()
  # What Rust's standard library may want, wherever it was built.
  steer_import_engine(INCLUDE_DIR ${source_dir}/include LIBRARY_DIR ${dir}
                      NATIVE_LIBS util rt pthread m dl)
  get_target_property(taken steer::engine IMPORTED_LOCATION)
  if(NOT taken STREQUAL "${dir}/${name}")
    message(FATAL_ERROR "Steer: STEER_ENGINE_LIBRARY=${STEER_ENGINE_LIBRARY}, but with BUILD_SHARED_LIBS="
                        "${BUILD_SHARED_LIBS} the engine is ${taken}.")
  endif()
  message(STATUS "Steer: the engine is ${STEER_ENGINE_LIBRARY}")
endmacro()

# Makes steer::engine from the crate in source_dir. Leaves STEER_ENGINE_DIR (where the libraries of
# the build's configuration are, a generator expression) and STEER_NATIVE_LIBS to the caller.
function(steer_build_engine source_dir)
  if(STEER_ENGINE_LIBRARY)
    _steer_take_engine(${source_dir})
    return()
  endif()
  _steer_find_rust(${source_dir})
  _steer_native_libs(native_libs)

  set(target_dir ${STEER_CARGO_TARGET_DIR})
  if(NOT target_dir)
    set(target_dir ${CMAKE_CURRENT_BINARY_DIR}/cargo)
  endif()
  set(env CARGO_TARGET_DIR=${target_dir} RUSTC=${STEER_RUSTC} ${STEER_RUST_ENV})
  set(arguments --locked --lib --quiet --target ${STEER_RUST_TRIPLE}
      --profile $<IF:$<CONFIG:Debug>,dev,release>)
  string(APPEND target_dir /${STEER_RUST_TRIPLE})

  steer_sanitize_rust(rust_flags rust_arguments ${STEER_RUSTC})
  if(rust_flags)
    list(JOIN rust_flags " " rust_flags)
    list(APPEND env RUSTC_BOOTSTRAP=1 "RUSTFLAGS=$ENV{RUSTFLAGS} ${rust_flags}")
    # As a target is named, build scripts and macros keep their own flags, and run.
    list(APPEND arguments ${rust_arguments})
  endif()

  set(engine_dir ${target_dir}/$<IF:$<CONFIG:Debug>,debug,release>)
  # In an application, for what links it.
  set(all "")
  if(PROJECT_IS_TOP_LEVEL OR STEER_INSTALL)
    set(all ALL)
  endif()
  add_custom_target(steer_cargo ${all}
    COMMAND ${CMAKE_COMMAND} -E env ${env} ${STEER_CARGO} build ${arguments}
    # What programs look for.
    COMMAND ${CMAKE_COMMAND} -E create_symlink libsteer.so ${engine_dir}/libsteer.so.1
    BYPRODUCTS ${engine_dir}/libsteer.a ${engine_dir}/libsteer.so
    WORKING_DIRECTORY ${source_dir}
    COMMENT "Building Steer's engine with cargo"
    VERBATIM)

  steer_import_engine(INCLUDE_DIR ${source_dir}/include LIBRARY_DIR ${target_dir}/release
                      DEBUG_LIBRARY_DIR ${target_dir}/debug NATIVE_LIBS ${native_libs})
  add_dependencies(steer::engine steer_cargo)
  set(STEER_ENGINE_DIR ${engine_dir} PARENT_SCOPE)
  set(STEER_NATIVE_LIBS ${native_libs} PARENT_SCOPE)
endfunction()
