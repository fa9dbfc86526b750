/** Whether a process with this pid exists, another user's included. Pids are used again: it need not be the one you knew. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
