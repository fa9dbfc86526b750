import type { ServerResponse } from 'node:http';

/** An attempt that waits. */
export interface GateCall {
  readonly jobId: string;
  readonly note: string;
  readonly attempt: number;
  /** Process that waits. */
  readonly pid: number;
}

/** A {@link GateCall} with the time at which it came. */
export interface WaitingGate extends GateCall {
  /** `<job id>.<attempt>`. */
  readonly gate: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Whether its caller has gone: its signal was aborted, or its process ended. */
  readonly gone: boolean;
}

/** Holds attempts until somebody lets them pass; one gate per attempt. */
export class Gates {
  readonly #waiting = new Map<string, GateCall & { at: number; response: ServerResponse }>();
  #allOpen = false;

  /** Answers once the gate is open. */
  wait(call: GateCall, response: ServerResponse): void {
    const gate = `${call.jobId}.${call.attempt}`;
    this.#waiting.set(gate, { ...call, at: Date.now(), response });
    if (this.#allOpen) this.open([gate]);
  }

  /** Lets these pass, or with 'all' every one that waits or comes. Returns how many waited. */
  open(gates: readonly string[] | 'all'): number {
    if (gates === 'all') this.#allOpen = true;
    let opened = 0;
    for (const gate of gates === 'all' ? [...this.#waiting.keys()] : gates) {
      const waiting = this.#waiting.get(gate);
      if (!waiting) continue;
      opened += 1;
      this.#waiting.delete(gate);
      waiting.response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    }
    return opened;
  }

  /** Those that were not let pass, callers that have gone included. */
  waiting(): WaitingGate[] {
    return Array.from(this.#waiting, ([gate, { response, ...call }]) => ({ ...call, gate, gone: response.destroyed }));
  }
}
