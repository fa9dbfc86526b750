/** Lines of jobs of which only the head may run. */
export class MemoryLanes<Job> {
  readonly #lanes = new Map<string, Job[]>();

  /** Takes a place at the end. Returns whether it is the head. */
  join(lane: string, job: Job): boolean {
    const jobs = this.#lanes.get(lane) ?? [];
    this.#lanes.set(lane, jobs);
    return jobs.push(job) === 1;
  }

  /** Leaves the lane, if in it. Returns the one that became the head by that. */
  leave(lane: string, job: Job): Job | undefined {
    const before = this.#lanes.get(lane) ?? [];
    const jobs = before.filter((other) => other !== job);
    if (jobs.length === 0) this.#lanes.delete(lane);
    else this.#lanes.set(lane, jobs);
    return before[0] === job ? jobs[0] : undefined;
  }
}
