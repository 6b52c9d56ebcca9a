/** Loaded before a program (`--import FILE?offsetMs=N`): its wall clock is off by so many milliseconds; timers are not. */
const offsetMs = Number(new URL(import.meta.url).searchParams.get('offsetMs'));
const { now } = Date;
const RealDate = Date;
class SkewedDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [now() + offsetMs] : given) as [number]));
  }
  static override now(): number {
    return now() + offsetMs;
  }
}
globalThis.Date = SkewedDate as DateConstructor;
