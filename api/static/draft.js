// 半年报告: saves a section some seconds after the last key, and says so. Without it the button 保存 does the same.
"use strict";
for (const form of document.querySelectorAll("form[data-draft]")) {
  const state = form.querySelector("[data-state]");
  const version = form.elements.namedItem("version");
  const stop = "（不再自动保存，请核对后按“保存”）";
  const pause = 2000;
  let timer = 0, dirty = false, saving = false, stopped = false;

  const tell = (words, wrong) => { state.textContent = words; state.classList.toggle("late", Boolean(wrong)); };
  const count = (area) => {
    const place = document.getElementById(area.dataset.count || "");
    if (place) place.textContent = `${[...area.value.replace(/\s/g, "")].length} 字`;
  };

  const save = async () => {
    if (saving || !dirty || stopped) return;
    saving = true; dirty = false;
    tell("正在保存…");
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
      });
      const told = await answer.json();
      if (answer.ok) {
        version.value = told.version;
        if (!dirty) tell(told.saved);
      } else {
        dirty = true;
        stopped = answer.status === 409 || answer.status === 403;
        tell(`未保存：${told.sentence || "系统没有接受"}${stopped ? stop : ""}`, true);
      }
    } catch {
      dirty = true;
      tell("未保存：暂时连不上系统，稍后自动再试", true);
      timer = window.setTimeout(save, 10 * pause);
    } finally {
      saving = false;
      if (dirty && !stopped && !state.classList.contains("late")) later();
    }
  };
  const later = () => { window.clearTimeout(timer); timer = window.setTimeout(save, pause); };

  form.addEventListener("input", (event) => {
    if (event.target.dataset.count) count(event.target);
    if (event.target.type === "checkbox" && event.target.checked) {
      const words = form.elements.namedItem(event.target.name.replace("none-", "answer-"));
      if (words && words.value.trim()) { event.target.checked = false; return; }
    }
    dirty = true;
    if (!stopped) { tell("未保存"); later(); }
  });
  form.addEventListener("submit", () => { dirty = false; window.clearTimeout(timer); });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(); });
}
