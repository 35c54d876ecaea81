"""The rig's network: names, addresses, and what is laid over the machine's own files; seen in its namespaces only."""

import subprocess
from pathlib import Path

import certifi
import stripe

from tests.rig.authority import Authority

SHOP, OTHER, IDN = "gifts.practice.example", "other.practice.example", "xn--geschenk-mssig-clb.example"
STRIPE, CHECKOUT, OWN_CHECKOUT = "api.stripe.com", "checkout.stripe.com", "pay.practice.example"
MAIL, FOREIGN_MAIL = "mail.practice.example", "mx.practice.example"
FRONT, EDGE, POST, PEOPLE = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.9"
HOSTS = {
    "127.0.0.1": ("localhost",),
    FRONT: (SHOP, OTHER),
    EDGE: (STRIPE, CHECKOUT, OWN_CHECKOUT),
    POST: (MAIL, FOREIGN_MAIL),
}


def lay_out(folder: Path, authority: Authority) -> Path:
    """Make the network and lay the rig's files over the machine's; return the list of authorities to trust."""
    for words in (
        ["mount", "--make-rprivate", "/"],
        ["ip", "link", "set", "lo", "up"],
        *(["ip", "address", "add", f"{address}/32", "dev", "lo"] for address in (FRONT, EDGE, POST, PEOPLE)),
    ):
        subprocess.run(words, check=True)
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{address} {' '.join(names)}\n" for address, names in HOSTS.items()))
    lay_over(hosts, Path("/etc/hosts"))
    bundle = folder / "authorities.pem"
    bundle.write_text(Path(certifi.where()).read_text() + authority.path.read_text())
    lay_over(bundle, Path(str(stripe.ca_bundle_path)))  # Stripe's SDK trusts its own list and can be told no other
    return bundle


def lay_over(mine: Path, theirs: Path) -> None:
    """Let a file or folder of the rig stand in another's place."""
    subprocess.run(["mount", "--bind", str(mine), str(theirs)], check=True)
