// Loaded into a process with --require: its wall clock is wrong by CLOCK_JUMP_MS, to the other side every few seconds. Timers
// and performance.now() go on, as they do when somebody sets the clock of a machine.
const jumpMs = Number(process.env.CLOCK_JUMP_MS);
const everyMs = Number(process.env.CLOCK_JUMP_EVERY_MS);
const TrueDate = Date;

function shiftMs(): number {
  return Math.floor(performance.now() / everyMs) % 2 === 0 ? jumpMs : -jumpMs;
}

class WrongDate extends TrueDate {
  constructor(...args: [] | ConstructorParameters<typeof Date>) {
    if (args.length === 0) super(TrueDate.now() + shiftMs());
    else super(...args);
  }

  static override now(): number {
    return TrueDate.now() + shiftMs();
  }
}

globalThis.Date = WrongDate as DateConstructor;
