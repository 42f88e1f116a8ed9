// The submit page: files sent with progress, and after a break only those that are missing; counters; questions before
// what cannot be undone. Without this script the plain forms do the same, with a page between.
"use strict";
(() => {
  const TRIES = 4, PAUSE = 1500;
  let sheet = null;

  const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, "0")).join("");

  // Which files the draft does not hold yet. Where the browser cannot hash (no secure connection) all are sent again:
  // the ledger keeps each content once all the same.
  async function missing(form, files) {
    if (!window.crypto || !crypto.subtle) return files;
    const byDigest = new Map();
    for (const file of files) byDigest.set(hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())), file);
    const answer = await fetch(form.dataset.missing, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sha256: [...byDigest.keys()] }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).missing.map((digest) => byDigest.get(digest));
  }

  function send(form, files, told) {
    const address = new URL(form.action, location.href);
    address.searchParams.set("type", form.elements.type.value);
    const body = new FormData();
    const name = sheet && sheet.elements.by_name ? sheet.elements.by_name.value : "";
    if (name) body.append("by_name", name);
    for (const file of files) body.append("file", file, file.name);
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      request.open("POST", address);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.onprogress = (event) => told(event.lengthComputable ? event.loaded / event.total : 0);
      request.onload = () => (request.response && request.response.files ? done(request.response) : failed(request));
      request.onerror = request.onabort = request.ontimeout = () => failed(null);
      request.send(body);
    });
  }

  function watch(form) {
    const box = form.querySelector(".upload-progress"), list = form.querySelector(".upload-refused");
    const bar = box.querySelector("progress"), words = box.querySelector("[role=status]");
    const button = form.querySelector("button");
    const say = (text, share) => { box.hidden = false; words.textContent = text; bar.value = Math.round((share || 0) * 100); };

    async function all(files) {
      let wanted = files;
      for (let attempt = 1; ; attempt++) {
        try {
          if (attempt > 1) wanted = await missing(form, files);
          if (!wanted.length) return { kept: 0, files: [], broken: "" };
          const told = (share) => say(`正在上传 ${wanted.length} 份文件，已传 ${Math.round(share * 100)}%`, share);
          told(0);
          const answer = await send(form, wanted, told);
          if (!answer.broken || attempt === TRIES) return answer;
        } catch (problem) {
          if (problem && problem.status) throw problem;
          if (attempt === TRIES) throw problem;
        }
        say("网络中断，正在核对还缺哪些文件，随后只补传缺少的部分");
        await new Promise((go) => setTimeout(go, PAUSE * attempt));
      }
    }

    const finish = () => {
      const save = sheet && sheet.querySelector("[data-save]");
      if (save) sheet.requestSubmit ? sheet.requestSubmit(save) : save.click(); else location.reload();
    };

    function refuse(answer) {
      const refused = answer.files.filter((one) => one.outcome === "refused");
      list.replaceChildren(...refused.map((one) => {
        const line = document.createElement("li"), name = document.createElement("b"), why = document.createElement("p");
        name.textContent = one.name;
        why.textContent = one.sentence;
        why.className = "item-reason";
        line.append(name, why);
        return line;
      }));
      list.hidden = !refused.length;
      return refused.length;
    }

    if ("atOnce" in form.dataset) {  // a picture just taken goes up by itself
      button.hidden = true;
      form.elements.file.addEventListener("change", () => { if (form.elements.file.files.length) form.requestSubmit(button); });
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const files = [...form.elements.file.files];
      const large = files.filter((file) => file.size > Number(form.dataset.bytes));
      if (large.length) return say(`“${large[0].name}”超过 ${Math.round(form.dataset.bytes / 1048576)} MB，请压缩或移除后再上传`);
      button.disabled = true;
      try {
        const answer = await all(files);
        if (answer.broken) say(`${answer.broken}，请重新点“上传”，只会补传缺少的部分`);
        else if (refuse(answer)) {
          say(`已收 ${answer.files.length - list.children.length} 份，未收 ${list.children.length} 份，原因见下`, 1);
          const go = document.createElement("button");
          go.type = "button";
          go.textContent = "知道了，显示已收的文件";
          go.addEventListener("click", finish);
          list.after(go);
        } else { say("上传完成", 1); finish(); }
      } catch (problem) {
        say(problem && problem.status ? "未能上传，请刷新页面查看这一办理件的最新情况" : "网络未能恢复，已收的文件不会丢失，请稍后重新点“上传”");
      } finally { button.disabled = false; }
    });
  }

  // Also what is shown later, in a sheet over the page.
  function wire(root) {
    sheet = document.getElementById("sheet");
    for (const form of root.querySelectorAll("[data-upload]")) watch(form);
    for (const area of root.querySelectorAll("[data-counter]")) {
      const place = document.getElementById(area.dataset.counter), most = Number(place.dataset.most);
      const count = () => { place.textContent = `已写 ${area.value.length} 字，不超过 ${most} 字`; };
      area.addEventListener("input", count);
      count();
    }
    for (const button of root.querySelectorAll("[data-ask]"))
      button.addEventListener("click", (event) => { if (!confirm(button.dataset.ask)) event.preventDefault(); });
  }
  wire(document);
  document.addEventListener("lucheng:shown", (event) => wire(event.target));
})();
