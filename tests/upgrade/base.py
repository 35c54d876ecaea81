"""The two versions: the older one taken out of git into a folder of its own, and this working tree."""

import shutil
import subprocess
from pathlib import Path

from tests.running import ROOT

FONTS = "static/fonts/fonts.css"


class RehearsalError(Exception):
    """The rehearsal cannot go on; the message is one sentence for the person at the terminal."""


def find_base(asked: str) -> str:
    """Return the commit to start from: the one asked for, else the newest of main before this working tree's own.

    Raises RehearsalError: there is none here.
    """
    wanted = asked or _last_of_main()
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}")
    except subprocess.CalledProcessError:
        raise RehearsalError(_say_missing(wanted)) from None


def name_of(commit: str) -> str:
    """Return a commit's short name and its subject."""
    return _git("log", "-1", "--format=%h %s", commit)


def check_out(commit: str, folder: Path) -> Path:
    """Lay the program of a commit into `folder`, with the fonts its pages and papers are made of; return the folder."""
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return _furnish(folder)


def copy_of_tree(folder: Path) -> Path:
    """Lay the program of this working tree into `folder`, as it stands; return the folder."""
    for name in _git("ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return _furnish(folder)


def _furnish(folder: Path) -> Path:
    (folder / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["make", "-s", FONTS], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def _last_of_main() -> str:
    """Return the newest commit that main and this working tree share, or on main itself the one before the newest."""
    for main in ("main", "origin/main"):
        try:
            shared = _git("merge-base", "HEAD", main)
        except subprocess.CalledProcessError:
            continue
        return f"{shared[:9]}^" if shared == _git("rev-parse", "HEAD") else shared
    return "HEAD^"


def _say_missing(wanted: str) -> str:
    if _git("rev-parse", "--is-shallow-repository") == "true":
        return f"This is a shallow clone without {wanted}: fetch the whole history first (git fetch --unshallow)."
    return f"There is no commit {wanted} here."


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
