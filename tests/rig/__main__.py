"""Starts the rig: sees that its programs are there, and runs it in namespaces that take everything along at the end.

Inside there is a network that leads nowhere, a mount table of its own (hosts file, the SDK's list of authorities, the
mail server's folders) and process numbers of its own: when the first process ends, the kernel ends all others.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = {
    "nginx": "nginx-light",
    "caddy": "caddy",
    "postfix": "postfix",
    "saslpasswd2": "sasl2-bin libsasl2-modules",
    "certutil": "libnss3-tools",
    "chromium": "chromium",
    "unshare": "util-linux",
    "ip": "iproute2",
}
"""What the rig runs, and the Debian packages it comes in."""
MOST_SECONDS = 360
INSIDE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


def main() -> int:
    """Run the rig; return its exit status."""
    if os.geteuid() != 0:
        return _refuse("it must be root: it makes a network and a mount table of its own (sudo, or a container).")
    if missing := _missing():
        _install(missing)
    if missing := _missing():
        return _refuse(f"these programs are missing and apt-get could not install them: {', '.join(missing)}.")
    if subprocess.run([*INSIDE, "true"], capture_output=True, check=False).returncode:
        return _refuse("this machine does not let root make namespaces (unshare); a container needs CAP_SYS_ADMIN.")
    return _run()


def _run() -> int:
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="giftshop-rig."))
    folder.chmod(0o755)  # the database's and the mail server's own users go through it
    try:
        command = [*INSIDE, sys.executable, "-m", "tests.rig.inside", str(folder)]
        status = subprocess.run(command, cwd=ROOT, timeout=MOST_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        status = _refuse(f"it took longer than {MOST_SECONDS} seconds.")
    finally:
        if not os.environ.get("RIG_KEEPS"):
            shutil.rmtree(folder, ignore_errors=True)
    print(f"rig: {'all is well' if status == 0 else 'FAILED'}, after {time.monotonic() - began:.0f} seconds")
    return status


def _missing() -> list[str]:
    return [
        name for name in PROGRAMS if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None
    ]


def _install(missing: list[str]) -> None:
    """Install what is missing; no service is started, now or at the next boot of the machine."""
    packages = [package for name in missing for package in PROGRAMS[name].split()]
    print(f"rig: installing {' '.join(packages)}", flush=True)
    no_services = Path("/usr/sbin/policy-rc.d")
    was_there = no_services.exists()
    if not was_there:
        no_services.write_text("#!/bin/sh\nexit 101\n")
        no_services.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *words], env=environment, stdout=subprocess.DEVNULL, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"rig: apt-get: {error}", flush=True)
    finally:
        if not was_there:
            no_services.unlink()


def _refuse(why: str) -> int:
    print(f"rig: not run: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
