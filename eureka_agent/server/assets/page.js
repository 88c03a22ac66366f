// Live updates and autosave. The pages work without this script; text goes in as text only.
"use strict";

const EVERY_MS = 2000;
const SAVE_AFTER_MS = 800;

// ------------------------------------------------------------------ what happens meanwhile
function show(selector, change) {
  document.querySelectorAll(selector).forEach(change);
}

function showState(state) {
  show("[data-live-line]", (line) => { line.textContent = state.line || "No process works on this run."; });
  show("[data-live-share]", (bar) => {
    bar.hidden = state.share === null;
    bar.value = state.share ?? 0;
  });
  show("[data-live-table]", (table) => { table.hidden = state.members.length === 0; });
  show("[data-live-members]", (body) => {
    body.replaceChildren(...state.members.map(([name, phase, fitness]) => {
      const row = document.createElement("tr");
      const cells = [["th", name], ["td", phase], ["td", fitness]].map(([tag, text]) => {
        const cell = document.createElement(tag);
        cell.textContent = text;
        return cell;
      });
      cells[0].scope = "row";
      cells[2].className = "number";
      row.append(...cells);
      return row;
    }));
  });
}

function news(text) {
  show("[data-live-news]", (note) => {
    note.hidden = text === "";
    if (note.textContent !== text) { note.textContent = text; }
  });
}

async function follow(live) {
  const form = document.getElementById("answer");
  for (;;) {
    await new Promise((resume) => { setTimeout(resume, EVERY_MS); });
    if (document.hidden) { continue; }
    try {
      const answer = await fetch(live.dataset.live);
      if (answer.status === 403) {
        news("The program was started again: open the address that its terminal shows now.");
        continue;
      }
      const state = await answer.json();
      news("");
      showState(state);
      if (state.page !== live.dataset.page) {
        if (!form) { location.reload(); return; }
        news("The search no longer waits for this answer. Load this page again to see what it does.");
      }
    } catch {
      news("The program has ended or cannot be reached. Its results stay: eureka-agent serve shows them.");
    }
  }
}

// ------------------------------------------------------------------ autosave
function autosave(form) {
  const saved = form.querySelector("[data-saved]");
  const address = form.getAttribute("action"); // `form.action` is the buttons of that name
  let waiting = null;

  async function save(keepalive) {
    clearTimeout(waiting);
    waiting = null;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("action", "autosave");
    try {
      const answer = await fetch(address, { method: "POST", body: fields, keepalive });
      if (!answer.ok) { throw new Error(String(answer.status)); }
      const { saved: when } = await answer.json();
      saved.textContent = `Saved ${when.slice(11, 19)}.`;
    } catch {
      saved.textContent = "Not saved: the program cannot be reached, or a text is too long.";
    }
  }

  function later() {
    saved.textContent = "Saving…";
    clearTimeout(waiting);
    waiting = setTimeout(save, SAVE_AFTER_MS, false);
  }

  form.addEventListener("input", later);
  form.addEventListener("submit", () => { clearTimeout(waiting); waiting = null; });
  addEventListener("pagehide", () => { if (waiting !== null) { save(true); } });
}

const live = document.querySelector("[data-live]");
if (live) { follow(live); }
const answer = document.getElementById("answer");
if (answer) { autosave(answer); }
show("[data-reload]", (list) => {
  setInterval(() => { if (!document.hidden) { location.reload(); } }, 1000 * Number(list.dataset.reload));
});
