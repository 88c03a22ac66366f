"""The versions of what decides a run's results."""

from __future__ import annotations

import importlib.metadata
import platform

_PACKAGES = ("eureka-agent", "mujoco", "numpy", "torch")


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide a run's results, by name."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # a source tree that is not installed
            continue
    return versions
