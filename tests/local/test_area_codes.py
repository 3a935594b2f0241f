"""The area codes of +1 by country: renewed from the plan's report, and right for those that are known."""

from datetime import date
from pathlib import Path

import phonenumbers
import pytest

from local import area_codes
from local.area_codes import ReportInvalid, parse, render
from shared.text.area_codes import AS_OF, COUNTRIES

HEADER = (
    "NPA_ID,type_of_code,ASSIGNABLE,EXPLANATION,RESERVED,ASSIGNED,ASSIGNMENT_DT,USE,LOCATION,COUNTRY,IN_SERVICE,"
    "IN_SERVICE_DT,STATUS,PL"
)
REPORT = f"""File Date,09/21/2026
{HEADER}
201,General Purpose Code,Yes,,No,Yes,1947,G,NJ,US,Y,1947,,PL-1
204,General Purpose Code,Yes,,No,Yes,1947,G,MANITOBA,CANADA,Y,1947,,
211,Easily Recognizable Code,No,N11,No,No,,,,,N,,,
242,General Purpose Code,Yes,,No,Yes,1995,G,BAHAMAS,BAHAMAS,Y,1996,,
500,Easily Recognizable Code,Yes,,No,Yes,1994,N,NANP AREA,,Y,1994,,
670,General Purpose Code,Yes,,No,Yes,1996,G,CNMI,US,Y,1997,,
767,General Purpose Code,Yes,,No,Yes,1996,G,DOMINICA,DOMINICA,Y,1997,,
784,General Purpose Code,Yes,,No,Yes,1997,G,ST. VINCENT & GRENADINES,ST. VINCENT & GRENADINES,Y,1998,,
809,General Purpose Code,Yes,,No,Yes,1957,G,DOMINICAN REPUBLIC,DOMINICAN REPUBLIC,Y,1958,,
861,General Purpose Code,Yes,,No,Yes,2022,G,IL,US,Y,2023,,
973,General Purpose Code,Yes,,No,Yes,1995,G,NJ,US,N,,,
"""


def test_a_report_gives_the_country_of_each_geographic_code_in_service() -> None:
    day, codes = parse(REPORT)
    assert day == date(2026, 9, 21)
    assert codes == {
        "201": "US",
        "204": "CA",
        "242": "BS",
        "670": "MP",
        "767": "DM",
        "784": "VC",
        "809": "DO",
        "861": "US",
    }


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ("", "File Date"),
        ("<html>", "File Date"),
        (REPORT.replace("IN_SERVICE,", "SERVICE,"), "columns"),
        (REPORT.replace("09/21/2026", "soon"), "09/21/2026"),
        (REPORT.replace("BAHAMAS,BAHAMAS", "ATLANTIS,ATLANTIS"), "area code 242"),
    ],
)
def test_what_is_no_such_report_changes_nothing(
    report: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ReportInvalid, match=why):
        parse(report)
    monkeypatch.setattr(area_codes, "TARGET", tmp_path / "area_codes.py")
    (tmp_path / "report.csv").write_text(report, encoding="utf-8")
    assert area_codes.main([str(tmp_path / "report.csv")]) == 1
    assert not (tmp_path / "area_codes.py").exists()
    assert "stay as they are" in capsys.readouterr().err


def test_the_command_writes_a_module_that_says_what_the_report_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "area_codes.py"
    monkeypatch.setattr(area_codes, "TARGET", target)
    (tmp_path / "report.csv").write_text(REPORT, encoding="utf-8-sig")
    assert area_codes.main([str(tmp_path / "report.csv")]) == 0
    written: dict[str, object] = {}
    exec(target.read_text(encoding="utf-8"), written)  # noqa: S102 - just written
    assert (written["AS_OF"], written["COUNTRIES"]) == parse(REPORT)


def test_the_module_is_as_the_command_writes_it() -> None:
    assert area_codes.TARGET.read_text(encoding="utf-8") == render(AS_OF, COUNTRIES)


def test_wherever_libphonenumber_knows_an_area_code_too_both_say_the_same() -> None:
    agreed = 0
    for code, country in COUNTRIES.items():
        numbers = (
            phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{code}{exchange}4567"))
            for exchange in ("234", "555", "622", "781")
        )
        known = {region for number in numbers if (region := phonenumbers.region_code_for_number(number))}
        assert known <= {country}, code
        agreed += bool(known)
    assert agreed > 400
