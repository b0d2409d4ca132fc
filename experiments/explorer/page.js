// The page: controls, the state computed from them by the closed forms, and its figures, tables and exports.
"use strict";
window.explorer = (() => {
  const at = id => document.getElementById(id), { number } = plots;
  const spectrum = JSON.parse(at("spectrum").textContent), TRAINING = 1000;
  const directions = spectrum.multiplicities.reduce((sum, n) => sum + n, 0);

  const decades = (low, high) => [...Array(high - low).keys()].flatMap(k =>
    [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8].map(lead => Number(`${lead}e${k + low}`))).concat(Number(`1e${high}`));
  const even = (low, high, parts) => Array.from({ length: high - low + 1 }, (_, i) => (low + i) / parts);
  const steps = [...even(1, 50, 1), 60, 75, 100, 150, 200, 250, 300, 400, 500, 600, 750, 1000];
  const seen = spectrum.lam.filter(lam => lam > 0).concat(0.5, 2).map(Math.log10);
  const lowest = Math.floor(Math.min(...seen)), highest = Math.ceil(Math.max(...seen)); // 1 is inside
  const widest = [Math.min(-6, lowest), Math.max(6, highest)];
  const between = (low, high) => even(low, high, 1).map(k => Number(`1e${k}`));
  const SIGMAS = ["karras", "log_linear"];
  const SLIDERS = {
    steps: { label: "Steps N", values: steps, value: 20 },
    shift: { label: "logSNR shift", values: even(-60, 60, 10), value: 0 },
    offset: { label: "Cosine offset", values: even(0, 100, 1000), value: 0.008, only: ["cosine"] },
    stop: { label: "Last angle φ_T, in π/2", values: even(100, 200, 200), value: 1, only: ["uniform_angle"] },
    rho: { label: "Exponent ρ", values: even(2, 30, 2), value: 7, only: ["karras"] },
    sigma_min: { label: "σ at the clean end", values: decades(-4, 0).slice(0, -2), value: 0.002, only: SIGMAS },
    sigma_max: { label: "σ at the noisy end", values: decades(0, 3), value: 80, only: SIGMAS },
    flow_shift: { label: "Time shift", values: decades(-1, 1).concat(12, 15, 20), value: 3, only: ["flow"] },
    lambda_low: { label: "from", values: between(widest[0], -1), value: between(lowest, lowest)[0], host: "range" },
    lambda_high: { label: "to", values: between(1, widest[1]), value: between(highest, highest)[0], host: "range" },
  };
  const FAMILIES = {
    linear: "linear (DDPM)", scaled_linear: "scaled linear (Stable Diffusion)", cosine: "cosine with offset",
    uniform_angle: "uniform angle", karras: "Karras", log_linear: "log-linear", flow: "flow matching",
  };

  const build = () => {
    at("spectrum-name").textContent = spectrum.name;
    at("family").innerHTML = Object.entries(FAMILIES).map(([key, name]) =>
      `<option value="${key}"${key === "cosine" ? " selected" : ""}>${name}</option>`).join("");
    const row = (only, content) => `<div class="row" data-only="${(only ?? Object.keys(FAMILIES)).join(" ")}">${content}</div>`;
    for (const [id, { label: name, values, value, only, host }] of Object.entries(SLIDERS)) {
      at(host ?? "sliders").insertAdjacentHTML("beforeend", row(only, `<label for="${id}">${name}</label>` +
        `<output for="${id}" aria-live="off"></output>` +
        `<input type="range" id="${id}" min="0" max="${values.length - 1}" value="${values.indexOf(value)}">`));
    }
    at("sliders").insertAdjacentHTML("beforeend",
      row(["cosine"], '<label><input type="checkbox" id="clip" checked>Clip β at 0.999</label>'));
  };
  const parameters = () => ({
    family: at("family").value, taken: at("taken").value, start: at("start").value, clip: at("clip").checked,
    ...Object.fromEntries(Object.entries(SLIDERS).map(([id, { values }]) => [id, values[Number(at(id).value)]])),
  });
  const label = chosen => {
    for (const row of document.querySelectorAll("[data-only]")) {
      row.hidden = !row.dataset.only.split(" ").includes(chosen.family);
    }
    for (const id of Object.keys(SLIDERS)) {
      at(id).setAttribute("aria-valuetext", chosen[id]);
      document.querySelector(`output[for=${id}]`).textContent = number(chosen[id]);
    }
  };

  // The same schedule in Python.
  const python = p => {
    const T = p.taken === "direct" ? p.steps : TRAINING, named = names => names.map(name => `${name}=${p[name]}`);
    const own = {
      cosine: [...named(["offset"]), ...(p.clip ? [] : ["max_beta=None"])], uniform_angle: [`stop=${p.stop} * np.pi / 2`],
      karras: named(["sigma_min", "sigma_max", "rho"]), log_linear: named(["sigma_min", "sigma_max"]),
      flow: [`shift=${p.flow_shift}`],
    };
    const given = [T, ...(own[p.family] ?? [])].join(", ");
    return `schedules.${p.family}(${given})` + (p.shift ? `.shift(${p.shift})` : "") +
      (T === p.steps ? "" : `.subsample([(2 * i * ${T} + ${p.steps}) // ${2 * p.steps} for i in range(${p.steps + 1})])`);
  };

  const compute = p => {
    const T = p.taken === "direct" ? p.steps : TRAINING, scale = Math.exp(-p.shift / 2);
    let angles = forms.families[p.family](T, p);
    if (p.shift) {
      const { cos, sin } = forms.chain(angles);
      angles = angles.map((_, t) => Math.atan2(sin[t] * scale, cos[t]));
    }
    if (T !== p.steps) { // the nearest training steps, halves upwards
      angles = Array.from({ length: p.steps + 1 }, (_, i) => angles[Math.floor((2 * i * T + p.steps) / (2 * p.steps))]);
    }
    const chain = forms.chain(angles), low = Math.log(p.lambda_low), high = Math.log(p.lambda_high);
    const spread = n => Array.from({ length: n }, (_, i) => Math.exp(low + (i / (n - 1)) * (high - low)));
    const exponents = spectrum.lam.map(lam => forms.lyapunovExponent(chain, lam)), lams = spread(5), grid = spread(121);
    const errors = spectrum.lam.map(lam => forms.directionError(chain, lam, p.start));
    const sum = count => forms.total(spectrum.multiplicities.map(count));
    return {
      parameters: p, python: python(p), spectrum: spectrum.name, directions, angles, sigma: forms.sigma(chain),
      contraction_threshold: forms.contractionThreshold(chain), step_threshold: forms.stepThreshold(chain),
      step_threshold_excess: forms.stepThresholdExcess(chain), moran_threshold: forms.moranThreshold(chain),
      expansion: { lam: lams, log: lams.map(lam => [...forms.logExpansion(chain, lam)]) },
      exponent: { lam: grid, value: grid.map(lam => forms.lyapunovExponent(chain, lam)) },
      spectrum_exponents: exponents, spectrum_kl: errors.map(error => error.kl), spectrum_w2: errors.map(error => error.w2),
      kl: sum((n, i) => n && n * errors[i].kl), w2: Math.sqrt(sum((n, i) => n && n * errors[i].w2)),
      kaplan_yorke_dimension: forms.kaplanYorke(exponents, spectrum.multiplicities),
      expanding_directions: sum((n, i) => (exponents[i] > 0 ? n : 0)),
    };
  };

  let state = null, pinned = null, pending = 0, speaking = 0;
  const refresh = () => {
    const chosen = parameters();
    label(chosen);
    state = compute(chosen);
    view.show(state, pinned, spectrum);
    exports.show(state);
    clearTimeout(speaking);
    speaking = setTimeout(() => { at("spoken").textContent = view.sentence(state); }, 700);
  };
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; refresh(); }); };
  const pin = wanted => {
    pinned = wanted ? state : null;
    at("pin").setAttribute("aria-pressed", String(Boolean(wanted)));
    at("pin").textContent = wanted ? "Unpin" : "Pin to compare";
  };

  build();
  const form = document.querySelector("form");
  form.addEventListener("input", soon);
  form.addEventListener("reset", () => { pin(false); setTimeout(soon); });
  form.addEventListener("submit", event => event.preventDefault());
  at("pin").addEventListener("click", () => { pin(!pinned); soon(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
  new ResizeObserver(soon).observe(at("plots"));
  refresh();
  exports.listen(() => state);
  return { state: () => state, sliders: SLIDERS };
})();
