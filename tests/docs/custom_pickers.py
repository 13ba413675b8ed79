#!/usr/bin/env python3
"""Builds and runs all that docs/custom-pickers.md shows, against an installed Steer.

    custom_pickers.py <Steer's source> <Steer's build> <where to work> <greeter_server> [cmake's options]

Each code block with a `<!-- file: ... -->` before it is a file; no block may be without one.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
PROJECTS = ("in-c", "in-cpp", "in-rust")
# What needs no gRPC and no cargo.
CHECKED = ["try_c", "by_user_c", "try_cpp", "by_user_cpp"]
ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


def run(*command, **options):
    print("+", *command, flush=True)
    return subprocess.run([str(word) for word in command], check=True, **options)


def extract(page, work, source):
    files = 0
    for block in BLOCK.finditer(page.read_text()):
        if not block["file"]:
            sys.exit(f"{page}: a block of {block['language']} has no file:\n{block['text']}")
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

    # All of them at once: gRPC's own headers are read once.
    together = "".join(f"add_subdirectory({project})\n" for project in PROJECTS)
    (work / "projects/CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(pickers LANGUAGES C CXX)\n"
        f"find_package(gRPC CONFIG REQUIRED)\nfind_package(steer REQUIRED)\n{together}")
    # What is shown must work in both: assertions, for example, are there in Debug only. What gRPC's
    # headers and cargo make long is the same in both, and is built once.
    for kind, targets in ("Debug", CHECKED), ("Release", ["all"]):
        tree = work / f"build-{kind}"
        run("cmake", "-S", work / "projects", "-B", tree, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={kind}", "-DCMAKE_C_FLAGS=-std=c11 -Wall -Wextra -Werror",
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
        for client, policy in ("in-c/client_c", "by_user_c"), ("in-rust/client_rust", "by_user_rust"):
            said = run(tree / client, target, stdout=subprocess.PIPE, text=True).stdout
            assert policy in said, said
        # Loaded, without a line of code.
        plugins = [tree / "in-cpp/libby_user_cpp.so", tree / "in-c/libby_user_c.so"]
        said = run(tree / "in-rust/client_rust", target, stdout=subprocess.PIPE, text=True,
                   env=os.environ | {"STEER_PLUGINS": ":".join(map(str, plugins))}).stdout
        assert "by_user_cpp" in said and "by_user_c " in said, said
    finally:
        process.kill()
        process.wait()
    print("all of it builds and runs")


if __name__ == "__main__":
    main(*sys.argv[1:])
