"""Find or download a Python that the current Home Assistant supports."""

import os
from pathlib import Path
import platform
import shutil
import subprocess
import sys
import sysconfig

from .paths import CACHE, PRIVATE_PYTHON, TOOLS
from .steps import StepError, output, run, step

_VERSION = "3.14"
_MINIMUM = (3, 14, 2)
_ADVICE = (
    "Install Python 3.14.2 or newer so that `python3.14` is on the path,"
    " and start again."
)
_DOWNLOAD_SECONDS = 240
# The first Debian release with Python 3.14.
_DEBIAN_SUITE = "forky"
_DEBIAN_PACKAGES = """
    python3.14 python3.14-minimal python3.14-venv python3.14-dev
    libpython3.14 libpython3.14-minimal libpython3.14-stdlib libpython3.14-dev
    libc6 libssl3t64 libffi8 libsqlite3-0 libexpat1 zlib1g libbz2-1.0 liblzma5
    libreadline8t64 libncursesw6 libtinfo6 libuuid1 libzstd1 libgcc-s1 libstdc++6
    libcrypt1 media-types tzdata
""".split()


def uv() -> Path:
    """Return uv, from the path or downloaded from PyPI into the checkout.

    It trusts the machine's certificates, as pip does.
    """
    for option in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS"):  # The older name.
        os.environ.setdefault(option, "1")
    if found := shutil.which("uv"):
        return Path(found)
    return _tool("uv")


def find_python() -> Path:
    """Return a Python that is new enough; download one if there is none."""
    for find in (_on_path, _private, _from_uv, _from_debian):
        if (python := find()) is not None:
            return python
    raise StepError("Home Assistant needs Python 3.14, and none was found", _ADVICE)


def _if_new_enough(python: str | Path | None) -> Path | None:
    check = f"import sys, venv; sys.exit(sys.version_info < {_MINIMUM})"
    if python is None or output([python, "-c", check]) is None:
        return None
    return Path(python)


def _on_path() -> Path | None:
    return _if_new_enough(shutil.which(f"python{_VERSION}"))


def _private() -> Path | None:
    return _if_new_enough(PRIVATE_PYTHON / "usr" / "bin" / f"python{_VERSION}")


def _from_uv() -> Path | None:
    new_enough = ">=" + ".".join(map(str, _MINIMUM))
    find = [uv(), "python", "find", "--no-python-downloads", new_enough]
    if found := output(find):
        return Path(found)
    with step("Looking for a Python 3.14 download"):
        # One try only: if downloads are blocked, a retry costs time.
        os.environ.setdefault("UV_HTTP_RETRIES", "0")
        install = [uv(), "python", "install", "--no-bin", _VERSION]
        if output(install, timeout=_DOWNLOAD_SECONDS) is None:
            print("    no download is available here", flush=True)
            return None
    found = output(find)
    return Path(found) if found else None


def _from_debian() -> Path | None:
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    with step("Installing Debian's Python 3.14 into the checkout"):
        partial = PRIVATE_PYTHON.with_name("python-partial")
        shutil.rmtree(partial, ignore_errors=True)
        _unpack_debian_packages(partial)
        _make_relocatable(partial, PRIVATE_PYTHON)
        shutil.rmtree(PRIVATE_PYTHON, ignore_errors=True)
        partial.rename(PRIVATE_PYTHON)
    return _private()


def _unpack_debian_packages(folder: Path) -> None:
    apt = CACHE / "apt"
    lists, archives = apt / "lists", apt / "archives"
    for path in (lists / "partial", archives / "partial", folder):
        path.mkdir(parents=True, exist_ok=True)
    sources = apt / "sources.list"
    sources.write_text(f"deb {_debian_archive()} {_DEBIAN_SUITE} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::Lists": lists,
        "Dir::Cache::archives": archives,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "",
        "Acquire::Retries": 3,
    }
    get = ["apt-get", *(f"-o{name}={value}" for name, value in settings.items())]
    run([*get, "update"], advice=_ADVICE)
    run([*get, "download", *_DEBIAN_PACKAGES], cwd=archives, advice=_ADVICE)
    for package in sorted(archives.glob("*.deb")):
        run(["dpkg", "-x", package, folder], advice=_ADVICE)
    shutil.rmtree(apt)


def _debian_archive() -> str:
    """Return the package archive of this machine's apt configuration."""
    targets = output(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"])
    for line in (targets or "").splitlines():
        archive, _, release = line.partition(" ")
        if release and not release.endswith(("-security", "-updates", "-backports")):
            return archive
    raise StepError("apt has no package archive configured", _ADVICE)


def _make_relocatable(folder: Path, final: Path) -> None:
    """Make the unpacked Python use its own C library instead of the machine's."""
    patchelf = _tool("patchelf")
    triple = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    python = folder / "usr" / "bin" / f"python{_VERSION}"
    loader = Path(output([patchelf, "--print-interpreter", python]) or "").name
    libraries = final / "usr" / "lib" / triple
    link = [patchelf, "--set-interpreter", libraries / loader]
    run([*link, "--force-rpath", "--set-rpath", libraries, python], advice=_ADVICE)
    # Debian has this header folder one level up; extension modules expect it here.
    headers = folder / "usr" / "include" / f"python{_VERSION}" / triple
    if not headers.exists():
        headers.symlink_to(Path("..") / triple)


def _tool(name: str) -> Path:
    """Return a program that PyPI distributes as a wheel; download it if needed."""
    # One folder each: pip replaces the whole `bin` of an existing target.
    folder = TOOLS / name
    program = folder / "bin" / name
    if not program.exists():
        with step(f"Downloading {name}"):
            run(
                [*_pip(), "install", "--quiet", "--upgrade", "--target", folder, name],
                advice=f"Make PyPI reachable, or install {name} so that it is on the"
                " path, and start again.",
                env={"PIP_ROOT_USER_ACTION": "ignore"},
            )
    return program


def _pip() -> list[str]:
    if output([sys.executable, "-m", "pip", "--version"]) is not None:
        return [sys.executable, "-m", "pip"]
    return [sys.executable, str(_debian_pip_wheel() / "pip")]


def _debian_pip_wheel() -> Path:
    """Download Debian's pip as a file: a fresh Debian has Python without pip."""
    folder = CACHE / "pip"
    advice = "Install pip (Debian: `apt-get install python3-pip`) and start again."
    if not (wheels := list(folder.glob("usr/share/python-wheels/pip-*.whl"))):
        folder.mkdir(parents=True, exist_ok=True)
        if subprocess.call(["apt-get", "-qq", "update"], stdout=subprocess.DEVNULL):
            print("    apt-get update failed; continuing without it", flush=True)
        run(["apt-get", "download", "python3-pip-whl"], cwd=folder, advice=advice)
        for package in folder.glob("*.deb"):
            run(["dpkg", "-x", package, folder], advice=advice)
        wheels = list(folder.glob("usr/share/python-wheels/pip-*.whl"))
    if not wheels:
        raise StepError("this Python has no pip", advice)
    return wheels[0]
