// Keeps the table up to date, sorts it, and sends the buttons' orders without
// loading the page again.
"use strict";

const nodes = document.getElementById("nodes");
const headings = [...document.querySelectorAll("thead th")];
const answer = document.getElementById("answer");
let column = -1; // that the table is sorted by
let sign = 1;

// key is what a row is sorted by: a number where there is one.
function key(row) {
  const cell = row.cells[column];
  return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent;
}

function sort() {
  if (column < 0) return;
  const rows = [...nodes.rows].map((row) => ({ row, key: key(row) }));
  rows.sort((a, b) => sign * (typeof a.key === "number" ? a.key - b.key : a.key.localeCompare(b.key)));
  // A row that stays where it is keeps the focus and the pressed button.
  rows.forEach(({ row }, i) => {
    if (nodes.rows[i] !== row) nodes.insertBefore(row, nodes.rows[i]);
  });
}

headings.forEach((heading, i) => {
  const button = document.createElement("button");
  button.textContent = heading.textContent;
  button.addEventListener("click", () => {
    sign = column === i ? -sign : 1;
    column = i;
    for (const h of headings) h.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    sort();
  });
  heading.replaceChildren(button);
});

// rows makes elements of what the server has sent, in which names are escaped.
function rows(html) {
  const template = document.createElement("template");
  template.innerHTML = html.join("");
  return [...template.content.children];
}

// update changes the cells that differ and leaves the others alone.
function update(row) {
  const old = document.getElementById(row.id);
  [...row.cells].forEach((cell, i) => {
    if (!old.cells[i].isEqualNode(cell)) old.cells[i].replaceWith(cell);
  });
}

function listen() {
  const live = document.getElementById("live");
  const source = new EventSource("/events");
  source.onmessage = (event) => {
    const message = JSON.parse(event.data);
    document.getElementById("summary").textContent = message.summary;
    if (message.all) nodes.replaceChildren(...rows(message.rows));
    else rows(message.rows).forEach(update);
    sort();
    live.textContent = "– live";
  };
  source.onerror = () => {
    live.textContent = "– no connection, this may be old";
    // The browser tries again, but not when it was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
  };
}
listen();

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  const body = new URLSearchParams(new FormData(event.target, button));
  const node = body.get("node");
  if (button.value === "approve" && !confirm(`Make the removals that are held for ${node}?`)) return;
  answer.textContent = `${button.value} ${node} …`;
  try {
    const response = await fetch("/order", { method: "POST", body, redirect: "manual" });
    const done = response.ok || response.type === "opaqueredirect";
    answer.textContent = `${button.value} ${node}: ${done ? "done" : await response.text()}`;
  } catch (err) {
    answer.textContent = `${button.value} ${node}: ${err.message}`;
  }
});
