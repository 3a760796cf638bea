# SPDX-License-Identifier: MIT
"""Scripts that are run by hand say how; and the bill of materials is checked."""

import shutil
import subprocess

import pytest

from lab.lab import TOP

pytestmark = pytest.mark.other_programs

SCRIPTS = ("tests/32bit/run", "tests/bench/run", "tests/debian/check-bare", "tests/machine/run",
           "tests/matrix/run", "tests/mysql/run", "tests/stack/conformance/run",
           "tests/stack/soak/run")


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_the_usage_and_nothing_is_done(script, tmp_path):
    shown = subprocess.run([TOP / script, "--help"], cwd=tmp_path, capture_output=True, text=True,
                           timeout=10, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("usage: ")
    assert not list(tmp_path.iterdir())


# ---- make sbom ----

def sbom(top):
    """Writes the bill of materials of what is below it; returns its path."""
    path = top.with_suffix(".spdx")
    path.write_text(subprocess.run([TOP / "tests/sbom", top], stdout=subprocess.PIPE, text=True,
                                   check=True).stdout)
    return path


def wrong(top, spdx):
    result = subprocess.run([TOP / "tests/check-sbom", top, spdx], stderr=subprocess.PIPE, text=True,
                            check=False)
    assert (result.returncode == 0) == (result.stderr == "")
    return result.stderr.replace(f"{spdx}: ", "").splitlines()


@pytest.fixture
def packed(tmp_path):
    """What could be an archive, unpacked."""
    top = tmp_path / "packed"
    (top / "debian").mkdir(parents=True)
    for name in ("configure.ac", "debian/changelog", "LICENSE", "common/lookup.c"):
        (top / name).parent.mkdir(exist_ok=True)
        shutil.copy(TOP / name, top / name)
    (top / "link.c").symlink_to("common/lookup.c")
    return top


def test_each_file_is_in_the_sbom_with_its_sums(packed):
    spdx = sbom(packed)
    assert wrong(packed, spdx) == []
    text = spdx.read_text()
    assert "FileName: ./link.c\n" in text and text.count("LicenseInfoInFile: MIT") == 3


CHANGES = {
    "another byte": (lambda top: (top / "LICENSE").write_bytes(b"x"), "./LICENSE: FileChecksum is not SHA256: "),
    "another file": (lambda top: (top / "new name").write_text(""), "./new name is not in it"),
    "a file less": (lambda top: (top / "LICENSE").unlink(), "./LICENSE does not exist"),
    "another licence": (lambda top: (top / "common/lookup.c").write_text("/* SPDX-License-Identifier: GPL-2.0 */\n"),
                        "./common/lookup.c: LicenseInfoInFile is not GPL-2.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_since_the_sbom_is_seen(packed, change):
    spdx = sbom(packed)
    function, told = CHANGES[change]
    function(packed)
    said = wrong(packed, spdx)
    assert any(line.startswith(told) for line in said), said
    assert any(line.startswith("PackageVerificationCode is not ") for line in said)


def test_a_file_that_is_listed_twice_is_seen(packed):
    spdx = sbom(packed)
    text = spdx.read_text()
    block = next(block for block in text.split("\n\n") if block.startswith("FileName: ./LICENSE"))
    spdx.write_text(f"{text}\n{block}\n")
    assert wrong(packed, spdx) == ["./LICENSE is there 2 times", "an SPDXID is there twice"]
