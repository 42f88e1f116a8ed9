// A link with data-sheet opens its page in a sheet over the list, and its forms are sent from there: the list stays where
// it was and is renewed once the page is left. Without this script, and where the sheet cannot be opened, it is a link.
"use strict";
(() => {
  if (!window.HTMLDialogElement || !window.DOMParser || !window.fetch) return;
  const dialog = document.createElement("dialog"), body = document.createElement("div");
  const close = document.createElement("button"), told = document.createElement("p");
  dialog.className = "sheet-over";
  dialog.setAttribute("aria-label", "办理");
  close.type = "button";
  close.textContent = "关闭";
  close.className = "sheet-close";
  told.className = "fault sheet-told";
  told.setAttribute("role", "alert");
  told.hidden = true;
  dialog.append(close, told, body);
  document.body.append(dialog);
  let shown = "", opener = null, touched = false, changed = false;

  const say = (words) => { told.textContent = words; told.hidden = !words; };
  const main = (html) => new DOMParser().parseFromString(html, "text/html").querySelector("main");

  function show(html, address) {
    const found = main(html);
    if (!found) return false;
    shown = new URL(address, location.href).pathname;
    for (const one of found.querySelectorAll("script, .help-mark, .crumbs")) one.remove();
    body.replaceChildren(...found.childNodes);
    touched = false;
    say("");
    body.dispatchEvent(new CustomEvent("lucheng:shown", { bubbles: true }));
    (body.querySelector("[role=alert]") || body.querySelector("h1") || body).scrollIntoView({ block: "start" });
    return true;
  }

  async function open(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const there = new URL(answer.url);
    if (there.pathname === "/login" || !show(await answer.text(), answer.url)) return location.assign(address);
    if (!dialog.open) dialog.showModal();
    close.focus();
  }

  // The list as it is now, with what was just done told above it.
  async function renew(html) {
    const text = html || (await (await fetch(location.href, { headers: { Accept: "text/html" } })).text());
    const page = new DOMParser().parseFromString(text, "text/html"), own = document.querySelector("main");
    const fresh = page.querySelector("main"), toast = page.querySelector("[data-toast]");
    if (!fresh) return location.reload();
    own.replaceChildren(...fresh.childNodes);
    for (const one of document.querySelectorAll("[data-toast]")) one.remove();
    if (toast) { own.before(toast); window.lucheng.fade(document); }
  }

  async function send(form, submitter) {
    const fields = new FormData(form);
    if (submitter && submitter.name) fields.append(submitter.name, submitter.value);
    const target = (submitter && submitter.getAttribute("formaction")) || form.getAttribute("action");
    const plain = form.enctype !== "multipart/form-data";
    say("");
    body.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(target, {
        method: "POST",
        headers: { Accept: "text/html" },
        body: plain ? new URLSearchParams(fields) : fields,
      });
      const html = await answer.text(), there = new URL(answer.url);
      changed = true;
      if (there.pathname === location.pathname) {
        changed = false;
        dialog.close();
        await renew(html);
      } else if (there.pathname === shown || answer.status >= 400) {
        show(html, answer.status >= 400 ? shown : answer.url);
      } else location.assign(answer.url);
    } catch {
      say("网络中断，尚未送达。填写的内容仍在，请稍后再点一次。");
    } finally { body.removeAttribute("aria-busy"); }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[data-sheet]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    opener = link.getAttribute("href");
    open(link.href).catch(() => location.assign(link.href));
  });
  dialog.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    event.preventDefault();
    send(event.target, event.submitter);
  });
  dialog.addEventListener("input", (event) => { if (event.target.type !== "file") touched = true; });
  const leave = () => {
    if (touched && !confirm("填写的内容还没有保存，确定关闭吗？")) return;
    dialog.close();
  };
  close.addEventListener("click", leave);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) leave(); });
  dialog.addEventListener("close", () => {
    body.replaceChildren();
    touched = false;
    if (changed) renew().then(back, () => location.reload()); else back();
    changed = false;
  });
  // The reader's place in the list.
  function back() {
    const link = opener && [...document.querySelectorAll("a[data-sheet]")].find((one) => one.getAttribute("href") === opener);
    (link || document.querySelector("main")).focus({ preventScroll: Boolean(link) });
  }
})();
