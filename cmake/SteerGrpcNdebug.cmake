# Finds out whether the application's gRPC was built with NDEBUG, which changes the size of gRPC's
# internal classes. A shim that was built otherwise links without an error, and crashes at the first
# address update. So the shim follows gRPC, not the build type of the application.
#
# Must not depend on: how the answer is used.
include_guard(GLOBAL)

set(STEER_GRPC_NDEBUG "" CACHE STRING
    "Overrides the check: ON if gRPC was built with NDEBUG, OFF if without")

# Sets ${out} to the compile option that makes a target agree with gRPC. On the command line, the
# options of a target follow CMAKE_CXX_FLAGS_RELEASE with its -DNDEBUG, so this one wins.
function(steer_grpc_ndebug_option out target version built_here)
  if(NOT STEER_GRPC_NDEBUG STREQUAL "")
    if(STEER_GRPC_NDEBUG)
      set(flag -DNDEBUG)
    else()
      set(flag -UNDEBUG)
    endif()
    message(STATUS "Steer: gRPC ${version}: ${flag}, as set by STEER_GRPC_NDEBUG")
  elseif(built_here)
    # There is no library to probe yet, and no need: one build compiles gRPC and the shim with the
    # flags of one configuration. Only flags that are set on gRPC's own target must be copied.
    set(flag
      "$<FILTER:$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>,INCLUDE,^-[DU]NDEBUG>"
      "$<$<IN_LIST:NDEBUG,$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>>:-DNDEBUG>")
    message(STATUS "Steer: gRPC ${version} is part of this build, so the shim has the same NDEBUG")
  elseif(CMAKE_CONFIGURATION_TYPES)
    # A package may contain one gRPC for Debug and another for Release.
    foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES)
      _steer_probe_ndebug(answer ${target} ${version} ${config})
      list(APPEND flag $<$<CONFIG:${config}>:${answer}>)
    endforeach()
  else()
    _steer_probe_ndebug(flag ${target} ${version} "${CMAKE_BUILD_TYPE}")
  endif()
  set(${out} ${flag} PARENT_SCOPE)
endfunction()

# Links two probes. gRPC has exactly one of the two functions that they call, depending on NDEBUG.
function(_steer_probe_ndebug out target version config)
  set(with "struct grpc_completion_queue;
void grpc_cq_internal_ref(grpc_completion_queue*);
void probe() { grpc_cq_internal_ref(nullptr); }")
  if(version VERSION_LESS 1.58)
    set(without "struct grpc_completion_queue;
void grpc_cq_internal_ref(grpc_completion_queue*, const char*, const char*, int);
void probe() { grpc_cq_internal_ref(nullptr, nullptr, nullptr, 0); }")
  else()
    set(without "namespace grpc_core {
struct WorkSerializer { bool RunningInWorkSerializer() const; };
}
void probe() { static_cast<grpc_core::WorkSerializer*>(nullptr)->RunningInWorkSerializer(); }")
  endif()

  foreach(probe with without)
    # No cache: the library behind the target may have changed since the last run.
    set(CMAKE_TRY_COMPILE_CONFIGURATION ${config})
    set(CMAKE_TRY_COMPILE_TARGET_TYPE EXECUTABLE)
    try_compile(links_${probe}
      SOURCE_FROM_CONTENT ndebug_${probe}.cc "${${probe}}
int main(int argc, char**) { if (argc > 99) probe(); }"
      NO_CACHE
      LINK_LIBRARIES ${target}
      CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON
      OUTPUT_VARIABLE output_${probe})
  endforeach()

  if(links_with AND NOT links_without)
    set(flag -DNDEBUG)
    set(words "with NDEBUG")
  elseif(links_without AND NOT links_with)
    set(flag -UNDEBUG)
    set(words "without NDEBUG")
  else()
    set(how_many "neither of the two probes links")
    if(links_with)
      set(how_many "both probes link")
    endif()
    message(FATAL_ERROR
      "Steer cannot tell whether gRPC ${version} (target ${target}) was built with NDEBUG: "
      "${how_many}, but exactly one should. With a wrong guess the program would crash at the "
      "first call. Set one of these:\n"
      "  -DSTEER_GRPC_NDEBUG=ON   built with NDEBUG (Release, RelWithDebInfo, MinSizeRel)\n"
      "  -DSTEER_GRPC_NDEBUG=OFF  built without (Debug, no build type; Debian's packages)\n"
      "If gRPC does not link at all, repair that first. The output of the probes:\n"
      "${output_with}\n${output_without}")
  endif()
  message(STATUS "Steer: gRPC ${version} was built ${words}")
  set(${out} ${flag} PARENT_SCOPE)
endfunction()
