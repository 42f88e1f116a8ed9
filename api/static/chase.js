// 催办: the number of characters as one types, and no message sent twice by a double click. Without this script the
// server counts, and a second sending finds nothing to do.
"use strict";
for (const area of document.querySelectorAll("textarea[data-count-to]")) {
  const told = document.querySelector(`[data-count-of="${area.id}"]`), first = told.textContent;
  const tell = () => {
    const n = Array.from(area.value.trim()).length;
    told.textContent = n ? `${n}/${area.dataset.countTo} 字` : first;
  };
  area.addEventListener("input", tell);
  tell();
}
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formaction")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "on";
  });
  window.addEventListener("pageshow", () => { delete form.dataset.sent; });
}
