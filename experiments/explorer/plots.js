// Small figures in SVG, drawn at the width they have; colours are the page's variables, so that light and dark
// need no second drawing. An axis is {low, high, log, whole}; a curve is a list of [x, y] in the axes' units.
"use strict";
const plots = (() => {
  const MARGIN = { left: 52, right: 12, top: 10, bottom: 34 }, HEIGHT = 236;
  const escape = text => String(text).replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);
  const superscript = n => String(n).replace(/[-0-9]/g, c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[c === "-" ? 0 : 1 + Number(c)]);
  const minus = text => text.replace("-", "−");
  // Five digits, for people; powers of ten beyond 1e5 and 1e-3.
  const number = n => {
    const size = Math.abs(n), sign = n < 0 ? "−" : "";
    if (size === Infinity) return `${sign}∞`;
    if (size === 0 || (size < 1e5 && size >= 1e-3)) return sign + Number(size.toPrecision(5));
    const [lead, power] = size.toExponential(3).split("e"), tens = `10${superscript(Number(power))}`;
    return sign + (Number(lead) === 1 ? tens : `${Number(lead)}×${tens}`);
  };

  const niceStep = (span, count) => {
    const raw = span / count, power = 10 ** Math.floor(Math.log10(raw)), lead = raw / power;
    return (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1) * power;
  };
  const ticks = ({ low, high, log, whole }, count) => {
    if (log) {
      const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
      const every = Math.max(1, Math.ceil((to - from + 1) / count));
      const powers = [];
      for (let k = Math.ceil(from / every) * every; k <= to; k += every) powers.push(k);
      return powers.map(k => [10 ** k, k >= -2 && k <= 3 ? String(10 ** k) : `10${superscript(k)}`]);
    }
    const step = Math.max(niceStep(high - low, count), whole ? 1 : 0), digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k <= high / step + 1e-9; k++) {
      found.push([k * step, minus((k * step || 0).toFixed(digits))]);
    }
    return found;
  };
  // [low, high] of the values, a little wider; never empty.
  const extent = (values, include = []) => {
    const kept = [...values, ...include].filter(Number.isFinite);
    const low = Math.min(...kept), high = Math.max(...kept), room = (high - low) * 0.05;
    return room > 0 ? { low: low - room, high: high + room } : { low: low - 1, high: high + 1 };
  };

  // Draw axes and what content(X, Y, box) returns, SVG text clipped to the axes; X and Y map units to pixels.
  // Under a pointer, what read(x, y) says there stands below the axis.
  const draw = (host, { x, y, xLabel, describe, content, read }) => {
    const width = Math.max(260, host.clientWidth), { left, top } = MARGIN;
    const box = { left, top, width: width - left - MARGIN.right, height: HEIGHT - top - MARGIN.bottom };
    const scale = ({ low, high, log }, from, length) => {
      const value = log ? Math.log : Number, start = value(low), span = value(high) - start;
      return v => from + Math.min(9, Math.max(-9, (value(v) - start) / span)) * length;
    };
    const inverse = ({ low, high, log }, part) => {
      const within = Math.min(1, Math.max(0, part));
      return log ? low * (high / low) ** within : low + (high - low) * within;
    };
    const X = scale(x, box.left, box.width), Y = scale(y, box.top + box.height, -box.height), f = v => v.toFixed(2);
    const bottom = top + box.height, right = left + box.width, clip = `${host.id}-clip`;
    const levels = ticks(y, 5).map(([v, text]) => `<path class="grid" d="M${left} ${f(Y(v))}H${right}"/>` +
      `<text x="${left - 8}" y="${f(Y(v) + 4)}" text-anchor="end">${text}</text>`);
    const along = ticks(x, box.width < 340 ? 4 : 6).map(([v, text]) =>
      `<path class="grid" d="M${f(X(v))} ${top}V${bottom}"/>` +
      `<text x="${f(X(v))}" y="${bottom + 16}" text-anchor="middle">${text}</text>`);
    host.innerHTML = `<svg viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${escape(describe)}">` +
      `<clipPath id="${clip}"><path d="M${left - 4} ${top - 4}h${box.width + 8}v${box.height + 8}h${-box.width - 8}z"/></clipPath>` +
      `${levels.join("")}${along.join("")}<text x="${right}" y="${HEIGHT - 2}" text-anchor="end">${xLabel}</text>` +
      `<text class="at" x="0" y="${HEIGHT - 2}" aria-hidden="true"></text>` +
      `<g clip-path="url(#${clip})">${content(X, Y, box)}</g></svg>`;
    const say = words => { host.querySelector(".at").textContent = words; };
    host.onpointermove = ({ clientX, clientY }) => {
      const corner = host.getBoundingClientRect();
      const across = (clientX - corner.left - left) / box.width, up = (corner.top + bottom - clientY) / box.height;
      say(read(inverse(x, across), inverse(y, up)));
    };
    host.onpointerleave = () => say("");
  };

  const path = (X, Y, points) => {
    let drawn = "", pen = "M";
    for (const [x, y] of points) {
      if (Number.isNaN(y)) { pen = "M"; continue; }
      drawn += `${pen}${X(x).toFixed(2)} ${Y(y).toFixed(2)}`;
      pen = "L";
    }
    return drawn;
  };
  // A line, with dots while they can be told apart.
  const curve = (X, Y, points, colour, dots = false) =>
    `<path class="curve" style="stroke: ${colour}" d="${path(X, Y, points)}"/>` + (dots ? points.map(([x, y]) =>
      `<circle cx="${X(x).toFixed(2)}" cy="${Y(y).toFixed(2)}" r="${points.length > 1 ? 2.6 : 4.5}" style="fill: ${colour}"/>`).join("") : "");
  const pinned = (X, Y, points) => (points ? `<path class="pin" d="${path(X, Y, points)}"/>` : "");
  const level = (Y, box, value) =>
    `<path class="zero" d="M${box.left} ${Y(value).toFixed(2)}h${box.width}"/>`;
  const text = (x, y, words, { anchor, colour }) => `<text class="key halo" x="${x.toFixed(2)}" y="${y.toFixed(2)}" ` +
    `text-anchor="${anchor}" style="fill: ${colour}">${escape(words)}</text>`;

  // A picture of shade(column, row) in [-1, 1]: contraction and expansion in the page's two colours, paler near 0.
  const raster = (box, columns, rows, shade) => {
    const canvas = document.createElement("canvas"), style = getComputedStyle(document.documentElement);
    const colours = ["--low", "--high"].map(name => style.getPropertyValue(name).trim().split(/\s+/).map(Number));
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = shade(column, row), colour = colours[value < 0 ? 0 : 1];
        image.data.set([...colour, Math.round(225 * Math.abs(value))], 4 * (row * columns + column));
      }
    }
    context.putImageData(image, 0, 0);
    return `<image href="${canvas.toDataURL()}" x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}" ` +
      'preserveAspectRatio="none" style="image-rendering: pixelated"/>';
  };
  return { draw, extent, number, curve, pinned, level, text, raster };
})();
