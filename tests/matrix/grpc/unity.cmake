# Excludes files from the unity build whose file-local names clash. gRPC's own project() call
# includes this file.
#
# Must not depend on: gRPC's version. Files that a version does not have are ignored.

# Generated files, which all have the same names.
file(GLOB_RECURSE alone ${CMAKE_CURRENT_SOURCE_DIR}/src/core/ext/upb*-generated/*.c)

# Each has a `static ... g_gli_initializer`.
file(GLOB_RECURSE wrappers ${CMAKE_CURRENT_SOURCE_DIR}/src/cpp/*.cc)
foreach(file IN LISTS wrappers)
  file(STRINGS ${file} clashing REGEX "g_gli_initializer" LIMIT_COUNT 1)
  if(clashing)
    list(APPEND alone ${file})
  endif()
endforeach()

# Files in the style of C, each with its own `vtable` and `maybe_copy_error_msg`; and the pollers,
# which are variants of each other.
foreach(pattern IN ITEMS tsi/*.cc lib/security/credentials/alts/*.cc lib/iomgr/ev_*.cc
                         lib/event_engine/posix_engine/ev_*.cc)
  file(GLOB_RECURSE files ${CMAKE_CURRENT_SOURCE_DIR}/src/core/${pattern})
  list(APPEND alone ${files})
endforeach()

list(APPEND alone
  src/core/ext/filters/client_channel/lb_policy/weighted_target/weighted_target.cc
  src/core/ext/filters/client_channel/lb_policy/xds/xds_cluster_manager.cc
  src/core/ext/filters/message_size/message_size_filter.cc
  src/core/ext/transport/chttp2/transport/bin_encoder.cc
  src/core/ext/xds/xds_certificate_provider.cc
  src/core/ext/xds/xds_channel_stack_modifier.cc
  src/core/lib/security/credentials/external/aws_request_signer.cc
  src/core/lib/security/credentials/external/external_account_credentials.cc)

set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
