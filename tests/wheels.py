"""Wheels that tests make, so that environments can be built without a network."""

import base64
import hashlib
import os
import sysconfig
import zipfile

from jupyter_datalake.errors import MissingDependencyError
from jupyter_datalake.jobs.uv import find_uv


def _has_uv():
    try:
        find_uv()
    except MissingDependencyError:
        return False
    return True


HAS_UV = _has_uv()
"""Whether environments can be built here; scripts/setup.sh installs uv."""


def write_wheel(folder, name, version, files, requires=()):
    """Write a pure wheel with these texts by path into a folder; return where it is."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = [f"{path},{_hash(text)},{len(text)}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    folder.mkdir(exist_ok=True)
    place = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(zipfile.ZipInfo(path), text)
    return place


def offline_uv(folder, wheels):
    """Return the environment of a uv that knows these wheels alone, with its files in a folder."""
    config = folder / "uv.toml"
    config.write_text("no-index = true\n")
    return {
        "PATH": os.environ["PATH"],
        "UV_CONFIG_FILE": str(config),
        "UV_FIND_LINKS": str(wheels),
        "UV_CACHE_DIR": str(folder / "uv-cache"),
    }


def write_tiny(folder, version):
    """Write a version of a package `tiny`, with ``tiny.VALUE`` and a program ``say-tiny``."""
    code = f'VALUE = "{version}"\n\n\ndef main():\n    print("tiny", VALUE)\n'
    entry = "[console_scripts]\nsay-tiny = tiny:main\n"
    return write_wheel(
        folder,
        "tiny",
        version,
        {"tiny.py": code, f"tiny-{version}.dist-info/entry_points.txt": entry},
    )


def write_ipykernel(folder):
    """Write a package ``ipykernel`` that leads to the one which is installed here.

    So an environment runs real kernels, and no test has to download one.
    """
    here = sysconfig.get_path("purelib")
    return write_wheel(folder, "ipykernel", "99.0", {"installed_here.pth": f"{here}\n"})


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
