"""PDF through LibreOffice, where it is installed: a program of its own, with a profile of its own for each run."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from documents.deterministic import packed, unpacked
from documents.official import FANGSONG, HEITI, KAITI, SONGTI, XIAOBIAOSONG
from policy_models.errors import FileRefused

PROGRAMS = ("soffice", "libreoffice")
SECONDS = 300  # how long one document may take
NOT_INSTALLED = "本机未安装 LibreOffice，不能生成 PDF；请下载 .docx 后在 Word 或 WPS 中另存为 PDF，或请管理员安装"
CHARACTER_GRID = re.compile(rb'<w:docGrid w:type="linesAndChars"(?=[^>]* w:charSpace="(?P<space>-\d+)")')
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TOO_LONG = "生成 PDF 超时，请下载 .docx 后在 Word 或 WPS 中另存为 PDF"
FAILED = "LibreOffice 未能生成 PDF，请下载 .docx 后在 Word 或 WPS 中另存为 PDF"
# What stands in for the fonts that documents name and offices own: the first that is installed.
STAND_INS: Mapping[str, tuple[str, ...]] = {
    FANGSONG: ("仿宋", "FangSong", "Noto Serif CJK SC", "Noto Sans CJK SC"),
    XIAOBIAOSONG: ("Noto Serif CJK SC", "Noto Sans CJK SC"),
    HEITI: ("SimHei", "Noto Sans CJK SC"),
    KAITI: ("楷体", "KaiTi", "LXGW WenKai", "Noto Serif CJK SC", "Noto Sans CJK SC"),
    SONGTI: ("SimSun", "Noto Serif CJK SC", "Noto Sans CJK SC"),
}


def program() -> str | None:
    """The path of LibreOffice; None where it is not installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def to_pdf(data: bytes, *, suffix: str = ".docx", seconds: float = SECONDS) -> bytes:
    """The document as PDF. Takes seconds to minutes: never in a transaction.

    Raises FileRefused where LibreOffice is not installed, fails, or takes longer than ``seconds``.
    """
    found = program()
    if found is None:
        raise FileRefused(NOT_INSTALLED)
    with tempfile.TemporaryDirectory(prefix="lucheng-pdf-") as name:
        folder = Path(name)
        source = folder / f"report{suffix}"
        source.write_bytes(_for_libreoffice(data) if suffix == ".docx" else data)
        fonts = folder / "fonts.conf"
        fonts.write_text(font_configuration(), encoding="utf-8")
        convert(found, source, "pdf", seconds, failed=FAILED, too_long=TOO_LONG, FONTCONFIG_FILE=str(fonts))
        made = source.with_suffix(".pdf")
        if not made.is_file():
            raise FileRefused(FAILED)
        return made.read_bytes()


def convert(
    found: str, source: Path, to: str, seconds: float, *, failed: str, too_long: str, **environment: str
) -> None:
    """Have LibreOffice write ``source`` anew beside it as ``to`` (docx, pdf). Two runs with one profile wait for each
    other, or fail: so each has its own, in the folder that goes. Raises FileRefused with one of the two sentences."""
    folder = source.parent
    command = [found, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore"]
    command += ["--convert-to", to, "--outdir", str(folder), str(source)]
    # a session of its own: soffice is a script, and what it starts must end with it
    with subprocess.Popen(
        command,
        env={**os.environ, "HOME": str(folder), **environment},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            code = running.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise FileRefused(too_long) from None
        except BaseException:  # whoever waits is stopped: what was started for it stops too
            os.killpg(running.pid, signal.SIGKILL)
            raise
    if code != 0:
        raise FileRefused(failed)


def _for_libreoffice(data: bytes) -> bytes:
    """A copy whose characters stand 28 to a line there too. Word draws 16-point characters closer together to fit the
    grid of an official paper; LibreOffice gives each that is wider than its cell two. So: lines only, and the
    characters closer by what the grid says."""
    entries = unpacked(data)
    found = CHARACTER_GRID.search(entries["word/document.xml"])
    if found is None:
        return data
    closer = math.floor(int(found["space"]) / 4096 * 20)  # twentieths of a point
    entries["word/document.xml"] = CHARACTER_GRID.sub(rb'<w:docGrid w:type="lines"', entries["word/document.xml"])
    styles = etree.fromstring(entries["word/styles.xml"], etree.XMLParser(resolve_entities=False))
    for defaults in styles.iterfind(f"{W}docDefaults/{W}rPrDefault/{W}rPr"):
        defaults.insert(len(defaults.findall(f"{W}rFonts")), etree.Element(f"{W}spacing", {f"{W}val": str(closer)}))
    entries["word/styles.xml"] = etree.tostring(styles, xml_declaration=True, encoding="UTF-8", standalone=True)
    return packed(entries)


def font_configuration() -> str:
    """A fonts.conf over the system's own that names the stand-ins."""
    aliases = "".join(
        f'<match target="pattern"><test name="family"><string>{escape(font)}</string></test>'
        + '<edit name="family" mode="append" binding="strong">'
        + "".join(f"<string>{escape(one)}</string>" for one in others)
        + "</edit></match>\n"
        for font, others in STAND_INS.items()
    )
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>\n'
        f"{aliases}</fontconfig>\n"
    )
