// The table of a grid: pages of 25 rows, sorted by the header's buttons, saved as CSV or JSON with all digits.
"use strict";
for (const box of document.querySelectorAll(".table")) {
  const SIZE = 25;
  const data = JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const table = box.querySelector("table"), where = box.querySelector(".where"), pages = box.querySelector(".pages");
  let order = [...data.rows.keys()], column = -1, descending = false, page = 0;
  const count = Math.max(1, Math.ceil(data.rows.length / SIZE));
  const make = (parent, tag, text) => {
    const made = parent.appendChild(document.createElement(tag));
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const six = value => {
    if (typeof value !== "number" || (Number.isInteger(value) && Math.abs(value) < 1e15)) return String(value);
    return String(Number(value.toPrecision(6)));
  };

  const head = make(make(table, "thead"), "tr"), body = make(table, "tbody");
  const heads = data.columns.map((name, i) => {
    const cell = make(head, "th");
    cell.scope = "col";
    if (data.numeric[i]) cell.className = "n";
    const button = make(cell, "button", name);
    button.type = "button";
    button.addEventListener("click", () => sort(i));
    return cell;
  });
  const show = () => {
    body.replaceChildren();
    const shown = order.slice(page * SIZE, (page + 1) * SIZE);
    for (const index of shown) {
      const row = make(body, "tr");
      data.rows[index].forEach((value, i) => {
        const cell = make(row, "td", six(value));
        if (data.numeric[i]) cell.className = "n";
        if (typeof value === "number" && Number(value.toPrecision(6)) !== value) cell.title = String(value);
      });
    }
    const first = page * SIZE + 1;
    const by = column < 0 ? "" : `, by ${data.columns[column]} ${descending ? "downwards" : "upwards"}`;
    where.textContent = `Rows ${first} to ${first + shown.length - 1} of ${data.rows.length}${by}`;
    pages.hidden = count === 1;
    for (const button of pages.querySelectorAll("button")) {
      // not `disabled`, which would take the focus away from who goes by keyboard
      const back = button.dataset.to === "first" || button.dataset.to === "previous";
      button.setAttribute("aria-disabled", String(back ? page === 0 : page === count - 1));
    }
  };
  // upwards, downwards, then as the runs come
  const sort = i => {
    [column, descending] = column !== i ? [i, false] : descending ? [-1, false] : [i, true];
    const sign = descending ? -1 : 1;
    const value = data.numeric[i] ? index => Number(data.rows[index][i]) : index => String(data.rows[index][i]);
    order = [...data.rows.keys()];
    if (column >= 0) order.sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : a - b));
    heads.forEach((cell, k) => {
      if (k === column) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    page = 0;
    show();
  };
  pages.addEventListener("click", event => {
    const to = event.target.dataset.to;
    if (!to) return;
    page = { first: 0, previous: Math.max(0, page - 1), next: Math.min(count - 1, page + 1), last: count - 1 }[to];
    show();
  });

  const field = value => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const written = {
    csv: () => [data.columns, ...order.map(i => data.rows[i])].map(row => row.map(field).join(",") + "\n").join(""),
    json: () => {
      const { columns, numeric, rows, ...about } = data;
      const named = order.map(i => Object.fromEntries(columns.map((name, k) => [name, rows[i][k]])));
      return JSON.stringify({ ...about, rows: named }, null, 1) + "\n";
    },
  };
  for (const button of box.querySelectorAll("[data-save]")) {
    button.addEventListener("click", () => {
      const form = button.dataset.save, link = document.createElement("a");
      const type = form === "csv" ? "text/csv" : "application/json";
      link.href = URL.createObjectURL(new Blob([written[form]()], { type }));
      link.download = `${data.study}-${data.grid}.${form}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }
  show();
}
