"""A real Chromium for journeys, with a camera that shows a film of our making."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
NOT_LOOKED_AT = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
"""Pages of the browser's own that every new window opens behind its address bar: dearer than one of the shop's."""
NOT_FOR_TESTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,"
    "AvoidCorsURLLoaderRestartOnRedirect,TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,"
    "AimEnabled,PreconnectToSearch"
)
"""What Playwright 1.65 switches off: Chromium believes the last of two lists."""
IN_ONE_PROCESS = ("NetworkServiceInProcess", "NetworkServiceInProcess2")
QUIET = [
    "--no-sandbox",
    "--no-zygote",
    "--in-process-gpu",
    "--renderer-process-limit=1",  # pages of one window after another draw in the process of the first
    "--disable-site-isolation-trials",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    f"--enable-features={','.join(IN_ONE_PROCESS)}",
    f"--disable-features={NOT_FOR_TESTS},{','.join(NOT_LOOKED_AT)}",
    "--js-flags=--no-opt --no-maglev",  # a page lives for a second here: nothing in it is run often enough to gain
]
"""A process of its own for each part of a browser keeps strangers apart; here they only cost a start."""
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
CAMERA_WIDTH, CAMERA_HEIGHT, FRAMES = 640, 480, 10


@contextmanager
def chromium(film: Path | None = None) -> Iterator[Browser]:
    """Start Chromium; with a film its camera shows that, and the page need not ask for it."""
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    camera += [f"--use-file-for-fake-video-capture={film}"] if film else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *camera])
        yield browser
        browser.close()


def film_of(picture: Image.Image, path: Path) -> Path:
    """Write a short film (Y4M) in which a camera looks at a picture, filling most of its view."""
    sheet = Image.new("L", (CAMERA_WIDTH, CAMERA_HEIGHT), 235)
    shown = picture.convert("L")
    shown.thumbnail((CAMERA_HEIGHT - 40, CAMERA_HEIGHT - 40))
    sheet.paste(shown, ((CAMERA_WIDTH - shown.width) // 2, (CAMERA_HEIGHT - shown.height) // 2))
    grey = bytes([128]) * (CAMERA_WIDTH * CAMERA_HEIGHT // 2)
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{CAMERA_WIDTH} H{CAMERA_HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(FRAMES):
            film.write(b"FRAME\n" + sheet.tobytes() + grey)
    return path


def sign_in(page: Page, url: str, email: str, password: str, code: str) -> None:
    """Sign a member of staff in, by both steps."""
    page.goto(f"{url}/staff/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code from your app").fill(code)
    page.get_by_role("button", name="Sign in").click()
