"""How the code of a unit grid cell is put together: which digits name the county, the street, the community."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeProfile:
    """Lengths of a code's parts, in characters, and what the whole should look like.

    Cells of one community share the characters before the last `sequence`.
    """

    name: str
    county: int
    street: int
    community: int
    sequence: int
    pattern: re.Pattern[str]
    expected: str

    @property
    def length(self) -> int:
        """Characters of a whole code."""
        return self.county + self.street + self.community + self.sequence

    def is_right(self, code: str) -> bool:
        """Whether `code` has the profile's form."""
        return self.pattern.fullmatch(code) is not None

    def county_of(self, code: str) -> str:
        """The characters that name the county (GB/T 2260)."""
        return code[: self.county]


GB15 = CodeProfile(
    name="gb15",
    county=6,
    street=3,
    community=3,
    sequence=3,
    pattern=re.compile(r"[0-9A-Z]{15}"),
    expected="15 of 0-9 A-Z",
)
LOCAL16 = CodeProfile(
    name="local16",
    county=6,
    street=4,
    community=3,
    sequence=3,
    pattern=re.compile(r"[0-9A-Z]{16}"),
    expected="16 of 0-9 A-Z",
)
# For a grid whose form of codes is not known, because what would name it cannot be read.
ANY_CODE = CodeProfile(
    name="any", county=6, street=3, community=3, sequence=3, pattern=re.compile(r".*"), expected="a code"
)
PROFILES: Mapping[str, CodeProfile] = MappingProxyType({profile.name: profile for profile in (GB15, LOCAL16)})


def foreign_codes(codes: Sequence[str], profile: CodeProfile) -> list[str]:
    """Codes of another county than most have: typing errors, or cells of another city."""
    counties = Counter(profile.county_of(code) for code in codes)
    if len(counties) < 2:
        return []
    usual = min(counties, key=lambda county: (-counties[county], county))
    return sorted(code for code in codes if profile.county_of(code) != usual)
