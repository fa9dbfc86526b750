import type { PlantedBug } from './planted-bug.ts';

/** The bugs that the proofs have to find. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'settle without a look at the token',
    promise: 'P5',
    file: 'libs/tasks/lua/settle.lua',
    find: "if redis.call('HGET', key, 'token') ~= token then",
    replace: 'if false then',
  },
];
