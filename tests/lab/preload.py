# SPDX-License-Identifier: MIT
"""Libraries of tests/fakes that are preloaded into a program."""

import mmap

from .lab import TOP, run


def build(lab, name):
    """Compiles tests/fakes/NAME.c; the path of the library."""
    library = lab.path / f"{name}.so"
    run("cc", "-O1", "-shared", "-fPIC", "-o", library, TOP / f"tests/fakes/{name}.c")
    return library


class Preloaded:
    """A program that .runner runs has the library, which shares .memory with us."""

    def __init__(self, library, variable, file, size):
        """variable: names the file, which this makes, in the environment."""
        file.write_bytes(bytes(size))
        file.chmod(0o666)
        with open(file, "r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), size)
        self.runner = ("env", f"LD_PRELOAD={library}", f"{variable}={file}")
