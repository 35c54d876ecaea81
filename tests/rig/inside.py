"""What the rig does once it is in its namespaces: everything is started, used, broken and mended, and said."""

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.databases import PostgresServer
from tests.rig import mail_trouble, network, starts, visits
from tests.rig.authority import Authority
from tests.rig.post import Post
from tests.rig.proxies import start_edge, start_front
from tests.rig.shop import Shop
from tests.rig.stripe_side import start_stripe
from tests.rig.world import World

FRONTS = ("caddy", "nginx")


def main(folder: Path) -> int:
    """Run everything; return 1 if anything was not as it should be."""
    world = _build(folder)
    _go_through(world)
    world.shop.stop()
    for said in world.wrong:
        print(f"rig: wrong: {said}", flush=True)
    if world.wrong:
        log = world.shop.log.read_text(errors="replace").splitlines(keepends=True)
        print("".join(line for line in log if '"giftshop.access"' not in line)[-6000:], file=sys.stderr)
    return 1 if world.wrong else 0


def _go_through(world: World) -> None:
    for front in FRONTS:
        proxy = start_front(front, world.folder, world.shop_certificate)
        for check in visits.OF_EACH_FRONT:
            _try(f"{front}: {check.__name__}", world, check)
        if front != FRONTS[-1]:
            proxy.terminate()
            proxy.wait(20)
    for check in (*visits.ONCE, *mail_trouble.CHECKS, *starts.CHECKS):
        _try(check.__name__, world, check)


def _build(folder: Path) -> World:
    began = time.monotonic()
    authority = Authority(folder)
    authorities = network.lay_out(folder, authority)
    certificate = authority.vouch(network.SHOP, network.OTHER)
    start_edge(folder, authority.vouch(network.STRIPE, network.CHECKOUT, network.OWN_CHECKOUT), 8001)
    os.environ.update(REQUESTS_CA_BUNDLE=str(authorities), SSL_CERT_FILE=str(authorities))
    start_stripe(folder)
    post = Post(folder, authority.vouch(network.MAIL))
    post.open()
    for name in ("pg", "run"):
        (folder / name).mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    shop = Shop(folder, authorities, PostgresServer(folder / "pg"))
    given = shop.prepare()
    shop.start()
    print(f"rig: everything runs, after {time.monotonic() - began:.0f} seconds", flush=True)
    return World(folder, authority, certificate, post, shop, given)


def _try(name: str, world: World, check: Callable[[World], None]) -> None:
    began = time.monotonic()
    try:
        check(world)
    except Exception as error:  # one thing that is wrong must not hide the others
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/" in frame.filename]
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(ours))
        world.wrong.append(f"{name}: {type(error).__name__}: {str(error)[:1500]} ({where})")
    took = time.monotonic() - began
    is_well = not any(said.startswith(f"{name}:") for said in world.wrong)
    print(f"rig: {'ok   ' if is_well else 'WRONG'} {name.replace('_', ' ')} ({took:.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
