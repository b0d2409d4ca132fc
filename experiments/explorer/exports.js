// What can be taken away: the list of sigma, the line of Python, the table of every step as CSV, the state as JSON.
"use strict";
const exports = (() => {
  const at = id => document.getElementById(id);
  const plain = n => (n === Infinity ? "inf" : n === -Infinity ? "-inf" : String(n));
  const rows = state => state.angles.map((phi, t) => [t, phi, state.sigma[t], ...(t === 0 ? [] : [
    state.contraction_threshold, state.step_threshold, state.step_threshold_excess, ...state.expansion.log,
  ].map(values => values[t - 1]))]);
  const csv = state => {
    const head = ["t", "phi", "sigma", "contraction_threshold", "step_threshold", "step_threshold_excess"];
    const wide = head.concat(state.expansion.lam.map(v => `log_f(${v})`));
    const lines = rows(state).map(row => wide.map((_, i) => (i < row.length ? plain(row[i]) : "")));
    return [wide, ...lines].map(line => line.join(",") + "\n").join("");
  };

  const fill = state => {
    const six = n => (Number.isInteger(n) ? String(n) : plain(Number(n.toPrecision(6))));
    const head = ["t", "φ<sub>t</sub>", "σ<sub>t</sub>", "L*<sub>t</sub>", "λ*<sub>t</sub>", "λ*<sub>t</sub> − 1"];
    const wide = head.concat(state.expansion.lam.map(v => `ln f<sub>t</sub>(${six(v)})`));
    const cells = row => wide.slice(1).map((_, i) => `<td>${i + 1 < row.length ? six(row[i + 1]) : ""}</td>`).join("");
    document.querySelector("#numbers thead").innerHTML = `<tr>${wide.map(name => `<th scope="col">${name}</th>`).join("")}</tr>`;
    document.querySelector("#numbers tbody").innerHTML =
      rows(state).map(row => `<tr><th scope="row">${row[0]}</th>${cells(row)}</tr>`).join("");
  };
  const show = state => {
    at("sigmas").value = [...state.sigma].reverse().map(plain).join(", ");
    at("python").textContent = state.python;
    const warnings = [
      state.sigma.at(-1) === Infinity ? "φ_T = π/2: the first σ is infinite; a sampler that takes σ cannot start there." : "",
      state.kl === Infinity ? "A step turns by a right angle and loses the data: KL is infinite." : "",
    ].filter(Boolean);
    at("warning").textContent = warnings.join(" ");
    at("warning").hidden = !warnings.length;
    if (at("numbers").open) fill(state);
  };

  const save = (name, type, content) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const copy = (words, what) => navigator.clipboard.writeText(words).then(
    () => { at("copied").textContent = `Copied ${what}.`; },
    () => { at("copied").textContent = "The browser refused: select the text and copy it."; });
  const listen = current => {
    at("copy-sigmas").addEventListener("click", () => copy(at("sigmas").value, "the list of σ"));
    at("copy-python").addEventListener("click", () => copy(current().python, "the line of Python"));
    at("csv").addEventListener("click", () => save("schedule.csv", "text/csv", csv(current())));
    at("json").addEventListener("click", () =>
      save("schedule.json", "application/json", JSON.stringify(current(), null, 1))); // null stands for infinity
    at("numbers").addEventListener("toggle", () => { if (at("numbers").open) fill(current()); });
  };
  return { show, listen };
})();
