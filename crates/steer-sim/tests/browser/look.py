#!/usr/bin/env python3
"""Looks at a report in a headless Chromium, as people would.

Opens the page without a network, at the widths of a phone and of a screen, in light and dark.
Checks that nothing is fetched and nothing is logged, that each plot is visible and within the
page, that the page does not scroll sideways, that no text in a plot is too small or cut off, and
that all text can be read on its background.

Prints each finding. Status 0; 1 if there are findings; 75 if Chromium, its driver or selenium is
missing.

Usage: look.py PAGE [--without-plots]
       look.py PAGE --screenshot FILE [--width PIXELS] [--height PIXELS] [--dark] [--at SELECTOR]
       look.py PAGE --pdf FILE

The height of a screenshot is that of the page unless one is given. --at: starts there.
"""

import argparse
import base64
import pathlib
import shutil
import sys

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    print("python3-selenium is missing (script/bootstrap test)", file=sys.stderr)
    sys.exit(75)

WIDTHS = [400, 1400]
SCHEMES = ["light", "dark"]
# The least contrast of text that the Web Content Accessibility Guidelines ask for (level AA).
TEXT_CONTRAST = 4.5
# They ask for 3 between colours that stand for something. Okabe's and Ito's orange and sky blue,
# the colours of the sixth and seventh series, have 2.2 on white. Dashes and markers also tell
# them apart.
PLOT_CONTRAST = 2.2
# Pixels. Smaller text cannot be read on a phone.
LEAST_TEXT = 10

# Returns a list of findings. The functions run in the page, which has no scripts of its own.
CHECK = """
const [width, leastText, textContrast, plotContrast, plotsExpected] = arguments;
const found = [];
const name = (element) => {
  const text = (element.textContent || '').trim().replace(/\\s+/g, ' ').slice(0, 40);
  const tag = element.tagName.toLowerCase();
  return `<${tag} class="${element.getAttribute('class') || ''}"> ${text}`;
};

// Colours, as their relative luminance.
const channels = (colour) => {
  const numbers = colour.match(/[\\d.]+/g).map(Number);
  return numbers.length < 4 ? [...numbers, 1] : numbers;
};
const luminance = (colour) => {
  const linear = channels(colour).slice(0, 3).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const background = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (channels(colour)[3] > 0) return colour;
  }
  return 'rgb(255, 255, 255)';
};
const contrast = (colour, element) => {
  const [a, b] = [luminance(colour), luminance(background(element))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};

// The page.
const scroll = document.documentElement.scrollWidth;
if (scroll > width) found.push(`the page is ${scroll} pixels wide`);
if (window.innerWidth !== width) found.push(`the window is ${window.innerWidth} pixels wide`);
const fetched = performance.getEntriesByType('resource').map((entry) => entry.name);
for (const url of fetched) found.push(`it fetches ${url}`);
if (!document.title) found.push('it has no title');
if (document.querySelectorAll('h1').length !== 1) found.push('it needs one h1');

// Each plot.
const figures = document.querySelectorAll('figure');
if (plotsExpected !== figures.length > 0) found.push(`there are ${figures.length} figures`);
for (const figure of figures) {
  const title = figure.querySelector('figcaption h3');
  if (!title || !title.textContent) found.push(`no title: ${name(figure)}`);
  const plots = figure.querySelectorAll('svg.plot');
  if (plots.length === 0) found.push(`no plot: ${name(figure)}`);
  if (!figure.querySelector('table caption')) found.push(`no table: ${name(figure)}`);
  for (const plot of plots) {
    const box = plot.getBoundingClientRect();
    const label = plot.getAttribute('aria-label');
    if (!plot.checkVisibility()) found.push(`not visible: ${label}`);
    if (box.width < 200 || box.height < 100) found.push(`${box.width}x${box.height}: ${label}`);
    if (box.left < 0 || box.right > width) found.push(`outside of the page: ${label}`);
    if (plot.getAttribute('role') !== 'img' || !label) found.push(`no label: ${label}`);
    if (!plot.querySelector('title')) found.push(`no title: ${label}`);
    if (!plot.querySelector('text')) found.push(`no text: ${label}`);
    for (const text of plot.querySelectorAll('text')) {
      const inner = text.getBoundingClientRect();
      const size = parseFloat(getComputedStyle(text).fontSize) * plot.getScreenCTM().a;
      if (size < leastText) found.push(`text of ${size} pixels in ${label}: ${name(text)}`);
      const outside = inner.left < box.left - 1 || inner.right > box.right + 1 ||
        inner.top < box.top - 1 || inner.bottom > box.bottom + 1;
      if (outside) found.push(`cut off in ${label}: ${name(text)}`);
    }
    const lines = [...plot.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
    for (let a = 0; a < lines.length; a++) {
      for (let b = a + 1; b < lines.length; b++) {
        const across = Math.min(lines[a].right, lines[b].right) -
          Math.max(lines[a].left, lines[b].left);
        const down = Math.min(lines[a].bottom, lines[b].bottom) -
          Math.max(lines[a].top, lines[b].top);
        if (across > 0 && down > 4) found.push(`text upon text in ${label}: number ${a}, ${b}`);
      }
    }
    for (const shape of plot.querySelectorAll('.s, .f')) {
      const style = getComputedStyle(shape);
      const colour = shape.classList.contains('s') ? style.stroke : style.fill;
      const has = contrast(colour, plot);
      if (has < plotContrast) found.push(`contrast ${has.toFixed(2)} in ${label}: ${colour}`);
    }
  }
}

// All text.
const details = [...document.querySelectorAll('details')];
for (const detail of details) detail.open = true;
const opened = document.documentElement.scrollWidth;
if (opened > width) found.push(`with all tables open, the page is ${opened} pixels wide`);
const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
const seen = new Set();
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (seen.has(element) || !walker.currentNode.data.trim()) continue;
  seen.add(element);
  if (element.tagName === 'title') continue;
  const style = getComputedStyle(element);
  const colour = element.tagName === 'text' ? style.fill : style.color;
  const has = contrast(colour, element);
  if (has < textContrast) found.push(`contrast ${has.toFixed(2)}: ${name(element)}`);
}
for (const detail of details) detail.open = false;
return [found, figures.length, document.querySelectorAll('svg.plot').length, seen.size];
"""


def chromium():
    """A headless Chromium, or None if a part of it is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        missing = "chromium" if not browser else "chromium-driver"
        print(f"{missing} is missing (script/bootstrap test)", file=sys.stderr)
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--hide-scrollbars")
    # Chromium's sandbox works neither for root nor in containers. The only page is our own.
    options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(driver), options=options)


def resize(driver, width, height=900):
    """Sets the size of the page. Windows of Chromium cannot be narrower than 500 pixels."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def choose(driver, scheme):
    """Prefers light or dark."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def open_page(driver, page):
    """Opens the page without a network."""
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["http://*", "https://*", "ws*"]})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    driver.get(page.resolve().as_uri())


def check(driver, page, with_plots):
    """Prints what is wrong with the page. Returns how many things are."""
    count = 0
    backgrounds = {scheme: set() for scheme in SCHEMES}
    for width in WIDTHS:
        for scheme in SCHEMES:
            resize(driver, width)
            choose(driver, scheme)
            open_page(driver, page)
            limits = [width, LEAST_TEXT, TEXT_CONTRAST, PLOT_CONTRAST, with_plots]
            found, figures, plots, texts = driver.execute_script(CHECK, *limits)
            found += [f"log: {entry['message']}" for entry in driver.get_log("browser")]
            colour = "return getComputedStyle(document.body).backgroundColor"
            backgrounds[scheme].add(driver.execute_script(colour))
            print(
                f"{width} pixels, {scheme}: {figures} figures, {plots} plots, {texts} texts,"
                f" {len(found)} findings"
            )
            for finding in found:
                print(f"  {finding}")
            count += len(found)
    if backgrounds["light"] & backgrounds["dark"]:
        print("light and dark do not differ")
        count += 1
    return count


def screenshot(driver, arguments):
    """Saves an image of the page."""
    resize(driver, arguments.width, arguments.height or 900)
    choose(driver, "dark" if arguments.dark else "light")
    open_page(driver, arguments.page)
    top = "return arguments[0] && document.querySelector(arguments[0]).getBoundingClientRect().top"
    top = driver.execute_script(top, arguments.at) or 0
    height = driver.execute_script("return document.documentElement.scrollHeight") - top
    clip = {
        "x": 0,
        "y": top,
        "width": arguments.width,
        "height": arguments.height or height,
        "scale": 1,
    }
    image = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
    )
    arguments.screenshot.write_bytes(base64.b64decode(image["data"]))


def pdf(driver, arguments):
    """Saves the page as it is printed."""
    open_page(driver, arguments.page)
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    arguments.pdf.write_bytes(base64.b64decode(printed["data"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--screenshot", type=pathlib.Path)
    parser.add_argument("--pdf", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--height", type=int)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--without-plots", action="store_true")
    parser.add_argument("--at")
    arguments = parser.parse_args()
    driver = chromium()
    if driver is None:
        return 75
    try:
        if arguments.screenshot:
            screenshot(driver, arguments)
        if arguments.pdf:
            pdf(driver, arguments)
        if arguments.screenshot or arguments.pdf:
            return 0
        return 1 if check(driver, arguments.page, not arguments.without_plots) else 0
    finally:
        driver.quit()


sys.exit(main())
