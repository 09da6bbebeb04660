"""Tests of the zoo's page in a browser, on the whole zoo."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from keras_videolstm.zoo_folder import zoo_folder
from keras_videolstm_tools.work.zoo_entries import read_entries
from tests.command_line import done

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
ENTRIES = read_entries(zoo_folder())
NAMES = [entry.name for entry in ENTRIES]
GIF, PNG = "data:image/gif;", "data:image/png;"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no chromium is installed (apt-get install chromium chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "zoo.html"
    done("zoo", "page", "--out", path)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    # A container's root has no sandbox and little shared memory.
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    assert DRIVER, "chromium is installed and chromedriver is not (apt-get install chromium-driver)"
    driver = webdriver.Chrome(options, Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> webdriver.Chrome:
    """The page, newly loaded in a wide window."""
    resize(browser, 1280)
    emulate(browser)
    browser.get(address)
    return browser


def resize(browser: webdriver.Chrome, width: int) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def emulate(browser: webdriver.Chrome, **preferences: str) -> None:
    features = [
        {"name": f"prefers-{name.replace('_', '-')}", "value": value}
        for name, value in preferences.items()
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def shown(page: webdriver.Chrome, selector: str) -> list[WebElement]:
    return [e for e in page.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()]


def rows(page: webdriver.Chrome) -> list[str]:
    return [row.text for row in shown(page, ".overview tbody th")]


def cards(page: webdriver.Chrome) -> list[str]:
    return [heading.text for heading in shown(page, "h3")]


def header(page: webdriver.Chrome, title: str) -> WebElement:
    headers = page.find_elements(By.CSS_SELECTOR, ".overview thead th")
    return next(header for header in headers if header.text.startswith(title))


def column(page: webdriver.Chrome, title: str) -> list[str]:
    """What a column shows, from top to bottom."""
    number = header(page, title).get_property("cellIndex") + 1
    cells = page.find_elements(By.CSS_SELECTOR, f".overview tbody tr > :nth-child({number})")
    return [cell.text for cell in cells]


def pictures(page: webdriver.Chrome) -> list[str]:
    """The type of each picture that is shown, all of them loaded."""
    script = "return [...document.images].map(i => [i.complete && i.naturalWidth, i.currentSrc])"
    WebDriverWait(page, 30).until(lambda _: all(width for width, _ in page.execute_script(script)))
    return [source[:15] for _, source in page.execute_script(script)]


def test_it_loads_without_errors_and_without_any_request(page, address):
    pictures(page)
    assert page.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith("data:")} == {address}
    assert page.title == "The zoo of keras_videolstm"
    assert rows(page) == cards(page) == NAMES


def test_its_policy_refuses_what_is_put_in(page):
    page.execute_script(
        "const more = document.createElement('script'); more.textContent = 'window.more = 1';"
        "document.body.append(more); new Image().src = 'http://127.0.0.1:9/x.png'"
    )
    assert page.execute_script("return window.more") is None
    errors = [entry["message"] for entry in page.get_log("browser")]
    assert len(errors) == 2
    assert all("Content Security Policy" in error for error in errors)


def test_every_picture_has_loaded_and_is_described(page):
    films = [entry.name for entry in ENTRIES if (entry.folder / "forecast_1.gif").is_file()]
    assert pictures(page).count(GIF) == len(films)
    for image in page.find_elements(By.TAG_NAME, "img"):
        assert len(image.get_attribute("alt")) > 20


def test_who_wants_less_motion_gets_still_pictures(page, address):
    emulate(page, reduced_motion="reduce")
    page.get(address)
    assert set(pictures(page)) == {PNG}
    (hold,) = shown(page, ".hold")
    assert hold.get_attribute("aria-pressed") == "true"
    hold.click()
    WebDriverWait(page, 30).until(lambda _: GIF in pictures(page))
    assert hold.get_attribute("aria-pressed") == "false"


def test_pictures_stop_when_asked_to(page):
    (hold,) = shown(page, ".hold")
    hold.click()
    WebDriverWait(page, 30).until(lambda _: set(pictures(page)) == {PNG})


@pytest.mark.parametrize("title", ["Nats", "Paper’s nats", "Parameters", "Size, MB", "Training"])
def test_a_column_of_numbers_sorts_by_number(page, title):
    header(page, title).find_element(By.TAG_NAME, "button").click()
    assert header(page, title).get_attribute("aria-sort") == "ascending"
    assert header(page, "Checkpoint").get_attribute("aria-sort") is None
    up = [float(text.replace(",", "")) for text in column(page, title) if text != "–"]
    assert up == sorted(up) and len(set(up)) > 1
    header(page, title).find_element(By.TAG_NAME, "button").click()
    assert header(page, title).get_attribute("aria-sort") == "descending"
    texts = column(page, title)
    down = [float(text.replace(",", "")) for text in texts if text != "–"]
    assert down == up[::-1]
    # What is unknown stays below, either way.
    assert "–" not in texts[: len(down)]


def test_names_sort_by_keyboard_too(page):
    header(page, "Checkpoint").find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert rows(page) == NAMES[::-1]
    assert header(page, "Checkpoint").get_attribute("aria-sort") == "descending"


def test_search_and_kind_leave_what_fits(page):
    (search,), (status,) = shown(page, "input"), shown(page, ".shown")

    def found(text: str) -> list[str]:
        search.clear()
        search.send_keys(text)
        assert rows(page) == cards(page)
        assert status.text == f"{len(rows(page))} of {len(NAMES)} shown"
        return rows(page)

    assert found("  YouTube ") == [name for name in NAMES if "youtube" in name]
    pyramids = [entry.name for entry in ENTRIES if "pyramid" in entry.description]
    assert found("pyramid CONV") == pyramids != []
    assert found("pyramid elephant") == []
    assert found(" ") == NAMES
    for kind in {entry.kind for entry in ENTRIES}:
        Select(page.find_element(By.TAG_NAME, "select")).select_by_visible_text(kind)
        assert found(" ") == [entry.name for entry in ENTRIES if entry.kind == kind]


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_phone_shows_it_without_scrolling_sideways(page, address, width, motion):
    resize(page, width)
    emulate(page, reduced_motion=motion)
    page.get(address)
    pictures(page)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide == page.execute_script("return document.documentElement.clientWidth") == width
    # What scrolls inside of its own frame can be reached by keyboard.
    overview = page.find_element(By.CSS_SELECTOR, "[role=region]")
    WebDriverWait(page, 10).until(lambda _: overview.get_property("tabIndex") == 0)


def test_the_lines_that_load_a_checkpoint_are_copied(page, address):
    permission = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.execute_cdp_cmd("Browser.grantPermissions", permission)
    buttons = shown(page, ".load button")
    assert len(buttons) == len(NAMES)
    buttons[1].click()
    told = page.find_elements(By.CSS_SELECTOR, ".load [role=status]")[1]
    WebDriverWait(page, 10).until(lambda _: told.text == "Copied")
    copied = page.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == f'import keras_videolstm as kvl\nmodel = kvl.load("{NAMES[1]}")'


def test_without_a_clipboard_the_lines_are_selected(page):
    page.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    shown(page, ".load button")[0].click()
    told = page.find_elements(By.CSS_SELECTOR, ".load [role=status]")[0]
    WebDriverWait(page, 10).until(lambda _: told.text.startswith("Selected"))
    assert NAMES[0] in page.execute_script("return String(getSelection())")


def test_a_link_leads_to_its_card(page, address):
    page.get(f"{address}#{NAMES[-1]}")
    script = "return document.querySelector('h3:target').getBoundingClientRect().top"
    assert 0 <= page.execute_script(script) < 844


def test_without_its_script_all_is_readable_and_nothing_is_dead(page, address, tmp_path):
    text = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    inert = tmp_path / "inert.html"
    inert.write_text(text.replace("; script-src", "; no-longer"), encoding="utf-8")
    page.get(inert.as_uri())
    assert rows(page) == cards(page) == NAMES
    assert shown(page, "button, input, select") == []
