# Toolchain file for 64-bit ARM with the packages of Debian: docs/building.md names them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# Tests run under QEMU's user mode.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# gRPC's package asks pkg-config for RE2.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
