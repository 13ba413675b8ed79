#!/usr/bin/env python3
"""Builds and runs all code of docs/custom-pickers.md, with an installed Steer.

    custom_pickers.py <Steer's source> <Steer's build> <work directory> <greeter_server> [OPTION]...

The OPTIONs are for cmake. Each code block of the page has a `<!-- file: ... -->` before it, and
becomes this file.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
PROJECTS = ("in-c", "in-cpp", "in-rust")
# The targets that need neither gRPC nor cargo.
CHECKED = ["try_c", "by_user_c", "counted_c", "sharded_c", "blocking_c",
           "try_cpp", "by_user_cpp", "counted_cpp", "sharded_cpp", "blocking_cpp"]
ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


def run(*command, **options):
    print("+", *command, flush=True)
    return subprocess.run([str(word) for word in command], check=True, **options)


def extract(page, work, source):
    files = 0
    for block in BLOCK.finditer(page.read_text()):
        if not block["file"]:
            sys.exit(f"{page}: a {block['language']} block has no file name:\n{block['text']}")
        path = work / block["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["text"].replace("@STEER@", str(source)))
        files += 1
    print(f"{files} files")


def main(source, build, work, server, *options):
    source, build, work = (pathlib.Path(path).resolve() for path in (source, build, work))
    shutil.rmtree(work / "projects", ignore_errors=True)
    extract(source / "docs/custom-pickers.md", work / "projects", source)
    prefix = work / "prefix"
    run("cmake", "--install", build, "--prefix", prefix, stdout=subprocess.DEVNULL)

    # One build for all projects, so that gRPC's headers are parsed once.
    together = "".join(f"add_subdirectory({project})\n" for project in PROJECTS)
    (work / "projects/CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(pickers LANGUAGES C CXX)\n"
        f"find_package(gRPC CONFIG REQUIRED)\nfind_package(steer REQUIRED)\n{together}")
    # The code must work in both build types; for example, only Debug has assertions. The targets
    # that take long, because of gRPC's headers or cargo, are the same in both and are built once.
    for kind, targets in ("Debug", CHECKED), ("Release", ["all"]):
        tree = work / f"build-{kind}"
        run("cmake", "-S", work / "projects", "-B", tree, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={kind}",
            "-DCMAKE_C_FLAGS=-std=c11 -Wall -Wextra -Werror",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", *options)
        run("cmake", "--build", tree, "--target", *targets)
        run(tree / "in-c/try_c")
        run(tree / "in-cpp/try_cpp")
    run("cargo", "test", "--quiet", cwd=work / "projects/in-rust/by_user",
        env=os.environ | {"CARGO_TARGET_DIR": str(work / "cargo")})

    process = subprocess.Popen([server, "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        target = "ipv4:" + ADDRESS.search(line)[0]
        clients = {"in-c/client_c": "by_user_c", "in-rust/client_rust": "by_user_rust"}
        for client, policy in clients.items():
            said = run(tree / client, target, stdout=subprocess.PIPE, text=True).stdout
            assert policy in said, said
        # Loaded as plugins, by the environment.
        plugins = [tree / "in-cpp/libby_user_cpp.so", tree / "in-c/libby_user_c.so"]
        said = run(tree / "in-rust/client_rust", target, stdout=subprocess.PIPE, text=True,
                   env=os.environ | {"STEER_PLUGINS": ":".join(map(str, plugins))}).stdout
        assert "by_user_cpp" in said and "by_user_c " in said, said
    finally:
        process.kill()
        process.wait()
    print("all code builds and runs")


if __name__ == "__main__":
    main(*sys.argv[1:])
