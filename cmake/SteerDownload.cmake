# Downloads one file and checks its hash. Runs in a separate process, so that its caller can
# continue after a failure.
#
#   cmake -DURL=... -DFILE=... [-DSHA256=...] [-DCAINFO=...] [-DHEADER=...] -P SteerDownload.cmake
#
# Must not depend on: the content of the file.
cmake_minimum_required(VERSION 3.25)

set(options "")
if(SHA256)
  list(APPEND options EXPECTED_HASH SHA256=${SHA256})
endif()
if(CAINFO)
  list(APPEND options TLS_CAINFO ${CAINFO})
endif()
if(HEADER)
  list(APPEND options HTTPHEADER ${HEADER})
endif()
file(DOWNLOAD ${URL} ${FILE} STATUS status TLS_VERIFY ON NETRC OPTIONAL TIMEOUT 600
     INACTIVITY_TIMEOUT 60 ${options})
list(POP_FRONT status failed why)
if(failed)
  message(FATAL_ERROR "${why}")
endif()
