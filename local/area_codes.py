"""Renew shared/text/area_codes.py from the plan's own list: `python -m local.area_codes [FILE]`.

The North American Numbering Plan Administrator (NANPA) publishes its "NPA Database" as
https://reports.nanpa.com/public/npa_report.csv, renewed daily. Without FILE the report is downloaded.
"""

import csv
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

SOURCE: Final = "https://reports.nanpa.com/public/npa_report.csv"
TARGET: Final = Path(__file__).parents[1] / "shared" / "text" / "area_codes.py"
_SECONDS: Final = 60
_GEOGRAPHIC: Final = "G"
_COLUMNS: Final = ("NPA_ID", "USE", "LOCATION", "COUNTRY", "IN_SERVICE")
_TERRITORIES: Final[Mapping[str, str]] = {
    "AMERICAN SAMOA": "AS",
    "AS": "AS",
    "CNMI": "MP",
    "GU": "GU",
    "GUAM": "GU",
    "MP": "MP",
    "PR": "PR",
    "PUERTO RICO": "PR",
    "USVI": "VI",
    "VI": "VI",
}
"""locations of the United States that are countries by ISO 3166"""
_COUNTRIES: Final[Mapping[str, str]] = {
    "US": "US",
    "CANADA": "CA",
    "ANGUILLA": "AI",
    "ANTIGUA": "AG",
    "BAHAMAS": "BS",
    "BARBADOS": "BB",
    "BERMUDA": "BM",
    "BRITISH VIRGIN ISLANDS": "VG",
    "CAYMAN ISLANDS": "KY",
    "DOMINICA": "DM",
    "DOMINICAN REPUBLIC": "DO",
    "GRENADA": "GD",
    "JAMAICA": "JM",
    "MONTSERRAT": "MS",
    "SINT MAARTEN": "SX",
    "ST KITTS": "KN",
    "ST LUCIA": "LC",
    "ST VINCENT": "VC",
    "TRINIDAD": "TT",
    "TURKS": "TC",
}
"""countries by the first words of their names in the report, without dots"""
_LINE: Final = 24
"""area codes on a line of the module"""
_HEAD: Final = '''"""The country of each area code of +1, by the plan's own list. Made by `python -m local.area_codes`.

libphonenumber learns of a new area code years after the plan has assigned it, and gives a number there no country.
Don't edit this file: renew it.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

SOURCE: Final = "{source}"
"""the NPA Database of the North American Numbering Plan Administrator: geographic area codes in service"""
AS_OF: Final = date({day.year}, {day.month}, {day.day})
"""the report's own date"""
_CODES: Final[Mapping[str, str]] = {{
'''
_TAIL: Final = """}
COUNTRIES: Final[Mapping[str, str]] = MappingProxyType(
    {code: country for country, codes in _CODES.items() for code in codes.split()}
)
\"\"\"ISO countries by area code\"\"\"
"""


class ReportInvalid(Exception):
    """A text that is not NANPA's report, or names a country that is not known here."""


def parse(text: str) -> tuple[date, dict[str, str]]:
    """Read a report: its date, and the ISO country of each geographic area code that is in service.

    Raises:
        ReportInvalid: it is none, or one of its countries is not known here.
    """
    first, _, rest = text.partition("\n")
    named, _, day = first.strip().strip(",").partition(",")
    rows = csv.DictReader(rest.splitlines())
    if named.strip() != "File Date" or not {*_COLUMNS} <= {*(rows.fieldnames or ())}:
        raise ReportInvalid(f"expected a line with File Date and the columns {', '.join(_COLUMNS)}, got others")
    codes = {
        row["NPA_ID"].strip(): _country(row)
        for row in rows
        if row["IN_SERVICE"].strip() == "Y" and row["USE"].strip() == _GEOGRAPHIC
    }
    try:
        return datetime.strptime(day.strip(), "%m/%d/%Y").date(), codes  # noqa: DTZ007 - a day has no zone
    except ValueError as exc:
        raise ReportInvalid("expected a File Date such as 09/21/2026, got another text") from exc


def render(day: date, codes: Mapping[str, str]) -> str:
    """Write the module."""
    lines = []
    for country in sorted({*codes.values()}):
        of_it = sorted(code for code, its in codes.items() if its == country)
        parts = [" ".join(of_it[start : start + _LINE]) for start in range(0, len(of_it), _LINE)]
        if len(parts) == 1:
            lines.append(f'    "{country}": "{parts[0]}",\n')
        else:
            written = "".join(f'        "{part} "\n' for part in parts[:-1]) + f'        "{parts[-1]}"\n'
            lines.append(f'    "{country}": (\n{written}    ),\n')
    return _HEAD.format(source=SOURCE, day=day) + "".join(lines) + _TAIL


def main(arguments: Sequence[str]) -> int:
    """Renew the module; return the exit code."""
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8-sig") if arguments else _download()
        day, codes = parse(text)
    except (OSError, UnicodeDecodeError, ReportInvalid) as exc:
        sys.stderr.write(f"The area codes stay as they are: {exc}\n")
        return 1
    TARGET.write_text(render(day, codes), encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(codes)} area codes as of {day}.\n")
    return 0


def _download() -> str:
    with urllib.request.urlopen(SOURCE, timeout=_SECONDS) as answer:
        text: str = answer.read().decode("utf-8-sig")
    return text


def _country(row: Mapping[str, str]) -> str:
    named = row["COUNTRY"].strip().upper().replace(".", "")
    # DOMINICAN REPUBLIC begins with DOMINICA
    known = [name for name in sorted(_COUNTRIES, key=len, reverse=True) if named.startswith(name)]
    if not known:
        raise ReportInvalid(f"expected a country that is known here, got another for area code {row['NPA_ID']}")
    country = _COUNTRIES[known[0]]
    return _TERRITORIES.get(row["LOCATION"].strip().upper(), country) if country == "US" else country


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
