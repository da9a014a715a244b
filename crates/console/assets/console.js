// Keys, the palette, and standing still while someone looks. Without this file every page works all the same.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("script");
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const writes = (element) => element.closest("input:not([type=checkbox]), textarea, select") !== null;

  // What renews itself: not while the tab is hidden, and nothing under the pointer or with the focus. A stream tells when; where none comes,
  // or it falls silent, the page asks by itself as its hx-trigger says.
  const renewed = find("[data-stream]");
  const SILENT = 5000;
  let stream;
  let heard = -SILENT;
  const listen = () => {
    if (stream) stream.close();
    stream = undefined;
    if (!renewed || document.hidden) return;
    stream = new EventSource(renewed.dataset.stream);
    stream.onmessage = () => {
      heard = performance.now();
      htmx.trigger(renewed, "renew");
    };
  };
  listen();
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== renewed) return;
    const told = event.detail.requestConfig.triggeringEvent !== undefined;
    if (document.hidden || (!told && performance.now() - heard < SILENT)) return event.preventDefault();
    // A server that has refused it may have one by now.
    if (!told && stream && stream.readyState === EventSource.CLOSED) listen();
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    // What is the same is left alone: it would be read out once more.
    if (target.innerHTML === fragment.innerHTML) return void (event.detail.shouldSwap = false);
    const held = target.matches(":hover") || target.contains(document.activeElement);
    target.toggleAttribute("data-held", held);
    if (held) event.detail.shouldSwap = false;
  });
  // What says that the session is over stands beside the draft.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 401) event.detail.shouldSwap = true;
  });
  document.addEventListener("mouseout", (event) => {
    const held = event.target.closest("[data-held]");
    if (held && !held.contains(event.relatedTarget)) held.removeAttribute("data-held");
  });

  // Rows.
  const rows = () => all("[data-row]").filter((row) => row.checkVisibility());
  const handle = (row) => find(".main", row) ?? row;
  const current = () => document.activeElement.closest("[data-row]");
  const move = (by) => {
    const known = rows();
    if (known.length === 0) return;
    const place = known.indexOf(current());
    const next = place < 0 ? (by > 0 ? 0 : known.length - 1) : Math.min(Math.max(place + by, 0), known.length - 1);
    handle(known[next]).focus();
    known[next].scrollIntoView({ block: "nearest" });
  };
  const pick = () => {
    const box = find("input[type=checkbox]", current() ?? document.createElement("p"));
    if (box) box.click();
  };
  const redrive = () => {
    const row = current();
    const own = row && find("[data-key=r]", row);
    const other = own ?? all("[data-key=r]").find((control) => !control.closest("[data-row]"));
    if (!other) return;
    // In a filtered list with nothing ticked, all that match are meant; it is ticked, so that it can be seen. Never in the list of all.
    const form = other.form;
    // Not form.id: that is its field of this name.
    if (form && form.getAttribute("id") === "pick" && !find("input[name]:checked", form)) {
      if (row && find("input[name=id]", row)) find("input[name=id]", row).checked = true;
      else if (form.hasAttribute("data-filtered")) find("#matching").checked = true;
      else return move(1);
    }
    other.click();
  };

  // The box above the others picks all of its page.
  const boxes = () => all("input[name=id]");
  const every = find("[data-all]");
  if (every) every.addEventListener("change", () => boxes().forEach((box) => (box.checked = every.checked)));

  // The palette.
  const palette = find("#palette");
  const help = find("#help");
  if (!palette) return;
  const typed = find("#palette-filter");
  let chosen = 0;
  const shown = () => all("li", palette).filter((item) => !item.hidden);
  const choose = (place) => {
    const items = shown();
    chosen = Math.min(Math.max(place, 0), items.length - 1);
    all("li", palette).forEach((item) => item.classList.toggle("chosen", item === items[chosen]));
  };
  const narrow = () => {
    const text = typed.value.trim();
    const kinds = { letter: /^[0-9a-f]{4,12}$/i.test(text), event: /^[0-9a-f-]{32,36}$/i.test(text), sku: text.length > 2 };
    for (const item of all("li", palette)) {
      const link = find("a", item);
      const kind = item.dataset.if;
      if (kind) {
        link.dataset.base ??= link.getAttribute("href");
        link.href = link.dataset.base + encodeURIComponent(text);
        find("[data-typed]", item).textContent = text;
        // An article may be called anything; an id of ours is none.
        item.hidden = !kinds[kind] || (kind === "sku" && kinds.event);
      } else {
        item.hidden = !link.textContent.toLowerCase().includes(text.toLowerCase());
      }
    }
    choose(0);
  };
  const open = (dialog) => {
    if (find("dialog[open]")) return;
    typed.value = "";
    narrow();
    dialog.showModal();
  };
  typed.addEventListener("input", narrow);
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" && shown()[chosen]) find("a", shown()[chosen]).click();
    else return;
    event.preventDefault();
  });
  all("dialog").forEach((dialog) => dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()));
  all("[data-open]").forEach((button) => button.addEventListener("click", () => open(find("#" + button.dataset.open))));

  // Colours are set as soon as they are chosen.
  const theme = find("#theme");
  theme.addEventListener("change", () => theme.form.requestSubmit());

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      return open(palette);
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || find("dialog[open]")) return;
    if (event.key === "Escape") return document.activeElement.blur();
    if (writes(event.target)) return;
    const editor = find("[data-key=e]");
    const keys = {
      "/": () => open(palette),
      "?": () => open(help),
      j: () => move(1),
      k: () => move(-1),
      x: pick,
      r: redrive,
      e: () => editor && editor.focus(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
