import type { ProvingStack } from './proving-stack.ts';

/** Takes time from what is left to each key, atomically; one that has less is gone, as if it had expired. */
const TAKE = `
for _, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    redis.call('PEXPIRE', key, left - ARGV[1])
  end
end`;

/**
 * Has time pass for all that expires in Redis, whose own clock cannot be set. What counts by its clock instead, such as
 * due times and leases, notices nothing.
 */
export async function passTime(stack: ProvingStack, ms: number): Promise<void> {
  // Named before any is changed: a scan may come by a key twice.
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = (await stack.command('SCAN', cursor, 'COUNT', '1000')) as [string, string[]];
    cursor = next;
    for (const key of page) keys.add(key);
  } while (cursor !== '0');
  const all = [...keys];
  for (let i = 0; i < all.length; i += 1_000) {
    const some = all.slice(i, i + 1_000);
    await stack.command('EVAL', TAKE, String(some.length), ...some, String(Math.round(ms)));
  }
}
