// 订阅地址: the button copies the address. Without it one selects and copies by hand, as the sentence below says.
"use strict";
for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const told = document.querySelector("[data-copied]");
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    field.focus();
    field.select();
    let copied = false;
    // on plain http browsers have no navigator.clipboard; there the old command still copies what is selected
    try {
      if (navigator.clipboard) { await navigator.clipboard.writeText(field.value); copied = true; }
    } catch { copied = false; }
    if (!copied) copied = document.execCommand("copy");
    told.textContent = copied ? (told.dataset.copied || "已复制，请粘贴到日历软件中。") : "未能复制，请按 Ctrl+C（手机上长按）复制选中的地址。";
  });
}
