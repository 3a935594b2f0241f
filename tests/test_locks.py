"""The requirements files are locks of pyproject.toml: each package in one version, with the hashes of its files."""

import re
import tomllib
from dataclasses import dataclass

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev
from tests.web.app import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GROUPS = {
    "requirements.txt": (),
    "requirements-dev.txt": ("test",),
    "requirements-bench.txt": ("bench",),
}
PYTHONS = ["3.11", "3.12", "3.13"]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)(?:\[[a-z,]+\])?==(?P<version>[^ ;]+)(?: ; (?P<marker>.+?))? \\")
HASHES = re.compile(r"(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")


@dataclass(frozen=True)
class Pin:
    """A package in one version, for the interpreters and systems that its marker names."""

    name: str
    version: str
    marker: str | None

    def is_for(self, python: str) -> bool:
        """Whether it is installed on this Python, on Linux."""
        return self.marker is None or Marker(self.marker).evaluate(environment(python))


def environment(python: str) -> dict[str, str]:
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    cpython = {"platform_python_implementation": "CPython", "implementation_name": "cpython"}
    return {"python_version": python, "python_full_version": f"{python}.0", **linux, **cpython}


def pins(file: str) -> list[Pin]:
    found = [PIN.fullmatch(line) for line in lines(file) if not line.startswith(" ")]
    return [Pin(match["name"], match["version"], match["marker"]) for match in found if match]


def lines(file: str) -> list[str]:
    return [line for line in (ROOT / file).read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]


def wanted(file: str) -> list[Requirement]:
    groups = [PROJECT["dependency-groups"][name] for name in GROUPS[file]]
    return [Requirement(text) for texts in (PROJECT["project"]["dependencies"], *groups) for text in texts]


@pytest.mark.parametrize("file", [path.name for path in dev.LOCKED])
def test_a_lock_holds_nothing_but_pinned_packages_each_with_its_hashes(file: str) -> None:
    whole = "\n".join(lines(file)) + "\n"
    packages = re.split(r"^(?=\S)", whole, flags=re.MULTILINE)[1:]
    assert packages
    for package in packages:
        first, _, rest = package.partition("\n")
        assert PIN.fullmatch(first), first
        assert HASHES.fullmatch(rest), first
    assert "://" not in (ROOT / file).read_text("utf-8"), "no index of somebody's own"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("file", GROUPS)
def test_a_lock_has_one_allowed_version_of_each_package_that_is_wanted(file: str, python: str) -> None:
    for requirement in wanted(file):
        if requirement.marker is None or requirement.marker.evaluate(environment(python)):
            versions = [pin.version for pin in pins(file) if pin.is_for(python) and pin.name == name_of(requirement)]
            assert len(versions) == 1, requirement
            assert requirement.specifier.contains(versions[0]), requirement


def name_of(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("file", [path.name for path in dev.LOCKED])
def test_no_package_is_pinned_twice_for_one_python(file: str, python: str) -> None:
    names = [pin.name for pin in pins(file) if pin.is_for(python)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("file", ["requirements-dev.txt", "requirements-bench.txt"])
def test_the_app_is_tested_and_measured_with_the_versions_that_are_deployed(file: str, python: str) -> None:
    deployed = {(pin.name, pin.version) for pin in pins("requirements.txt") if pin.is_for(python)}
    assert deployed
    assert deployed <= {(pin.name, pin.version) for pin in pins(file) if pin.is_for(python)}


def test_nothing_that_only_the_tests_need_is_deployed() -> None:
    assert not {pin.name for pin in pins("requirements.txt")} & {
        canonicalize_name(Requirement(text).name)
        for group in ("test", "bench", "node", "lock")
        for text in PROJECT["dependency-groups"][group]
    }
