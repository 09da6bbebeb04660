"use strict";

const table = document.querySelector(".overview");
const rows = [...table.tBodies[0].rows].map((row) => ({
  row,
  card: document.getElementById(row.dataset.anchor).closest("article"),
}));

// --- Sorting ---

const valueOf = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;

function compare(one, other, numeric) {
  if (!numeric) return one.localeCompare(other);
  return Number(one) - Number(other);
}

function sortBy(header, direction) {
  const column = header.cellIndex;
  const numeric = header.classList.contains("number");
  const sign = direction === "ascending" ? 1 : -1;
  const known = rows.filter(({ row }) => valueOf(row, column) !== "");
  const unknown = rows.filter(({ row }) => valueOf(row, column) === "");
  known.sort(
    (one, other) => sign * compare(valueOf(one.row, column), valueOf(other.row, column), numeric),
  );
  table.tBodies[0].append(...[...known, ...unknown].map(({ row }) => row));
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);
}

for (const header of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => {
    const ascending = header.getAttribute("aria-sort") === "ascending";
    sortBy(header, ascending ? "descending" : "ascending");
  });
  header.append(button);
}

// --- Search and kind ---

const controls = document.querySelector(".controls");
const search = controls.querySelector("input");
const kind = controls.querySelector("select");

function filter() {
  const words = search.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const { row, card } of rows) {
    const fits =
      (!kind.value || row.dataset.kind === kind.value) &&
      words.every((word) => row.dataset.search.includes(word));
    row.hidden = card.hidden = !fits;
    shown += fits;
  }
  controls.querySelector(".shown").textContent = `${shown} of ${rows.length} shown`;
}

search.addEventListener("input", filter);
kind.addEventListener("change", filter);

// --- Moving pictures ---

const hold = controls.querySelector(".hold");
const films = document.querySelectorAll("picture source");

function holdStill(still) {
  hold.setAttribute("aria-pressed", still);
  for (const source of films) source.media = still ? "all" : "not all";
}

hold.hidden = films.length === 0;
hold.addEventListener("click", () => holdStill(hold.getAttribute("aria-pressed") === "false"));
holdStill(matchMedia("(prefers-reduced-motion: reduce)").matches);

// --- Copying ---

for (const load of document.querySelectorAll(".load")) {
  const code = load.querySelector("code");
  const button = load.querySelector("button");
  const told = load.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      told.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      told.textContent = "Selected; copy it with the keyboard";
    }
    setTimeout(() => (told.textContent = ""), 4000);
  });
}

// --- What is wider than the window is scrolled by keyboard too ---

const reachable = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  }
});
for (const scrolled of document.querySelectorAll(".scroll")) reachable.observe(scrolled);

controls.hidden = false;
filter();
