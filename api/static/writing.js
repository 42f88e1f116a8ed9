// Pages where texts are written: counters as one types, a question before what cannot be undone, no form sent twice,
// no text lost by leaving. Without this script the same forms work; the server counts and asks for itself.
"use strict";
(() => {
  const count = (text) => Array.from(text.replace(/\s/gu, "")).length;

  for (const form of document.querySelectorAll("form[data-writing]")) {
    const areas = [...form.querySelectorAll("textarea[data-count]")];
    const total = form.querySelector("[data-total]"), hint = form.querySelector("[data-total-hint]");
    const told = new Map(areas.map((area) => [area, form.querySelector(`[data-count-of="${area.id}"]`)]));
    const tell = () => {
      let sum = 0;
      for (const area of areas) {
        const n = count(area.value);
        sum += n;
        told.get(area).textContent = n;
      }
      if (!total) return;
      total.textContent = sum;
      const { shortest, longest } = hint.dataset;
      hint.textContent = sum < shortest ? `，还差 ${shortest - sum} 字` : sum > longest ? `，多出 ${sum - longest} 字` : "，合适";
    };
    form.addEventListener("input", tell);
    tell();

    let changed = false;
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { changed = false; });
    window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  }

  for (const box of document.querySelectorAll("[data-opens]")) {
    const more = document.getElementById(box.dataset.opens);
    const show = () => { more.hidden = !box.checked; };
    box.addEventListener("change", show);
    show();
  }

  for (const button of document.querySelectorAll("[data-ask]"))
    button.addEventListener("click", (event) => { if (!confirm(button.dataset.ask)) event.preventDefault(); });

  for (const form of document.querySelectorAll('form[method="post"]'))
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
      setTimeout(() => delete form.dataset.sent, 5000);
    });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
