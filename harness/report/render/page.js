// Tables of a report: sorted by a column, filtered by words, with details of the leaderboard's
// entries. Without it the page is whole: tables as they were written, details as titles.
"use strict";

const FILTERED_FROM = 9; // rows: shorter tables are read at a glance
const SIZES = { K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

// The number that a cell begins with, as 66.1 of "66.1 [64.0, 68.2] (1-3)", 0.001 of "< 0.001",
// 57.3e6 of "57.3 M"; null for "–", "missing (2 of 5 seeds done)" and other words.
function numberOf(text) {
  const found = /^(?:[<>≈]|over)?\s*([+\-−]?[\d,]*\.?\d+(?:e[+-]?\d+)?)(?:\s([KMGT])\b)?/i.exec(text);
  if (!found) return null;
  const value = Number(found[1].replaceAll(",", "").replace("−", "-")) * (SIZES[found[2]] ?? 1);
  return text.startsWith("<") ? value * (1 - 1e-9) : value; // "< 0.001" is below "0.001"
}

function textOf(cell) {
  return cell.textContent.trim();
}

// Cells without a number come last, whichever way the others are sorted; equal ones keep their order.
function sorted(rows, column, isNumber, sign) {
  const key = (row) => {
    const text = textOf(row.cells[column]);
    return isNumber ? numberOf(text) : text || null;
  };
  const order = (a, b) =>
    isNumber ? a - b : a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
  return rows
    .map((row) => [key(row), row])
    .sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * order(a, b);
    })
    .map(([, row]) => row);
}

// A button in every title: numbers from the largest, words from A; then the other way; then as written.
function makeSortable(table) {
  const body = table.tBodies[0];
  const written = [...body.rows];
  const titles = [...table.tHead.rows[0].cells];
  titles.forEach((title, column) => {
    const isNumber = title.style.textAlign === "right";
    const steps = isNumber ? ["descending", "ascending"] : ["ascending", "descending"];
    const button = document.createElement("button");
    button.type = "button";
    button.append(...title.childNodes);
    if (!button.textContent.trim()) button.setAttribute("aria-label", `column ${column + 1}`);
    title.append(button);
    title.scope = "col";
    title.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = steps[steps.indexOf(title.getAttribute("aria-sort")) + 1] ?? "none";
      titles.forEach((other) => other.setAttribute("aria-sort", "none"));
      title.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      body.append(...(next === "none" ? written : sorted(written, column, isNumber, sign)));
    });
  });
}

// Rows that have every word stay.
function makeFilterable(table, box) {
  const rows = [...table.tBodies[0].rows];
  const line = document.createElement("p");
  line.className = "filter";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Filter rows";
  input.setAttribute("aria-label", "Filter rows of the table below");
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  line.append(input, " ", count);
  box.before(line);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = [...row.cells].map(textOf).join(" ").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
}

// Titles become a box that the mouse, the keyboard and a finger can open. One cell of a table is in
// the order of Tab; arrow keys go on from there.
function makeDetailed(table) {
  const cells = () => [...table.querySelectorAll("td[data-detail]")];
  const box = document.createElement("div");
  box.className = "detail";
  box.role = "tooltip";
  box.id = `detail-${document.querySelectorAll(".detail").length}`;
  box.hidden = true;
  document.body.append(box);
  const hide = () => {
    box.hidden = true;
  };
  const show = (cell) => {
    box.textContent = cell.dataset.detail;
    box.hidden = false;
    const place = cell.getBoundingClientRect();
    const right = document.documentElement.clientWidth - box.offsetWidth - 8;
    box.style.left = `${window.scrollX + Math.max(8, Math.min(place.left, right))}px`;
    box.style.top = `${window.scrollY + place.bottom + 4}px`;
  };
  for (const cell of table.querySelectorAll("td[title]")) {
    cell.dataset.detail = cell.title;
    cell.removeAttribute("title");
    cell.tabIndex = -1;
    cell.setAttribute("aria-describedby", box.id);
    cell.addEventListener("mouseenter", () => show(cell));
    cell.addEventListener("mouseleave", hide);
    cell.addEventListener("focus", () => show(cell));
    cell.addEventListener("blur", hide);
  }
  cells()[0].tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell) return;
    if (event.key === "Escape") hide();
    const shown = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const [down, across] =
      { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    const next = shown[shown.indexOf(cell.parentNode) + down]?.cells[cell.cellIndex + across];
    if (!next?.dataset.detail) return;
    event.preventDefault();
    cells().forEach((other) => (other.tabIndex = -1));
    next.tabIndex = 0;
    next.focus();
  });
}

for (const box of document.querySelectorAll(".table")) {
  const table = box.querySelector("table");
  if (!table.tBodies.length) continue;
  if (table.tBodies[0].rows.length > 1) makeSortable(table);
  if (table.tBodies[0].rows.length >= FILTERED_FROM) makeFilterable(table, box);
  if (table.querySelector("td[title]")) makeDetailed(table);
}
