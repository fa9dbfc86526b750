import { FORGET_SCHEDULE_MS, type ScheduleReading } from '../queue-backend.ts';
import type { MemoryClock } from './memory-clock.ts';

/** How far each schedule has come; keep-schedules.lua in memory. */
export class MemorySchedules {
  readonly #clock: MemoryClock;
  readonly #lastSlotsMs = new Map<string, number>();
  readonly #keptAtMs = new Map<string, number>();
  #lastSignMs = -Infinity;

  constructor(clock: MemoryClock) {
    this.#clock = clock;
  }

  keep(keys: readonly string[]): ScheduleReading {
    const nowMs = this.#clock.nowMs();
    for (const [key, atMs] of this.#keptAtMs) {
      if (atMs <= this.#lastSignMs - FORGET_SCHEDULE_MS) this.#forget(key);
    }
    this.#lastSignMs = nowMs;
    const lastSlotsMs = keys.map((key) => {
      this.#keptAtMs.set(key, nowMs);
      const lastMs = Math.min(nowMs, this.#lastSlotsMs.get(key) ?? nowMs);
      this.#lastSlotsMs.set(key, lastMs);
      return lastMs;
    });
    return { nowMs, lastSlotsMs };
  }

  lastSlotMs(key: string): number | undefined {
    return this.#lastSlotsMs.get(key);
  }

  moveOn(key: string, toMs: number): void {
    this.#lastSlotsMs.set(key, toMs);
  }

  #forget(key: string): void {
    this.#lastSlotsMs.delete(key);
    this.#keptAtMs.delete(key);
  }
}
