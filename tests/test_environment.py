"""What a Record says of where it was made."""

from __future__ import annotations

from harness.environment import PACKAGES, environment


def test_every_package_is_known_by_the_name_that_installs_it() -> None:
    found = environment()["versions"]
    assert set(PACKAGES) < set(found)
    others = {name: version for name, version in found.items() if name != "classifier-init-harness"}
    assert all(version[:1].isdigit() for version in others.values()), others
