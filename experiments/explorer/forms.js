// The closed forms of pifs_sim.diffusion.schedules, .geometry and .gaussian_error, on the angles phi_0 < ... < phi_T.
// With Delta = phi_t - phi_s, N = lam c_t^2 + s_t^2 and P = lam c_s c_t + s_s s_t:
//   P - N = tan(Delta/2) ((lam - 1) c_t (s_s + s_t) - sin Delta),   ln f_t = +-log1p(|P - N| / min(P, N)),
// so nothing is subtracted but what has a zero at lam*_t, and lam - 1. Sums over the chain are compensated.
"use strict";
const forms = (() => {
  const HALF_PI = Math.PI / 2; // the float that stands for pi/2 itself
  const HALF_PI_REMAINDER = 6.123233995736766e-17; // pi/2 - float(pi/2)
  const QUARTER_PI_REMAINDER = HALF_PI_REMAINDER / 2;
  const range = (n, value) => Array.from({ length: n }, (_, i) => value(i));

  // A number held as an unevaluated sum of two floats (Dekker 1971).
  const twoSum = (a, b) => {
    const sum = a + b, part = sum - a;
    return [sum, (a - (sum - part)) + (b - part)];
  };
  const add = ([high, low], value) => {
    const [sum, lost] = twoSum(high, value);
    return twoSum(sum, low + lost);
  };
  const product = (a, b) => {
    const split = x => { const big = 134217729 * x; return big - (big - x); };
    const value = a * b, a1 = split(a), b1 = split(b), a2 = a - a1, b2 = b - b1;
    return [value, ((a1 * b1 - value) + a1 * b2 + a2 * b1) + a2 * b2];
  };
  const total = terms => {
    let sum = 0, lost = 0;
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i], next = sum + term;
      lost += Math.abs(sum) >= Math.abs(term) ? (sum - next) + term : (term - next) + sum;
      sum = next;
    }
    return Number.isFinite(sum) ? sum + lost : sum; // inf - inf in `lost` is no loss
  };

  const fromBetas = betas => {
    let logs = [0, 0];
    return [0, ...betas.map(beta => {
      logs = add(logs, Math.log1p(-beta));
      return Math.atan2(Math.sqrt(-Math.expm1(logs[0])), Math.exp(logs[0] / 2));
    })];
  };
  const ramp = (n, low, high) => range(n, i => (i && i === n - 1 ? high : low + i * ((high - low) / Math.max(n - 1, 1))));

  // Angles phi_0..phi_T of each family; `clip` limits the cosine schedule's beta to 0.999.
  const families = {
    linear: T => fromBetas(ramp(T, 1e-4, 0.02)),
    scaled_linear: T => fromBetas(ramp(T, Math.sqrt(0.00085), Math.sqrt(0.012)).map(root => root * root)),
    cosine: (T, { offset, clip }) => {
      const start = HALF_PI * (offset / (1 + offset)), turn = range(T + 1, t => (t / T) * (HALF_PI / (1 + offset)));
      const cos = turn.map((_, t) => Math.sin(turn[T - t])); // cos a_t = sin(pi/2 - a_t): exact 0 at the end
      const noise = turn.map(a => Math.sin(a) * Math.sin(a + 2 * start)); // v_t cos^2 a_0
      const angles = noise.map((v, t) => Math.atan2(Math.sqrt(v), cos[t]));
      if (!clip) return angles;
      const first = angles.findIndex((_, t) => t > 0 && (cos[t] / cos[t - 1]) ** 2 < 1 - 0.999);
      for (let t = first; first > 0 && t <= T; t++) { // beta grows with t: a tail is clipped
        const logs = (t + 1 - first) * Math.log1p(-0.999) - Math.log1p(noise[first - 1] / cos[first - 1] ** 2);
        angles[t] = Math.atan2(Math.sqrt(-Math.expm1(logs)), Math.exp(logs / 2));
      }
      return angles;
    },
    uniform_angle: (T, { stop }) => ramp(T + 1, 0, stop * HALF_PI),
    karras: (T, { rho, sigma_min: low, sigma_max: high }) => ramp(T + 1, (low / high) ** (1 / rho), 1)
      .map((x, t) => Math.atan(t === 0 ? low : t === T ? high : high * x ** rho)),
    log_linear: (T, { sigma_min: low, sigma_max: high }) => range(T + 1, t =>
      Math.atan(t === 0 ? low : t === T ? high : low * Math.exp((t / T) * Math.log(high / low)))),
    flow: (T, { flow_shift: shift }) => range(T + 1, t => Math.atan2(shift * t, T - t)),
  };

  // The columns of a chain: c, s at both ends of each step, Delta, and those of P, N and P - N.
  const chain = angles => {
    const T = angles.length - 1;
    const cos = angles.map(phi => (phi === HALF_PI ? 0 : Math.cos(phi))), sin = angles.map(Math.sin);
    const delta = range(T, i => angles[i + 1] - angles[i] + (angles[i + 1] === HALF_PI ? HALF_PI_REMAINDER : 0));
    const tangent = delta.map(d => Math.tan(d / 2)), steps = f => Float64Array.from(delta, (_, i) => f(i, i + 1));
    return {
      T, angles, cos, sin, delta, sinDelta: delta.map(Math.sin),
      cc: steps((s, t) => cos[s] * cos[t]), ss: steps((s, t) => sin[s] * sin[t]),
      ctt: steps((_, t) => cos[t] ** 2), stt: steps((_, t) => sin[t] ** 2),
      gain: steps((s, t) => tangent[s] * cos[t] * (sin[s] + sin[t])), loss: steps(s => tangent[s] * Math.sin(delta[s])),
      atZero: steps((s, t) => -Math.log1p((tangent[s] * (cos[s] + cos[t])) / sin[s])),
    };
  };
  const sigma = ({ angles, cos }) => angles.map((phi, t) => (cos[t] === 0 ? Infinity : Math.tan(phi)));
  const contractionThreshold = ({ cos, sin, delta }) =>
    delta.map((d, i) => (cos[i + 1] === 0 ? 1 : (sin[i] + sin[i + 1]) / (1 + Math.cos(d))));
  const stepThreshold = ({ cos, sin, delta }) =>
    delta.map((_, i) => (sin[i + 1] * (cos[i] + cos[i + 1])) / (cos[i + 1] * (sin[i] + sin[i + 1])));
  const stepThresholdExcess = ({ cos, sin, sinDelta }) => sinDelta.map((s, i) => s / (cos[i + 1] * (sin[i] + sin[i + 1])));

  const logExpansion = ({ T, cc, ss, ctt, stt, gain, loss, atZero }, lam) => {
    if (lam === 0) return atZero;
    const logs = new Float64Array(T);
    for (let i = 0; i < T; i++) {
      const excess = (lam - 1) * gain[i] - loss[i];
      const size = Math.log1p(Math.abs(excess) / Math.min(lam * cc[i] + ss[i], lam * ctt[i] + stt[i]));
      logs[i] = excess < 0 ? -size : size;
    }
    return logs;
  };
  const lyapunovExponent = (c, lam) => total(logExpansion(c, lam));

  // ln(tan a cos b), small results included: ln tan(pi/4 + x) = 2 artanh(tan x).
  const logTangentTimesCosine = (a, b) => {
    const x = a - Math.PI / 4 - QUARTER_PI_REMAINDER;
    return (Math.abs(x) > 0.5 ? Math.log(Math.tan(a)) : 2 * Math.atanh(Math.tan(x))) - Math.log1p(Math.tan(b) ** 2) / 2;
  };
  // Lambda(lam) for phi_T = pi/2 by the better of two sums: of ln f_t, or Lambda(inf) less what each step lacks of it.
  const exponentToHalfPi = (c, limit) => lam => {
    const lacks = range(c.T - 1, i =>
      Math.log1p((c.sin[i + 1] * c.sinDelta[i]) / c.cos[i + 1] / (lam * c.cc[i] + c.ss[i])));
    const logs = logExpansion(c, lam), lost = total(lacks);
    return limit + lost < logs.reduce((sum, log) => sum + Math.abs(log), 0) ? limit - lost : total(logs);
  };
  // The root lam** of Lambda, by bisection in ln lam from a bracket; infinite where every direction contracts.
  const moranThreshold = c => {
    let bounds = stepThresholdExcess(c).map(Math.log1p), exponent = lam => lyapunovExponent(c, lam);
    if (c.cos[c.T] === 0) {
      const limit = c.T > 1 ? logTangentTimesCosine(c.angles[c.T - 1], c.angles[0]) : -1;
      if (limit <= 0) return Infinity;
      bounds = bounds.slice(0, -1);
      exponent = exponentToHalfPi(c, limit);
    }
    const at = log => exponent(Math.exp(log));
    let low = Math.min(...bounds), high = Math.max(...bounds), widening = 1e-15; // against rounding at the ends
    for (; at(low) > 0; widening *= 2) low -= widening;
    for (; at(high) < 0; widening *= 2) high += widening;
    for (;;) {
      const middle = low + (high - low) / 2;
      if (middle <= low || middle >= high) return Math.exp(middle);
      if (at(middle) < 0) low = middle; else high = middle;
    }
  };

  // e^x - 1 - x: its Taylor series for |x| < 1/2.
  const expMinusTangent = x => {
    if (!(Math.abs(x) < 0.5)) return x === -Infinity ? Infinity : Math.expm1(x) - x;
    let sum = 0;
    for (let k = 2, term = (x * x) / 2; k < 18; k++, term *= x / k) sum += term;
    return sum;
  };
  // KL (nats) and W2^2 of one direction: c = prod cos(psi_t - psi_s), psi = atan2(sin phi, sqrt(lam) cos phi).
  const directionError = (c, lam, start) => {
    const logs = new Float64Array(c.T), root = Math.sqrt(lam);
    for (let i = 0; lam > 0 && i < c.T; i++) {
      const tangent = (root * c.sinDelta[i]) / (lam * c.cc[i] + c.ss[i]);
      logs[i] = -Math.log1p(tangent * tangent) / 2;
    }
    let log = total(logs);
    const end = phi => lam * c.cos[phi] ** 2 + c.sin[phi] ** 2, last = end(c.T), first = end(0);
    if (start === "normal") log -= (last < 0.5 ? Math.log(last) : Math.log1p(c.cos[c.T] ** 2 * (lam - 1))) / 2;
    return first > 0 ? { kl: expMinusTangent(2 * log) / 2, w2: first * Math.expm1(log) ** 2 } : { kl: 0, w2: 0 };
  };

  // Kaplan-Yorke dimension of exponents with multiplicities; partial sums to 106 bits, so that a tie with 0 is one.
  const kaplanYorke = (exponents, counts) => {
    const order = exponents.map((_, i) => i).filter(i => counts[i] > 0).sort((i, j) => exponents[j] - exponents[i]);
    let dimension = 0, partial = [0, 0];
    for (const i of order) {
      if (exponents[i] === -Infinity) break;
      const [high, low] = product(counts[i], exponents[i]), after = add(add(partial, high), low);
      if (after[0] < 0) return dimension + (partial[0] + partial[1]) / -exponents[i];
      dimension += counts[i];
      partial = after;
    }
    return dimension;
  };

  return {
    HALF_PI, families, chain, sigma, contractionThreshold, stepThreshold, stepThresholdExcess, logExpansion,
    lyapunovExponent, moranThreshold, directionError, kaplanYorke, total,
  };
})();
