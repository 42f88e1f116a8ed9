// The frame: 更多 closes when one taps elsewhere or presses Escape; what was just done is told for a while and its word
// leaves the address, so that a reload does not tell it again. Without this script both stay until the next page.
"use strict";
(() => {
  const open = () => [...document.querySelectorAll("details[data-close-outside][open]")];
  document.addEventListener("click", (event) => {
    for (const one of open()) if (!one.contains(event.target)) one.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const one of open()) { one.open = false; one.querySelector("summary").focus(); }
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  const here = new URL(location.href);
  if (here.searchParams.has("told")) {
    here.searchParams.delete("told");
    history.replaceState(history.state, "", here);
  }
  window.lucheng = {
    fade(root) {
      for (const toast of root.querySelectorAll("[data-toast]")) setTimeout(() => toast.classList.add("toast--gone"), 6000);
    },
  };
  window.lucheng.fade(document);
})();
