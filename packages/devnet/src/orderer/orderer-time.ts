/** The orderer's clock and timer; tests bring their own. */
export interface OrdererTime {
  nowMs(): number;
  /** Calls back once after `delayMs`; returns the function that stops it. */
  startTimer(delayMs: number, callback: () => void): () => void;
}

export const SYSTEM_TIME: OrdererTime = {
  nowMs: () => Date.now(),
  startTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
