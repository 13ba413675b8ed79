# Builds the engine with cargo and makes the target steer::engine. Only cargo knows what is out of
# date, so it runs in every build. That takes a fraction of a second if nothing has changed.
#
# Must not depend on: gRPC, the shim, the install tree.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerEngine.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SteerRust.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SteerSanitize.cmake)

set(STEER_ENGINE_LIBRARY "" CACHE FILEPATH
    "A libsteer.so or libsteer.a that is already built. Then this build needs no Rust")

# Makes steer::engine from STEER_ENGINE_LIBRARY.
macro(_steer_take_engine source_dir)
  if(NOT EXISTS ${STEER_ENGINE_LIBRARY})
    message(FATAL_ERROR "Steer: STEER_ENGINE_LIBRARY=${STEER_ENGINE_LIBRARY} does not exist.")
  endif()
  if(STEER_INSTALL)
    message(FATAL_ERROR "Steer: a build with STEER_ENGINE_LIBRARY cannot install Steer. "
                        "Set -DSTEER_INSTALL=OFF.")
  endif()
  cmake_path(GET STEER_ENGINE_LIBRARY PARENT_PATH dir)
  cmake_path(GET STEER_ENGINE_LIBRARY FILENAME name)
  if(BUILD_SHARED_LIBS AND name STREQUAL "libsteer.so")
    # Programs load it by its SONAME, for which there may be no file in its directory.
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/engine)
    file(MAKE_DIRECTORY ${dir})
    file(CREATE_LINK ${STEER_ENGINE_LIBRARY} ${dir}/libsteer.so SYMBOLIC)
    file(CREATE_LINK libsteer.so ${dir}/libsteer.so.1 SYMBOLIC)
  endif()
  # The libraries that Rust's standard library may need on any Linux.
  steer_import_engine(INCLUDE_DIR ${source_dir}/include LIBRARY_DIR ${dir}
                      NATIVE_LIBS util rt pthread m dl)
  get_target_property(taken steer::engine IMPORTED_LOCATION)
  if(NOT taken STREQUAL "${dir}/${name}")
    message(FATAL_ERROR "Steer: STEER_ENGINE_LIBRARY is ${STEER_ENGINE_LIBRARY}, but with "
                        "BUILD_SHARED_LIBS=${BUILD_SHARED_LIBS} the engine is ${taken}.")
  endif()
  message(STATUS "Steer: the engine is ${STEER_ENGINE_LIBRARY}")
endmacro()

# Makes steer::engine from the crate in source_dir. Sets for the caller:
#   STEER_ENGINE_DIR   the directory of the libraries, a generator expression of the configuration
#   STEER_NATIVE_LIBS  the libraries that a static link needs
#   STEER_PROGRAMS     the files of the programs to install: steer-top if STEER_INSTALL_TOP is ON,
#                      steer-sim if STEER_INSTALL_SIM is ON
function(steer_build_engine source_dir)
  if(STEER_ENGINE_LIBRARY)
    _steer_take_engine(${source_dir})
    return()
  endif()
  _steer_find_rust(${source_dir})
  _steer_native_libs(native_libs)

  set(cargo_dir ${STEER_CARGO_TARGET_DIR})
  if(NOT cargo_dir)
    set(cargo_dir ${CMAKE_CURRENT_BINARY_DIR}/cargo)
  endif()
  set(env CARGO_TARGET_DIR=${cargo_dir} RUSTC=${STEER_RUSTC} ${STEER_RUST_ENV})
  set(arguments --locked --lib --quiet --target ${STEER_RUST_TRIPLE}
      --profile $<IF:$<CONFIG:Debug>,dev,release>)
  set(target_dir ${cargo_dir}/${STEER_RUST_TRIPLE})

  steer_sanitize_rust(rust_flags rust_arguments ${STEER_RUSTC})
  if(rust_flags)
    list(JOIN rust_flags " " rust_flags)
    list(APPEND env RUSTC_BOOTSTRAP=1 "RUSTFLAGS=$ENV{RUSTFLAGS} ${rust_flags}")
    # Because --target is given, build scripts and macros are built without these flags.
    list(APPEND arguments ${rust_arguments})
  endif()

  set(engine_dir ${target_dir}/$<IF:$<CONFIG:Debug>,debug,release>)
  # In an application, only the targets that link the engine build it.
  set(all "")
  if(PROJECT_IS_TOP_LEVEL OR STEER_INSTALL)
    set(all ALL)
  endif()
  add_custom_target(steer_cargo ${all}
    COMMAND ${CMAKE_COMMAND} -E env ${env} ${STEER_CARGO} build ${arguments}
    # Programs load the engine by its SONAME.
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
  set(programs "")
  # One cargo at a time, because each uses all processors.
  set(previous_cargo steer_cargo)
  if(STEER_INSTALL_TOP)
    _steer_build_program(steer-top STEER_INSTALL_TOP)
  endif()
  if(STEER_INSTALL_SIM)
    _steer_build_program(steer-sim STEER_INSTALL_SIM)
  endif()
  set(STEER_PROGRAMS ${programs} PARENT_SCOPE)
endfunction()

# Builds crates/<name>, which `option` asks for, with the engine's toolchain. Runs in the scope of
# steer_build_engine, and appends the program to `programs`.
#
# The crate is a workspace of its own, with another Cargo.lock and other settings. It also has a
# target directory of its own. In the engine's, a program that uses the engine would overwrite the
# engine's library.
macro(_steer_build_program name option)
  string(REPLACE - _ program_target ${name})
  set(program_dir ${cargo_dir}/${name})
  set(program ${program_dir}/${STEER_RUST_TRIPLE}/$<IF:$<CONFIG:Debug>,debug,release>/${name})
  add_custom_target(${program_target} ALL
    COMMAND ${CMAKE_COMMAND} -E env ${env} CARGO_TARGET_DIR=${program_dir} ${STEER_CARGO} build
            --locked --quiet --target ${STEER_RUST_TRIPLE}
            --profile $<IF:$<CONFIG:Debug>,dev,release>
    BYPRODUCTS ${program}
    WORKING_DIRECTORY ${source_dir}/crates/${name}
    COMMENT "Building ${name} with cargo (-D${option}=OFF leaves it out)"
    VERBATIM)
  add_dependencies(${program_target} ${previous_cargo})
  set(previous_cargo ${program_target})
  list(APPEND programs ${program})
endmacro()
