// Keeps the page up to date, and sends the buttons' orders without loading it
// again. What it does not do, the server does: see the links of the headings.
"use strict";

const nodes = document.getElementById("nodes");
const detail = document.getElementById("detail");
const answer = document.getElementById("answer");
const sorted = document.querySelector("th[aria-sort]"); // none on the page of a node

// key is what a row is sorted by: a number where there is one.
function key(row) {
  const cell = row.cells[sorted.cellIndex];
  return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.toLowerCase();
}

// sort keeps the rows in the order that the server has given them. Under the
// pointer and the focus nothing moves, lest a button is not the one that was
// aimed at.
function sort() {
  if (!sorted || nodes.matches(":hover") || nodes.contains(document.activeElement)) return;
  const sign = sorted.getAttribute("aria-sort") === "descending" ? -1 : 1;
  const number = (row) => Number(row.id.slice(1));
  const rows = [...nodes.rows].map((row) => ({ row, key: key(row) }));
  rows.sort((a, b) => sign * ((a.key > b.key) - (a.key < b.key)) || number(a.row) - number(b.row));
  rows.forEach(({ row }, i) => {
    if (nodes.rows[i] !== row) nodes.insertBefore(row, nodes.rows[i]);
  });
}
nodes.addEventListener("pointerleave", sort);

// rows makes elements of what the server has sent, in which names are escaped.
function rows(html) {
  const template = document.createElement("template");
  template.innerHTML = html.join("");
  return [...template.content.children];
}

// update changes the cells that differ and leaves the others alone: they keep
// the focus and the pressed button.
function update(row) {
  const old = document.getElementById(row.id);
  old.className = row.className;
  [...row.cells].forEach((cell, i) => {
    if (!old.cells[i].isEqualNode(cell)) old.cells[i].replaceWith(cell);
  });
}

let source; // of what changes

function listen() {
  source?.close();
  if (document.hidden) return;
  const live = document.getElementById("live");
  source = new EventSource("/events" + (detail ? location.search : ""));
  source.onmessage = (event) => {
    const message = JSON.parse(event.data);
    const summary = document.getElementById("summary");
    if (summary) {
      summary.textContent = message.summary;
      summary.className = message.well ? "well" : "ill";
    }
    if (message.all) nodes.replaceChildren(...rows(message.rows));
    else rows(message.rows).forEach(update);
    if (detail && message.detail) detail.innerHTML = message.detail;
    sort();
    live.textContent = "This page is live.";
  };
  source.onerror = () => {
    live.textContent = "No connection: this may be old.";
    // The browser tries again, but not when it was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
  };
}
listen();
// A browser has six connections to a server: pages that nobody sees keep none.
document.addEventListener("visibilitychange", listen);

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  const body = new URLSearchParams(new FormData(event.target, button));
  const node = body.get("node");
  if (button.value === "approve" && !confirm(`Make the removals that are held for ${node}?`)) return;
  answer.textContent = `${button.value} ${node} …`;
  try {
    // Of the origin: the address of the page can have a password, which fetch refuses.
    const response = await fetch(location.origin + "/order", { method: "POST", body, redirect: "manual" });
    const done = response.ok || response.type === "opaqueredirect";
    answer.textContent = `${button.value} ${node}: ${done ? "done" : await response.text()}`;
  } catch (err) {
    answer.textContent = `${button.value} ${node}: ${err.message}`;
  }
});
