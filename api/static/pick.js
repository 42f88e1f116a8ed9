// 全选: ticks every box of its form, tells how many are ticked, and asks before many are accepted, which cannot be
// taken back. Without it each box is ticked by hand.
"use strict";
for (const form of document.querySelectorAll("form[data-pick]")) {
  const boxes = [...form.elements].filter((one) => one.name === "pick");  // also those that stand outside the form
  const all = form.querySelector("[data-pick-all]");
  const told = form.querySelector("[data-picked]");
  const tell = () => {
    const n = boxes.filter((box) => box.checked).length;
    if (told) told.textContent = n ? `已选 ${n} 件` : "";
    if (all) { all.checked = n > 0 && n === boxes.length; all.indeterminate = n > 0 && n < boxes.length; }
  };
  const picked = form.querySelector("input[type=radio][value=picked]");
  if (picked) for (const box of [all, ...boxes]) box && box.addEventListener("change", () => { picked.checked = true; });
  if (all) {
    all.closest("[hidden]")?.removeAttribute("hidden");
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; tell(); });
  }
  for (const box of boxes) box.addEventListener("change", tell);
  form.addEventListener("submit", (event) => {
    const n = boxes.filter((box) => box.checked).length;
    const accepts = event.submitter && event.submitter.value === "accept";
    if (accepts && n > 1 && !window.confirm(`将通过选中的 ${n} 件，通过后不能撤销。是否继续？`)) event.preventDefault();
  });
  tell();
}
