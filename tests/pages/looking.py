"""How tests look at a page: signed in, with its faults counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.running import PASSWORD

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""

SIZES: dict[str, ViewportSize] = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


@dataclass
class Looker:
    """A browser page whose faults are counted, on a running desk at `url`."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)

    def watch(self) -> Looker:
        self.page.add_init_script(WATCH)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        return self

    def sign_in(self, username: str = "admin", password: str = PASSWORD) -> Looker:
        self.open("/sign-in/")
        self.page.fill("#id_username", username)
        self.page.fill("#id_password", password)
        self.page.click("main button")
        self.page.wait_for_url(f"{self.url}/")
        return self

    def open(self, path: str) -> int:
        """The status of the page at `path`, once all it asked for has come."""
        answer = self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")
        assert answer is not None
        return answer.status

    def faults(self) -> dict[str, Any]:
        """What a page must not have: empty for a sound page."""
        # Before axe, which itself adds styles that the policy refuses.
        violations = self.page.evaluate("window.violations")
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found = {"policy violations": violations, "script errors": list(self.errors), "pixels too wide": max(0, wider)}
        return {name: value for name, value in (found | {"axe": self.barriers()}).items() if value}

    def faults_everywhere(self) -> dict[str, Any]:
        """The same on a desk and on a phone, light and dark, by where they are seen; the page is not loaded anew for it."""
        found = {}
        for size, viewport in SIZES.items():
            self.page.set_viewport_size(viewport)
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # colours change at once
                if faults := self.faults():
                    found[f"{size}, {theme}"] = faults
        return found

    def barriers(self) -> list[str]:
        """What axe finds, serious and critical."""
        found = Axe().run(self.page).response["violations"]
        self.page.evaluate("window.violations = []")
        return [
            f"{rule['id']} ({rule['impact']}): {node['html'][:160]}"
            for rule in found
            if rule["impact"] in {"serious", "critical"}
            for node in rule["nodes"]
        ]
