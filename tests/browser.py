"""A headless Chromium for tests of pages: their console and requests, a real mouse and keys."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PROGRAMS = ("chromium", "chromedriver")
SIZE = (1280, 800)
PATIENCE = 60  # seconds, for busy machines
FLAGS = (
    "--headless",
    "--no-sandbox",  # which root, in CI, cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    # Nothing but the page may use the network.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)


class Browser:
    """One window of Chromium."""

    def __init__(self) -> None:
        """Start it; it ends with the `with` block."""
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # With a path to the driver, Selenium does not look for one on the network.
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options, service)
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False},
        )

    @staticmethod
    def missing() -> str:
        """Names of the programs that are not installed."""
        return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, page: Path, ready: str) -> None:
        """Load a page from its file, and wait until a JavaScript expression holds."""
        self.console()
        self.requests()
        self.driver.get(page.as_uri())
        self.wait(lambda: self.script(f"return Boolean({ready})"))

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds, and return its value."""
        return WebDriverWait(self.driver, PATIENCE).until(lambda _: condition())

    def script(self, text: str, *arguments: Any) -> Any:
        """The value that JavaScript returns in the page."""
        return self.driver.execute_script(text, *arguments)

    def find(self, selector: str) -> WebElement:
        """The first element that matches a CSS selector."""
        return self.driver.find_element("css selector", selector)

    def click(self, element: WebElement) -> None:
        """Click with the mouse in the middle of an element, whatever is on top there."""
        ActionChains(self.driver).move_to_element(element).click().perform()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def console(self) -> list[str]:
        """Messages and uncaught errors on the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses requested since the last call, those of files and data included."""
        messages = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        sent = [m["message"]["params"] for m in messages if is_request(m["message"])]
        return [params["request"]["url"] for params in sent]

    def screenshot(self, path: Path) -> Path:
        """Save what the window shows as PNG."""
        assert self.driver.save_screenshot(str(path))
        return path


def is_request(message: dict[str, Any]) -> bool:
    return message["method"] == "Network.requestWillBeSent"
