# SPDX-License-Identifier: MIT
"""The programs that measure: already built by make, or built here."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = {
    "mum-load": ("load", "options", "report", "meter", "wire"),
    "mum-responder": ("responder", "wire"),
    "mum-userdb-load": ("userdb-load", "meter"),
}


def find(builddir, scratch, *names):
    """The directory that holds them all."""
    built = builddir / "tests/bench"
    if all((built / name).exists() for name in names):
        return built
    for name in names:
        subprocess.run(["cc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", "-o", scratch / name,
                        *(HERE / f"{source}.c" for source in SOURCES[name])], check=True)
    return scratch
