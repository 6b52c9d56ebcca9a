/** The value below which the given part of the values lies, linear between neighbours (the common "type 7"). NaN of no values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function lowerQuartile(values: readonly number[]): number {
  return quantile(values, 0.25);
}

/** Middle and outer values of a measurement that was repeated. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    lowerQuartile: lowerQuartile(values),
    min: quantile(values, 0),
    max: quantile(values, 1),
  };
}

/** A number with so many significant digits, for a machine to read: benchmarks are not exact to the last bit. */
export function rounded(value: number, digits = 5): number {
  return Number(value.toPrecision(digits));
}
