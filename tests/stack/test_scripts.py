# SPDX-License-Identifier: MIT
"""Scripts that are run by hand say how, and parts of them do what they should."""

import importlib.machinery
import importlib.util
import pathlib
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


def module_of(path):
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("script", str(TOP / path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("script", loader))
    loader.exec_module(module)
    return module


def test_the_packages_are_built_by_the_readme():
    tools, command = module_of("tests/debian/server.py").build_commands()
    assert command.startswith("dpkg-buildpackage ") and "\n" not in command
    assert [line.split()[0] for line in tools.splitlines()] == ["apt-get", "apt-get"]


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


# ---- coverage ----

def coverage():
    return module_of("tests/coverage/report")


@pytest.mark.parametrize("run, missed", [(95, False), (94, True), (100, False)])
def test_an_aim_of_lines_is_for_all_of_a_folder(run, missed):
    report = coverage()
    sources = {pathlib.Path("common/a.c"): report.Source(), pathlib.Path("common/b/c.c"): report.Source(),
               pathlib.Path("mumctl/a.c"): report.Source()}
    for number in range(100):
        sources[pathlib.Path("common/a.c" if number < 50 else "common/b/c.c")].lines[number] = int(number < run)
        sources[pathlib.Path("mumctl/a.c")].lines[number] = 0
    good, line = report.reached(report.Aim("common", "lines", 95, ()), sources)
    assert good != missed and line.startswith("MISSED" if missed else "aim")
    assert f"{run}.00 %, {100 - run} not run" in line


@pytest.mark.parametrize("taken, missed", [((1, 1), False), ((1, 0), True), ((), True)])
def test_an_aim_of_branches_needs_each_way(taken, missed):
    report = coverage()
    source = report.Source()
    source.branches.update({(7, way): count for way, count in enumerate(taken)})
    aim = report.Aim("common/rules.c", "branches", 100, ())
    assert report.reached(aim, {pathlib.Path("common/rules.c"): source})[0] != missed


def test_the_aims_are_judged_by_what_was_run():
    by = {aim.path: aim.by for aim in coverage().AIMS}
    assert by == {"common": ("all",), "postfix-policy": ("all",), "common/rules.c": ("all", "units")}
