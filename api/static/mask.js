// Boxes drawn over a picture with mouse, pen or finger. They become the figures of the plain form, in per cent.
"use strict";
(() => {
  const form = document.querySelector("[data-mask]"), stage = form.querySelector(".mask-stage");
  const rows = form.querySelector("tbody"), back = form.querySelector("[data-back]"), most = Number(form.dataset.most);
  const sides = ["left", "top", "width", "height"], boxes = [];
  let drawn = null, from = null;

  form.querySelector("[data-hint]").textContent = "按住并拖动，框住要遮盖的地方；可框多处，然后点“遮盖”。";
  form.querySelector("table").hidden = true;
  rows.replaceChildren();
  stage.classList.add("mask-stage--live");

  const share = (value, whole) => Math.min(100, Math.max(0, (value / whole) * 100));
  const place = (event) => {
    const frame = stage.getBoundingClientRect();
    return [share(event.clientX - frame.left, frame.width), share(event.clientY - frame.top, frame.height)];
  };
  const stretch = (box, [x, y]) => {
    const figures = [Math.min(from[0], x), Math.min(from[1], y), Math.abs(from[0] - x), Math.abs(from[1] - y)];
    sides.forEach((side, n) => { box.style[side] = `${figures[n]}%`; });
    return figures;
  };

  stage.addEventListener("pointerdown", (event) => {
    if (boxes.length >= most || event.button > 0) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    from = place(event);
    drawn = document.createElement("span");
    drawn.className = "mask-box";
    stage.append(drawn);
    stretch(drawn, from);
  });
  stage.addEventListener("pointermove", (event) => { if (drawn) stretch(drawn, place(event)); });
  const end = (event) => {
    if (!drawn) return;
    const figures = stretch(drawn, place(event));
    if (event.type === "pointercancel" || figures[2] < 0.5 || figures[3] < 0.5) drawn.remove();
    else {
      const row = document.createElement("tr");
      sides.forEach((side, n) => {
        const cell = document.createElement("td"), input = document.createElement("input");
        input.name = side;
        input.value = figures[n].toFixed(2);
        cell.append(input);
        row.append(cell);
      });
      rows.append(row);
      boxes.push([drawn, row]);
    }
    drawn = null;
    back.hidden = !boxes.length;
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  back.addEventListener("click", () => {
    for (const part of boxes.pop() || []) part.remove();
    back.hidden = !boxes.length;
  });
})();
