// Loaded before the program that is measured (`node --require`), so that a program which knows nothing of benchmarks
// can be asked for its CPU time as exactly as the kernel knows it; /proc counts in steps of 10 ms.
import { answer } from './answer.ts';

answer({
  /** User and system time of all threads of this process, in microseconds. */
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
});

// However the process that measures has ended, nothing is to run on after it.
process.on('disconnect', () => process.exit(0));
