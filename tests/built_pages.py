"""Pages that were built once, for every server of the tests that serves the same.

Building takes longer than all else of a start. So what `reflex run` has built is kept while its
sources are what they were, and the next server gets a copy of it, with its own port in it.
"""

import gzip
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.web_folders import ROOT as KEPT_IN

ROOT = Path(__file__).parents[1]
SOURCES = ("dashboard", "assets", "rxconfig.py", "requirements.txt", "reflex.lock")
MADE_BY_RUNS = {"__pycache__", ".web", ".states", ".data", "external"}
LEFT_OUT = shutil.ignore_patterns("node_modules", ".react-router")


class BuiltPage:
    """What is built of an app and of the sources as they are now.

    Its files hold the address of the server that they were built for, and the port is all that
    differs in the build of another.
    """

    def __init__(self, app: Path) -> None:
        self.path = KEPT_IN / f"{app.name}-built"
        self._sources = self.path / "sources"
        self._port = self.path / "port"
        self._digest = _digest(app)

    @property
    def exists(self) -> bool:
        """Tell whether it is here, or is to be built."""
        return self._sources.is_file() and self._sources.read_text() == self._digest

    def keep(self, web: Path, *, port: int) -> None:
        """Keep what was just built in this folder for this port."""
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(web, self.path / "web", ignore=LEFT_OUT)
        self._port.write_text(str(port))
        self._sources.write_text(self._digest)

    def copy(self, web: Path, *, port: int) -> None:
        """Make this folder what building for this port would have made it."""
        shutil.rmtree(web, ignore_errors=True)
        shutil.copytree(self.path / "web", web)
        before, after = (f"localhost:{each}/".encode() for each in (self._port.read_text(), port))
        for file in (web / "build").rglob("*.js"):
            content = file.read_bytes()
            if before not in content:
                continue
            file.write_bytes(content.replace(before, after))
            packed = file.with_name(f"{file.name}.gz")
            if packed.exists():
                packed.write_bytes(gzip.compress(file.read_bytes()))


def _digest(app: Path) -> str:
    """Digest all that a page is built from."""
    found = hashlib.sha256()
    for path in _files(app):
        found.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _files(app: Path) -> Iterator[Path]:
    roots = [ROOT / name for name in SOURCES]
    if app != ROOT:
        roots.append(app)
    for root in roots:
        if root.is_file():
            yield root
        for path in sorted(root.rglob("*")):
            if path.is_file() and MADE_BY_RUNS.isdisjoint(path.relative_to(root).parts):
                yield path
