"""What every check of the rig may use."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.rig.authority import Authority
from tests.rig.post import Post
from tests.rig.shop import Shop


@dataclass
class World:
    """Everything that runs, the owner's first password and later her cookies, and what was found wrong."""

    folder: Path
    authority: Authority
    shop_certificate: tuple[Path, Path]
    post: Post
    shop: Shop
    given: str
    cookies: Any = None
    wrong: list[str] = field(default_factory=list)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the shop's database, as its own user, by password."""
        with psycopg.connect(self.shop.database.replace("postgresql+psycopg://", "postgresql://")) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]
