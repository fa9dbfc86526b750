/** What every command that asks the admin API says of where it finds it. */
export const ADMIN_USAGE = `Asks the admin API at COORDINATOR_ADMIN_URL, http://127.0.0.1:8081 by default, with COORDINATOR_ADMIN_TOKEN; without both,
with the token of npm start.`;
