// What the state looks like: the readouts and six figures.
"use strict";
const view = (() => {
  const at = id => document.getElementById(id);
  const { curve, pinned: ghost, level, text, number, extent } = plots;
  const COLOURS = ["var(--c0)", "var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)"];
  const ACCENT = "var(--accent)", SECOND = "var(--second)", DOTTED = 50;

  const TILES = [
    ["moran_threshold", "Threshold λ**"],
    ["kl", "KL, nats"],
    ["w2", "W₂"],
    ["kaplan_yorke_dimension", "Kaplan–Yorke d"],
    ["expanding_directions", "Expanding, Λ\u00a0>\u00a00"],
    ["weakest", "Weakest link L*"],
  ];
  const value = (state, key) => (key === "weakest" ? Math.min(...state.contraction_threshold) : state[key]);
  const tiles = (state, pinned) => {
    const counted = ["kaplan_yorke_dimension", "expanding_directions"];
    at("tiles").innerHTML = TILES.map(([key, name]) => {
      const of = counted.includes(key) ? ` <small>of ${state.directions}</small>` : "";
      const was = pinned ? `pinned ${number(value(pinned, key))}` : "";
      return `<div><dt>${name}</dt><dd id="tile-${key}">${number(value(state, key))}${of}</dd><dd class="was">${was}</dd></div>`;
    }).join("");
  };
  const sentence = state => `${state.parameters.steps} steps: ` +
    TILES.map(([key, name]) => `${name} ${number(value(state, key))}`).join(", ") + ".";

  const from = (first, values) => values.map((v, i) => [first + i, v]);
  // A pinned schedule with another number of steps is drawn over the same length.
  const over = (first, last, values) =>
    values.map((v, i) => [first + (values.length > 1 ? (i / (values.length - 1)) * (last - first) : 0), v]);
  const nearest = (values, wanted) => values.reduce((best, v, i) =>
    (Math.abs(Math.log(v / wanted)) < Math.abs(Math.log(values[best] / wanted)) ? i : best), 0);
  const read = (first, name, values) => x => {
    const t = Math.min(first + values.length - 1, Math.max(first, Math.round(x)));
    return `t = ${t}: ${name} = ${number(values[t - first])}`;
  };
  const span = values => `from ${number(Math.min(...values))} to ${number(Math.max(...values))}`;

  const angles = ({ state, pinned, N }) => ({
    x: { low: 0, high: N, whole: true }, y: { low: 0, high: 1.6 }, xLabel: "step t", describe: `Angles ${span(state.angles)}`,
    read: read(0, "φ", state.angles),
    content: (X, Y, box) => level(Y, box, Math.PI / 2) + ghost(X, Y, pinned && over(0, N, pinned.angles)) +
      curve(X, Y, from(0, state.angles), ACCENT, N <= DOTTED),
  });

  const contraction = ({ state: { contraction_threshold: found }, pinned, N, t }) => ({
    x: t, y: { low: 0, high: 1 }, xLabel: "step t", describe: `Contraction thresholds ${span(found)}`,
    read: read(1, "L*", found),
    content: (X, Y) => ghost(X, Y, pinned && over(1, N, pinned.contraction_threshold)) +
      curve(X, Y, from(1, found), ACCENT, N <= DOTTED),
  });

  const expansion = ({ state, N, t }) => {
    const factors = state.expansion.log.map(logs => logs.map(Math.exp)), sorted = factors.flat().sort((a, b) => a - b);
    const usual = sorted.slice(Math.floor(0.03 * sorted.length)); // a tiny variance's first steps would flatten the rest
    const keys = state.expansion.lam.map((v, i) => `<b style="color: ${COLOURS[i]}">${number(v)}</b>`);
    at("caption-expansion").innerHTML = `λ = ${keys.join(", ")}. Above 1 the direction is stretched.`;
    return {
      x: t, y: extent(usual, [1]), xLabel: "step t", describe: `Expansion for five variances, ${span(sorted)}`,
      read: x => {
        const step = Math.min(N, Math.max(1, Math.round(x)));
        return `t = ${step}: ${factors.map(values => number(Number(values[step - 1].toPrecision(3)))).join(", ")}`;
      },
      content: (X, Y, box) => level(Y, box, 1) +
        factors.map((values, i) => curve(X, Y, from(1, values), COLOURS[i], N <= 20)).join(""),
    };
  };

  const map = ({ state, N, lam }) => {
    const columns = Math.min(N, 240), rows = 96, chain = forms.chain(state.angles);
    const height = row => Math.exp(Math.log(lam.high) + ((row + 0.5) / rows) * Math.log(lam.low / lam.high));
    const logs = Array.from({ length: rows }, (_, row) => forms.logExpansion(chain, height(row)));
    const sizes = Float64Array.from(logs.flatMap(line => [...line]).map(Math.abs).filter(Number.isFinite)).sort();
    const full = sizes[Math.floor(0.9 * (sizes.length - 1))] || 1;
    const shade = (column, row) => {
      const log = logs[row][Math.floor(((column + 0.5) / columns) * N)];
      return Math.sign(log) * Math.sqrt(Math.min(1, Math.abs(log) / full)); // the root shows weak expansion, too
    };
    return {
      x: { low: 0.5, high: N + 0.5, whole: true }, y: lam, xLabel: "step t",
      describe: `Step thresholds ${span(state.step_threshold)}`,
      read: (x, y) => {
        const step = Math.min(N, Math.max(1, Math.round(x))), log = forms.logExpansion(chain, y)[step - 1];
        return `t = ${step}, λ = ${number(Number(y.toPrecision(2)))}: f = ${number(Math.exp(log))}`;
      },
      content: (X, Y, box) => plots.raster(box, columns, rows, shade) +
        curve(X, Y, from(1, state.step_threshold), "var(--ink)", N <= DOTTED),
    };
  };

  // The curve rises: there is room above it on the left, below it on the right.
  const mark = (x, y, box, words) => {
    const above = x > box.left + 90;
    return text(above ? x - 6 : x + 8, above ? y - 9 : y + 18, words, { anchor: above ? "end" : "start", colour: SECOND });
  };
  const exponent = ({ state, pinned, spectrum, lam }) => {
    const points = ({ exponent: { lam: variances, value: found } }) => variances.map((v, i) => [v, found[i]]);
    const root = state.moran_threshold, words = `λ** = ${number(root)}`;
    const ticks = (X, box) => [...new Set(spectrum.lam.filter(v => v > 0).map(v => X(v).toFixed(1)))].map(x =>
      `<path class="tick" d="M${x} ${box.top + box.height - 9}v9"/>`).join("");
    return {
      x: lam, y: extent(state.exponent.value.concat(pinned ? pinned.exponent.value : []), [0]), xLabel: "variance λ",
      describe: `Lyapunov exponent, zero at ${words}`,
      read: x => {
        const i = nearest(state.exponent.lam, x);
        return `λ = ${number(Number(state.exponent.lam[i].toPrecision(2)))}: Λ = ${number(state.exponent.value[i])}`;
      },
      content: (X, Y, box) => ticks(X, box) + level(Y, box, 0) + ghost(X, Y, pinned && points(pinned)) +
        curve(X, Y, points(state), ACCENT) + (root > lam.low && root < lam.high
        ? curve(X, Y, [[root, 0]], SECOND, true) + mark(X(root), Y(0), box, words)
        : mark(box.left, box.top - 4, box, words)),
    };
  };

  const error = ({ state, spectrum: { lam: variances, multiplicities }, lam }) => {
    const shares = (errors, total) => {
      if (!(total > 0 && total < Infinity)) return [];
      const points = [[Math.max(lam.high, variances[0]), 0]];
      let sum = 0;
      variances.forEach((v, i) => {
        if (v > 0) points.push([v, sum / total]);
        sum += multiplicities[i] && multiplicities[i] * errors[i];
        if (v > 0) points.push([v, sum / total]);
      });
      return [...points, [Math.min(lam.low, points.at(-1)[0]), points.at(-1)[1]]];
    };
    const kl = shares(state.spectrum_kl, state.kl), w2 = shares(state.spectrum_w2, state.w2 ** 2);
    return {
      x: lam, y: { low: 0, high: 1 }, xLabel: "variance λ",
      describe: "Cumulative shares of KL and of W2 squared, from the largest variance down",
      read: x => {
        const percent = points => number(Number((100 * (points.findLast(([v]) => v >= x)?.[1] ?? 0)).toPrecision(3)));
        return `λ ≥ ${number(Number(x.toPrecision(2)))}: ${percent(kl)} %, ${percent(w2)} %`;
      },
      content: (X, Y) => curve(X, Y, kl, ACCENT) + curve(X, Y, w2, SECOND),
    };
  };

  const FIGURES = {
    angles: [angles, "Angle φ<sub>t</sub>", "σ = tan φ, signal cos φ, noise sin φ. All noise at π/2 ≈ 1.571."],
    contraction: [contraction, "Contraction threshold L*<sub>t</sub>",
      "A step contracts where the noise Jacobian's eigenvalues exceed it."],
    expansion: [expansion, "Expansion f<sub>t</sub>(λ)", ""],
    map: [map, "Who expands when",
      "Variance λ upwards. Orange: f<sub>t</sub>(λ) > 1; blue: below 1; the line: λ*<sub>t</sub>, where it is 1."],
    exponent: [exponent, "Lyapunov exponent Λ(λ) of the chain",
      "Positive beyond λ**. The marks below are the spectrum's variances."],
    error: [error, "Where the error sits",
      'Share of <b class="kl">KL</b> and of <b class="w2">W₂²</b> in the directions of variance λ and more.'],
  };
  const build = () => {
    at("plots").innerHTML = Object.entries(FIGURES).map(([id, [, title, caption]]) =>
      `<figure class="card"><h2>${title}</h2>` +
      `<div class="draw" id="draw-${id}"></div><figcaption id="caption-${id}">${caption}</figcaption></figure>`).join("");
  };
  const show = (state, pinned, spectrum) => {
    if (!at("plots").children.length) build();
    const { steps: N, lambda_low: low, lambda_high: high } = state.parameters;
    const t = { low: N > 1 ? 1 : 0.5, high: Math.max(N, 1.5), whole: true }, lam = { low, high, log: true };
    tiles(state, pinned);
    for (const [id, [draw]] of Object.entries(FIGURES)) {
      plots.draw(at(`draw-${id}`), draw({ state, pinned, spectrum, N, t, lam }));
    }
  };
  return { show, sentence };
})();
