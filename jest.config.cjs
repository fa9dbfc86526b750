/** All projects in one run; each can be run alone as well, with --selectProjects or in its folder. */
module.exports = {
  // Jest reads this one here only; a project's own is for running it alone.
  testTimeout: 20_000,
  projects: [
    '<rootDir>/{apps,libs,extensions,examples}/*/jest.config.cjs',
    '<rootDir>/{docs,tools,e2e,bench,prove}/jest.config.cjs',
  ],
};
