"""A real browser without a window: pages are opened, looked at and measured over its own protocol (DevTools, on two
pipes). It lives below the test's directory, may resolve no name, and is gone when the test ends."""
import base64
import contextlib
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

from cli import machine

NAMES = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 60  # seconds until a test gives up

# Every piece of text that is painted, with the boxes of its lines; and what they must not run into.
MEASURE = """
(() => {
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim();
    if (!text) continue;
    range.selectNodeContents(walk.currentNode);
    for (const box of range.getClientRects())
      if (box.width > 0 && box.height > 0)
        boxes.push({text, left: box.left, top: box.top, right: box.right, bottom: box.bottom,
                    colour: getComputedStyle(walk.currentNode.parentElement)[
                        walk.currentNode.parentElement.closest('svg') ? 'fill' : 'color'],
                    limit: walk.currentNode.parentElement.classList.contains('limit-text')});
  }
  const cross = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
                          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const bars = [...document.querySelectorAll('.chart rect')].map(bar => bar.getBoundingClientRect());
  const collisions = [];
  for (let i = 0; i < boxes.length; ++i) {
    for (let j = i + 1; j < boxes.length; ++j)
      if (cross(boxes[i], boxes[j])) collisions.push(boxes[i].text + ' | ' + boxes[j].text);
    if (boxes[i].limit && bars.some(bar => cross(boxes[i], bar))) collisions.push(boxes[i].text + ' | a bar');
  }
  return {
    texts: boxes.length, collisions,
    sizes: [...document.querySelectorAll('.chart text')].map(text => text.getBoundingClientRect().height),
    bars: bars.length, scripts: document.scripts.length, width: document.documentElement.scrollWidth,
    colours: [...new Set(boxes.map(box => box.colour))],
    ground: getComputedStyle(document.body).backgroundColor, heading: document.querySelector('h1').innerText,
    text: document.body.innerText,
  };
})()
"""


class Browser:
    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        for name in ("home", "profile"):
            (self.folder / name).mkdir()
        to_child, self.write_end = os.pipe()
        self.read_end, from_child = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_child, from_child)]

        def arrange():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={self.folder / 'profile'}",
             "--remote-debugging-pipe", "about:blank"],
            preexec_fn=arrange, pass_fds=(3, 4), start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("wb"),
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "LC_ALL": "C.UTF-8",
                 "TMPDIR": str(self.folder)})
        for end in (*ends, to_child, from_child):
            os.close(end)
        self.unread, self.number, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.ask(f"{domain}.enable")

    def receive(self):
        ends = time.monotonic() + LIMIT
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.read_end], [], [], max(0, ends - time.monotonic()))
            more = os.read(self.read_end, 1 << 16) if ready else b""
            assert more, "the browser does not answer:\n" + (self.folder / "log").read_text(errors="replace")
            self.unread += more
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def ask(self, method, **values):
        self.number += 1
        message = {"id": self.number, "method": method, "params": values}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def open(self, page, width=1300, dark=False, media=""):
        """Loads a file, and returns what came of it; `requests` are the addresses that it asked for."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.events.clear()
        self.ask("Page.navigate", url=pathlib.Path(page).as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        found = self.ask("Runtime.evaluate", expression=MEASURE, returnByValue=True)
        assert "exceptionDetails" not in found, found
        names = [event["method"] for event in self.events]
        assert "Page.javascriptDialogOpening" not in names and "Runtime.exceptionThrown" not in names
        return found["result"]["value"] | {
            "requests": [event["params"]["request"]["url"] for event in self.events
                         if event["method"] == "Network.requestWillBeSent"]}

    def picture(self, file):
        """The whole page as it is shown now."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=size | {"scale": 1})
        pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        with contextlib.suppress(OSError, AssertionError):
            self.session = None
            self.ask("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        # Its helpers are of the session that began with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for end in (self.read_end, self.write_end):
            os.close(end)


@contextlib.contextmanager
def browser(folder):
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert program, "no browser: ./dev setup installs chromium"
    opened = Browser(program, pathlib.Path(folder) / "browser")
    try:
        yield opened
    finally:
        opened.close()
    ends = time.monotonic() + 10
    while left := list(machine.living_below(opened.folder)):
        assert time.monotonic() < ends, f"the browser has left processes behind: {left}"
        time.sleep(0.05)


def contrast(one, other):
    """Of two colours as computed styles name them, by the accessibility guidelines: 1 to 21."""
    def light(colour):
        parts = [float(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)
