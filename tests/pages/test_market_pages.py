"""The market data pages in a browser: from a file on the disk to candles on the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.pages.looking import Looker
from tests.running import wait_for

pytestmark = pytest.mark.browser

HEADER = "time,open,high,low,close,volume\n"
START = 1_640_995_200  # 2022-01-01 00:00 UTC


def candle_file(folder: Path, name: str, minutes: range, extra: str = "") -> Path:
    rows = "".join(f"{START + 60 * minute},100,110,90,{101 + minute % 5},5\n" for minute in minutes)
    path = folder / name
    path.write_text(HEADER + rows + extra)
    return path


def choose(looker: Looker, path: Path) -> None:
    looker.page.set_input_files("#id_file", path)


def test_a_file_is_imported_and_its_report_and_series_are_shown(desk_page: Looker, tmp_path: Path) -> None:
    desk_page.open("/market/import/")
    page = desk_page.page
    choose(desk_page, candle_file(tmp_path, "kraken_AAA-USD-1m.csv", range(400)))
    for name, value in (("venue", "kraken"), ("symbol", "AAA-USD"), ("interval", "1m")):
        expect(page.locator(f"#id_{name}")).to_have_value(value)
    page.click("#import-button")
    report = page.locator("#report .report")
    expect(report).to_contain_text("400 candles read, 400 of them new")
    assert desk_page.faults() == {}
    report.get_by_role("link", name="See the series").click()
    expect(page.locator("h1")).to_contain_text("AAA-USD")
    expect(page.locator("#chart[data-ready='1m'] canvas").first).to_be_visible()


def test_what_the_name_does_not_tell_is_asked_for_and_the_file_is_kept(desk_page: Looker, tmp_path: Path) -> None:
    desk_page.open("/market/import/")
    page = desk_page.page
    choose(desk_page, candle_file(tmp_path, "BBB-USD-1m.csv", range(50)))
    expect(page.locator("#id_symbol")).to_have_value("BBB-USD")
    page.click("#import-button")
    venue = page.locator("#id_venue")
    expect(venue).to_be_focused()
    expect(page.locator("#venue-help")).to_contain_text("does not tell the venue")
    assert desk_page.faults() == {}
    venue.fill("kraken")
    page.click("#import-button")
    expect(page.locator("#report")).to_contain_text("50 candles read")
    expect(venue).not_to_have_attribute("aria-invalid", "true")


def test_a_refused_file_says_which_rows_and_can_be_sent_again_without_them(desk_page: Looker, tmp_path: Path) -> None:
    desk_page.open("/market/import/")
    page = desk_page.page
    faults = f"{START + 6000},5,4,6,5,1\n{START + 6060},nan,1,1,1,1\n"
    choose(desk_page, candle_file(tmp_path, "kraken_CCC-USD-1m.csv", range(100), faults))
    expect(page.locator("#id_symbol")).to_have_value("CCC-USD")
    page.click("#import-button")
    report = page.locator("#report .report")
    expect(report).to_contain_text("Refused: nothing was stored")
    expect(report.locator("tbody tr")).to_have_count(2)
    expect(report.locator("tbody tr").first).to_contain_text("102")
    assert desk_page.faults() == {}
    page.click("[data-again]")
    expect(page.locator("#report .note.ok")).to_contain_text("100 candles read")


def test_a_file_that_is_no_table_is_refused(desk_page: Looker, tmp_path: Path) -> None:
    desk_page.open("/market/import/")
    page = desk_page.page
    path = tmp_path / "kraken_DDD-USD-1m.csv"
    path.write_bytes(bytes(range(256)) * 20)
    choose(desk_page, path)
    expect(page.locator("#id_symbol")).to_have_value("DDD-USD")
    page.click("#import-button")
    expect(page.locator("#report .note.bad")).to_contain_text("not a file of candles")
    assert desk_page.faults() == {}


def test_the_upload_tells_how_far_it_is(desk_page: Looker, tmp_path: Path) -> None:
    desk_page.open("/market/import/")
    page = desk_page.page
    choose(desk_page, candle_file(tmp_path, "kraken_EEE-USD-1m.csv", range(60_000)))
    expect(page.locator("#id_symbol")).to_have_value("EEE-USD")
    page.evaluate(  # of the form alone: its fields and the bar ask for something of their own meanwhile
        "window.shares = []; document.addEventListener('htmx:xhr:progress', ({target, detail}) => {"
        "if (target.id === 'import-form') shares.push(detail.loaded / detail.total); })"
    )
    page.click("#import-button")
    expect(page.locator("#report")).to_contain_text("60,000 candles read")
    expect(page.locator("#upload")).to_be_hidden()
    shares = page.evaluate("shares")
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_chart_loads_more_as_the_view_moves_and_changes_its_interval(desk_page: Looker) -> None:
    desk_page.open("/market/?q=sandbox+1m")
    page = desk_page.page
    page.locator("#series tbody a").last.click()
    chart = page.locator("#chart")
    expect(chart).to_have_attribute("data-ready", "1m")
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 400, box["y"] + 150)

    def grown() -> bool:
        page.mouse.wheel(0, 300)
        return chart.get_attribute("data-rows") is not None

    wait_for(grown, "earlier candles while the view widens")
    assert int(chart.get_attribute("data-rows") or 0) >= 3000
    page.click("[data-interval='4h'][aria-pressed]")
    expect(chart).to_have_attribute("data-ready", "4h")
    expect(page.locator(".chart-legend")).to_contain_text("O ")


def test_a_gap_is_shown_on_the_chart(desk_page: Looker) -> None:
    desk_page.open("/market/?q=SOL")
    page = desk_page.page
    page.locator("#series tbody a").last.click()
    expect(page.locator("#chart")).to_have_attribute("data-ready", "1m")
    with page.expect_response(re.compile(r"candles\.json\?.*start=")) as asked:
        page.locator("table [data-goto]").first.click()
    assert asked.value.status == 200


def test_columns_can_be_left_out_and_stay_out(desk_page: Looker) -> None:
    desk_page.open("/market/")
    page = desk_page.page
    page.click("[popovertarget=columns]")
    page.get_by_label("Venue", exact=True).click()
    expect(page.locator("th[data-column=venue]")).to_be_hidden()
    desk_page.open("/market/")
    expect(page.locator("th[data-column=venue]")).to_be_hidden()
    expect(page.locator("#series tbody tr").first.locator("td").nth(1)).to_be_hidden()


def test_a_series_is_deleted_only_after_its_loss_is_named(desk_page: Looker, tmp_path: Path) -> None:
    desk_page.open("/market/import/")
    page = desk_page.page
    choose(desk_page, candle_file(tmp_path, "kraken_FFF-USD-1m.csv", range(30)))
    expect(page.locator("#id_symbol")).to_have_value("FFF-USD")
    page.click("#import-button")
    page.get_by_role("link", name="See the series").click()
    page.click("[data-dialog=delete]")
    expect(page.locator("#delete")).to_contain_text("30 candles")
    expect(page.get_by_role("button", name="Keep them")).to_be_focused()
    assert desk_page.faults() == {}
    page.get_by_role("button", name="Delete 30 candles").click()
    page.wait_for_url(f"{desk_page.url}/market/")
    expect(page.locator("#toasts")).to_contain_text("is deleted")
    page.fill("#filter", "FFF")
    expect(page.locator("#series")).to_contain_text("No series matches")
