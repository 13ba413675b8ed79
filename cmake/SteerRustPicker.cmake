# steer_add_rust_picker builds a crate with custom pickers: linked into programs, or as a plugin.
#
# A linked crate becomes one object file. All its names are local, except its steer_plugin block. So
# several Rust libraries in one program do not clash, although each has its own copy of Rust's
# standard library. The program has one engine: a crate contains none, and gets the engine's
# functions when its block is registered, before main().
#
# Must not depend on: gRPC, how the engine is built.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerRust.cmake)

# Names the directory with the crates steer-sdk and steer-abi.
function(steer_rust_crates directory)
  set_property(GLOBAL PROPERTY STEER_RUST_CRATES ${directory})
endfunction()

# steer_add_rust_picker(<name> <directory> [MODULE])
#
# Builds the crate in <directory>, a library with a `steer_plugin!`. Its Cargo.toml depends on
# `steer-sdk = "0.1"`; this function tells cargo where that is, by a patch on its command line.
#
#   without MODULE: target_link_libraries(program PRIVATE steer::grpc <name>) links the pickers,
#                   which are registered before main()
#   with MODULE:    makes a plugin, lib<name>.so, $<TARGET_FILE:<name>>, for steer_load_plugin and
#                   STEER_PLUGINS
#
# To build a crate both ways, use two names.
function(steer_add_rust_picker name directory)
  cmake_parse_arguments(PARSE_ARGV 2 arg "MODULE" "" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "steer_add_rust_picker(${name}): unknown argument "
                        "${arg_UNPARSED_ARGUMENTS}. Only MODULE is allowed here.")
  endif()
  cmake_path(ABSOLUTE_PATH directory NORMALIZE)
  get_property(crates GLOBAL PROPERTY STEER_RUST_CRATES)
  get_property(native_libs GLOBAL PROPERTY STEER_RUST_NATIVE_LIBS)
  if(NOT native_libs)
    _steer_find_rust(${crates}/steer-sdk)
    _steer_native_libs(native_libs)
    set_property(GLOBAL PROPERTY STEER_RUST_NATIVE_LIBS ${native_libs})
    set_property(GLOBAL PROPERTY STEER_RUST_PICKER_TRIPLE ${STEER_RUST_TRIPLE})
    set_property(GLOBAL PROPERTY STEER_RUST_PICKER_ENV ${STEER_RUST_ENV})
  endif()
  get_property(triple GLOBAL PROPERTY STEER_RUST_PICKER_TRIPLE)
  get_property(env GLOBAL PROPERTY STEER_RUST_PICKER_ENV)
  _steer_picker_crate(library ${name} ${directory})

  set(target_dir ${CMAKE_BINARY_DIR}/steer-pickers)
  if(STEER_CARGO_TARGET_DIR)
    # Not the engine's directory, which may belong to another toolchain or other flags.
    set(target_dir ${STEER_CARGO_TARGET_DIR}/pickers)
  endif()
  set(built ${target_dir}/${triple}/$<IF:$<CONFIG:Debug>,debug,release>)
  if(arg_MODULE)
    set(kind cdylib)
    set(built ${built}/${CMAKE_SHARED_LIBRARY_PREFIX}${library}${CMAKE_SHARED_LIBRARY_SUFFIX})
  else()
    set(kind staticlib)
    set(built ${built}/${CMAKE_STATIC_LIBRARY_PREFIX}${library}${CMAKE_STATIC_LIBRARY_SUFFIX})
  endif()
  # All targets of the same library share this one.
  set(cargo steer_cargo_${library}_${kind})
  if(NOT TARGET ${cargo})
    add_custom_target(${cargo} ALL
      COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${target_dir} RUSTC=${STEER_RUSTC} ${env}
              ${STEER_CARGO} rustc --lib --crate-type ${kind} --quiet --target ${triple}
              --profile $<IF:$<CONFIG:Debug>,dev,release>
              --config "patch.crates-io.steer-sdk.path=\"${crates}/steer-sdk\""
      BYPRODUCTS ${built}
      WORKING_DIRECTORY ${directory}
      COMMENT "Building ${library} (${kind}) with cargo"
      VERBATIM)
  endif()
  if(arg_MODULE)
    _steer_picker_module(${name} ${cargo} ${built})
  else()
    _steer_picker_linked(${name} ${cargo} ${built} "${native_libs}")
  endif()
endfunction()

# Sets ${out} to the name of the crate's library. Checks what can be checked before it is built.
function(_steer_picker_crate out name directory)
  if(NOT EXISTS ${directory}/Cargo.toml)
    message(FATAL_ERROR "steer_add_rust_picker(${name}): there is no ${directory}/Cargo.toml.")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${directory}/Cargo.toml)
  execute_process(COMMAND ${STEER_CARGO} read-manifest WORKING_DIRECTORY ${directory}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE manifest ERROR_VARIABLE why)
  if(failed)
    message(FATAL_ERROR "steer_add_rust_picker(${name}): cargo cannot read "
                        "${directory}/Cargo.toml:\n${why}")
  endif()
  if(NOT manifest MATCHES "\"name\":\"steer-sdk\"")
    message(FATAL_ERROR "steer_add_rust_picker(${name}): ${directory}/Cargo.toml does not depend "
                        "on steer-sdk. Add steer-sdk = \"0.1\" to its [dependencies].")
  endif()
  string(JSON count LENGTH "${manifest}" targets)
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON kinds GET "${manifest}" targets ${i} kind)
    if(kinds MATCHES "\"lib\"|\"rlib\"|\"cdylib\"|\"staticlib\"")
      string(JSON library GET "${manifest}" targets ${i} name)
    endif()
  endforeach()
  if(NOT library)
    message(FATAL_ERROR "steer_add_rust_picker(${name}): the crate of ${directory}/Cargo.toml has "
                        "no library. Put its pickers into src/lib.rs.")
  endif()
  string(REPLACE "-" "_" library ${library})
  # All crates share one target directory, so these names must differ.
  get_property(taken GLOBAL PROPERTY STEER_RUST_PICKER_${library})
  if(taken AND NOT taken STREQUAL directory)
    message(FATAL_ERROR "steer_add_rust_picker(${name}): the libraries of ${directory} and "
                        "${taken} have the same name, ${library}. Rename one of them.")
  endif()
  set_property(GLOBAL PROPERTY STEER_RUST_PICKER_${library} ${directory})
  set(${out} ${library} PARENT_SCOPE)
endfunction()

function(_steer_picker_module name cargo built)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/lib${name}${CMAKE_SHARED_LIBRARY_SUFFIX})
  # A rename replaces the file, so that programs which have loaded the old one keep it.
  add_custom_command(OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -E copy ${built} ${file}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${file}.new ${file}
    DEPENDS ${cargo} ${built}
    VERBATIM)
  add_custom_target(${name}_file ALL DEPENDS ${file})
  add_library(${name} MODULE IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${file})
  add_dependencies(${name} ${name}_file)
endfunction()

# Sets ${out} to a target with an empty object file; one for each directory.
function(_steer_empty_object out)
  string(SHA256 id ${CMAKE_CURRENT_BINARY_DIR})
  string(SUBSTRING ${id} 0 12 id)
  set(target steer_empty_${id})
  if(NOT TARGET ${target})
    set(language c)
    if(NOT CMAKE_C_COMPILER_LOADED)
      set(language cc)
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}.${language})
    file(CONFIGURE OUTPUT ${source} CONTENT "typedef int steer_empty;\n")
    add_library(${target} OBJECT ${source})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
                          INTERPROCEDURAL_OPTIMIZATION OFF)
  endif()
  set(${out} ${target} PARENT_SCOPE)
endfunction()

function(_steer_picker_linked name cargo built native_libs)
  if(NOT CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
    message(FATAL_ERROR "steer_add_rust_picker(${name}): a picker can be linked into a program "
                        "only on ELF systems, whose tools can make its names local. Use MODULE "
                        "here.")
  endif()
  string(MAKE_C_IDENTIFIER ${name} id)
  set(block steer_plugin_block_${id})

  # Links the members of the archive that the block needs into one object, in which only the block
  # is global. Section groups are dissolved: the engine has groups of the same names, and a linker
  # would keep only one of each.
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}${CMAKE_C_OUTPUT_EXTENSION})
  if(NOT CMAKE_C_COMPILER_LOADED)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}${CMAKE_CXX_OUTPUT_EXTENSION})
  endif()
  # --gc-sections drops unused code. GNU ld then leaves weak symbols that look like strong ones;
  # --strip-unneeded removes them. Not in Debug builds, because it also removes what debuggers read.
  set(release $<NOT:$<CONFIG:Debug>>)
  execute_process(COMMAND ${CMAKE_LINKER} --version OUTPUT_VARIABLE linker ERROR_QUIET)
  if(linker MATCHES "^GNU ld")
    set(link_options $<${release}:--gc-sections> --force-group-allocation)
    set(copy_options "")
  else()
    # LLVM's linker and others do neither for an object file, and need an object to learn the
    # machine from. Removing the header of a group dissolves it.
    _steer_empty_object(empty)
    set(link_options $<TARGET_OBJECTS:${empty}>)
    set(copy_options --remove-section=.group)
  endif()
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r ${link_options} --undefined=steer_plugin_block -o ${object} ${built}
    COMMAND ${CMAKE_OBJCOPY} ${copy_options} $<${release}:--strip-unneeded>
            --keep-global-symbol=steer_plugin_block ${object}
    COMMAND ${CMAKE_OBJCOPY} --redefine-sym steer_plugin_block=${block} ${object}
    DEPENDS ${cargo} ${built} ${empty}
    COMMAND_EXPAND_LISTS
    VERBATIM)
  add_custom_target(${name}_object DEPENDS ${object})

  set(language c)
  if(NOT CMAKE_C_COMPILER_LOADED)
    set(language cc)
  endif()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}_register.${language})
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
/* Registers @name@ before main(). */
#include <steer/steer.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C"
#else
extern
#endif
const steer_plugin @block@;

__attribute__((constructor)) static void register_@id@(void) {
  if (steer_register_plugin(&@block@) != STEER_OK) {
    const steer_str why = steer_last_error();
    fprintf(stderr, "steer: @name@ was not registered: %.*s\n", (int)why.length, why.data);
  }
}
]])
  add_library(${name}_register OBJECT ${source})
  target_link_libraries(${name}_register PRIVATE steer::engine)
  set_target_properties(${name}_register PROPERTIES POSITION_INDEPENDENT_CODE ON)

  # Objects instead of an archive: from an archive a linker takes only members that are referenced.
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE $<TARGET_OBJECTS:${name}_register> ${object} steer::engine
                                          ${native_libs})
  add_dependencies(${name} ${name}_register ${name}_object)
endfunction()
